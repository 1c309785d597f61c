"""The train/validation/test split: on which side (training or hold-out) a track is. It is fixed.

It is a grouped split (by artist) and follows from constant values alone: the folds of the credited
artists' names and the fold of the track's own name. A growing database never moves a track from
one side to another; a further credited artist can only take it out of the split (`none`).
"""

from collections.abc import Iterable
from typing import Final

TEST_FOLD: Final = 9
VALIDATION_FOLD: Final = 8


def assign_side(
    track_fold: int,
    artist_folds: Iterable[int],
    *,
    test_fold: int = TEST_FOLD,
    validation_fold: int = VALIDATION_FOLD,
) -> str:
    """Return the side of a track, with these two folds held out.

    `test_new`: all credited artists in the test fold; `validation_new`: all in the validation
    fold; artists of both folds, or of either and others: `none`. With no artist in either, the
    track's own fold decides: `test_seen`, `validation_seen` or `train`. No artist at all: `none`.
    """
    folds = set(artist_folds)
    if not folds:
        return "none"
    if folds == {test_fold}:
        return "test_new"
    if folds == {validation_fold}:
        return "validation_new"
    if folds & {validation_fold, test_fold}:
        return "none"
    return {test_fold: "test_seen", validation_fold: "validation_seen"}.get(track_fold, "train")
