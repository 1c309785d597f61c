"""Numbers with their nouns, and that messages use them."""

import re
from pathlib import Path

import pytest

from genrebase.counts import agree, counted, join_counts

ROOT = Path(__file__).parents[3]
NOUNS = (
    "tracks|duplicates|requests|rows|artists|sightings|genres|labels|predictions|metrics|files|"
    "titles|recordings|names|folders|subsets|steps|clusters|claims|groups|members|pieces|imports|"
    "trials|models|bytes|downloads|items|votes|pages"
)
UNCOUNTED = re.compile(rf"\{{[^{{}}]+:,\}} (?:(?!of )[a-z-]+ )?(?:{NOUNS})\b")


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "track", "1 track"),
        (0, "track", "0 tracks"),
        (2_000, "new track", "2,000 new tracks"),
        (2, "track with features", "2 tracks with features"),
        (1, "track with features", "1 track with features"),
    ],
)
def test_counted(count: int, noun: str, text: str):
    """One is singular, everything else plural."""
    assert counted(count, noun) == text


def test_an_irregular_plural():
    """It is given."""
    assert counted(2, "analysis", "analyses") == "2 analyses"
    assert counted(1, "analysis", "analyses") == "1 analysis"


def test_verbs_agree():
    """With their counts."""
    assert [agree(count, "has", "have") for count in (0, 1, 2)] == ["have", "has", "have"]


def test_zeros_are_left_out():
    """Unless all are zero."""
    assert join_counts((5, "new track"), (0, "duplicate")) == "5 new tracks"
    assert join_counts((0, "new track"), (1, "duplicate")) == "1 duplicate"
    assert join_counts((0, "new track"), (0, "duplicate")) == "0 new tracks"


def test_every_message_counts_its_nouns():
    """No message writes `1 rows`: its numbers go through `counted`."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for package in ("collector", "classifier", "genrebase", "sandbox", "web")
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNCOUNTED.search(line) and path.name != "counts.py"
    ]
    assert found == []
