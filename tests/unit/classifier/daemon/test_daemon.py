"""When the daemon retrains."""

import pytest

from classifier.daemon.daemon import enough_new_data


@pytest.mark.parametrize(
    ("labelled", "before", "new_tracks", "expected"),
    [
        (999, 0, 1000, False),
        (1000, 0, 1000, True),
        (10_900, 10_000, 1000, False),
        (11_999, 10_000, 1000, False),
        (12_000, 10_000, 1000, True),
        (50_000, 0, 0, False),
    ],
)
def test_enough_new_data_trigger_a_training(
    labelled: int, before: int, new_tracks: int, *, expected: bool
) -> None:
    """`new_tracks` more tracks, and a fifth more than last time; never if `new_tracks` is 0."""
    assert enough_new_data(labelled, before, new_tracks) is expected
