"""The printed result of the demo."""

import pytest

from genrebase.launcher import demo_summary
from genrebase.runtime.console import Output

GENRES = [
    {"name": "r&b", "target": 1000, "tracks": 999, "sightings": 1100, "with_features": 900},
    {"name": "rock", "target": 1000, "tracks": 1002, "sightings": 1100, "with_features": 900},
]


@pytest.mark.parametrize(
    ("steps", "expected"), [(["harvest", "import"], True), (["harvest"], False)]
)
def test_missing_tracks_are_explained(
    capsys: pytest.CaptureFixture[str], steps: list[str], *, expected: bool
) -> None:
    """An import of labels can change primary genres after the harvest; nothing else does."""
    document = {
        "genres": GENRES,
        "tracks": 2000,
        "sightings": 2200,
        "requests": 5,
        "with_features": 1800,
        "steps": [{"name": name} for name in steps],
        "champion": None,
        "invented": True,
        "questions": [],
        "database": "a.db",
        "open": {},
        "seconds": 3.0,
    }
    demo_summary.print_summary(document, Output(as_json=False))
    printed = capsys.readouterr().out
    assert ("Tracks missing again: r&b (1)." in printed) == expected
