"""Summaries of several submissions of one recording."""

from functools import reduce
from itertools import permutations

import pytest

from collector.acousticbrainz_submissions import (
    GROUP_COLUMNS,
    RecordingSummary,
    Submission,
    merged,
    parse_key,
    summarise,
)

SLOW = Submission(bpm=60.5, danceability=1.0, key=9, mode=0, average_loudness=0.25)
FAST = Submission(bpm=121.0, danceability=1.5, key=0, mode=1)
LATER = Submission(bpm=122.0, key=9, mode=0, key_strength=0.75)


def values(summary: RecordingSummary, group: str) -> dict[str, float | None]:
    return dict(zip(GROUP_COLUMNS[group], summary[group].values, strict=True))


def test_numbers_are_medians_with_their_range() -> None:
    """Of each number the lower median and the range, over the submissions that have it."""
    rhythm = values(summarise([SLOW, FAST, LATER]), "rhythm")
    assert (rhythm["bpm"], rhythm["bpm_range"]) == (121.0, 61.5)
    assert (rhythm["danceability"], rhythm["danceability_range"]) == (1.0, 0.5)
    assert (rhythm["onset_rate"], rhythm["onset_rate_range"]) == (None, None)


def test_an_even_number_has_no_invented_tempo() -> None:
    """Between 60 and 121 BPM nobody measured anything."""
    assert values(summarise([SLOW, FAST]), "rhythm")["bpm"] == 60.5


def test_one_submission_has_no_range() -> None:
    """A range of 0 means agreement; one submission agrees with nobody."""
    assert values(summarise([FAST]), "rhythm")["bpm_range"] is None
    assert values(summarise([FAST, FAST]), "rhythm")["bpm_range"] == 0.0


def test_the_commonest_key_with_its_share() -> None:
    """Key and mode are counted together; a tie goes to the lowest key."""
    tonal = values(summarise([SLOW, FAST, LATER]), "tonal")
    assert (tonal["key"], tonal["mode"]) == (9, 0)
    assert tonal["key_share"] == pytest.approx(2 / 3)
    tied = values(summarise([SLOW, FAST]), "tonal")
    assert (tied["key"], tied["mode"], tied["key_share"]) == (0, 1, 0.5)


def test_a_group_counts_the_submissions_that_have_it() -> None:
    """The groups come from different files; one without numbers is left out."""
    groups = summarise([SLOW, FAST, LATER])
    assert {name: one.submissions for name, one in groups.items()} == {
        "lowlevel": 1,
        "rhythm": 3,
        "tonal": 3,
        "strength": 1,
    }
    assert summarise([Submission()]) == {}


def test_the_order_of_deliveries_does_not_matter() -> None:
    """More submissions win, of equally many the larger values, group by group."""
    deliveries = [summarise([SLOW, FAST]), summarise([LATER]), summarise([FAST, LATER])]
    first, *others = [reduce(merged, order) for order in permutations(deliveries)]
    assert all(one == first for one in others)
    assert first["rhythm"].submissions == 2
    assert values(first, "rhythm")["bpm"] == 121.0
    assert values(first, "strength")["key_strength"] == 0.75


@pytest.mark.parametrize(
    ("key", "scale", "expected"),
    [
        ("A#", "minor", (10, 0)),
        ("Bb", "Major", (10, 1)),
        (" C ", "major", (0, 1)),
        ("C", "", (0, None)),
        ("H", "minor", (None, None)),
        ("", "minor", (None, None)),
        (None, None, (None, None)),
        (["C"], "minor", (None, None)),
    ],
)
def test_keys(key: object, scale: object, expected: object) -> None:
    """A mode needs a key; everything unreadable is missing."""
    assert parse_key(key, scale) == expected
