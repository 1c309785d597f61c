"""The claim rule."""

import pytest

from genrebase.store.claims import choose_claim

KEYS = {"rock": (9, "rock"), "jazz": (3, "jazz"), "folk": (3, "folk")}


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ({}, (None, False)),
        ({"rock": 7}, ("rock", False)),
        ({"rock": 0, "jazz": 1}, ("rock", False)),
        ({"rock": 1, "jazz": 1, "folk": 4}, ("jazz", True)),
        ({"jazz": 2, "folk": 2}, ("folk", True)),
    ],
)
def test_the_best_rank_claims(ranks: dict[str, int], expected: tuple[str | None, bool]) -> None:
    """A tie goes to the genre with fewer sightings, then to the first by name."""
    assert choose_claim(ranks, KEYS) == expected
