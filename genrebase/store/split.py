"""Which side of every evaluation a track stands on, for ever.

The sides follow from frozen facts alone: the folds of the credited artists' names and the fold of
the track's own name. Growing the database never moves a track from one side to another; a further
credited artist can only take it off all of them (`none`).
"""

from collections.abc import Iterable
from typing import Final

TEST_FOLD: Final = 9
VALIDATION_FOLD: Final = 8


def assign_side(track_fold: int, artist_folds: Iterable[int]) -> str:
    """Return the side of a track.

    `test_new`: all credited artists in fold 9; `validation_new`: all in fold 8; artists of both
    kinds, or of either kind and others: `none`. With no artist in 8 or 9, the track's own fold
    decides: 9 is `test_seen`, 8 `validation_seen`, the rest `train`. No artist at all: `none`.
    """
    folds = set(artist_folds)
    if not folds:
        return "none"
    if folds == {TEST_FOLD}:
        return "test_new"
    if folds == {VALIDATION_FOLD}:
        return "validation_new"
    if folds & {VALIDATION_FOLD, TEST_FOLD}:
        return "none"
    return {TEST_FOLD: "test_seen", VALIDATION_FOLD: "validation_seen"}.get(track_fold, "train")
