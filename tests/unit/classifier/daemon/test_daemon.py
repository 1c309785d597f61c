"""When the trainer trains."""

import pytest

from classifier.daemon.daemon import enough_new_data


@pytest.mark.parametrize(
    ("labelled", "before", "new_tracks", "asked"),
    [
        (999, 0, 1000, False),
        (1000, 0, 1000, True),
        (10_900, 10_000, 1000, False),
        (11_999, 10_000, 1000, False),
        (12_000, 10_000, 1000, True),
        (50_000, 0, 0, False),
    ],
)
def test_growth_asks_for_a_training(
    labelled: int, before: int, new_tracks: int, *, asked: bool
) -> None:
    """So many new tracks, and a fifth more than last time; never when switched off."""
    assert enough_new_data(labelled, before, new_tracks) is asked
