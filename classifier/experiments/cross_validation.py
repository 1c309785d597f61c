"""Cross-validation over the ten folds of artists: which tracks each rotation holds out. Pure.

The group split of the database holds out fold 9 as test and fold 8 as validation: rotation 0. Each
further rotation moves both by one, so over all ten every artist is once an unseen artist in the
test split.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids
from classifier.data.raw_dataset import RawDataset
from genrebase.store.names import N_FOLDS
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD, assign_side


def held_out_folds(rotation: int) -> tuple[int, int]:
    """Return the test fold and the validation fold of a rotation, 0 to 9."""
    return (TEST_FOLD + rotation) % N_FOLDS, (VALIDATION_FOLD + rotation) % N_FOLDS


def assign_splits(
    tracks: Ids,
    track_folds: Ids,
    credit_tracks: Ids,
    artist_folds: Ids,
    *,
    test: int,
    validation: int,
) -> NDArray[np.str_]:
    """Return the side of each of `tracks` (each once) if these two folds are held out.

    `artist_folds[i]` is the fold of an artist credited on `credit_tracks[i]`; credits of other
    tracks are ignored. The rule, `assign_side`, is evaluated once for each distinct combination
    of artist folds and track fold.
    """
    has_fold = _credits_by_fold(tracks, credit_tracks, artist_folds) > 0
    codes = has_fold @ (1 << np.arange(N_FOLDS)) * N_FOLDS + track_folds
    distinct, positions = np.unique(codes, return_inverse=True)
    sides = [
        assign_side(
            code % N_FOLDS,
            [fold for fold in range(N_FOLDS) if code // N_FOLDS >> fold & 1],
            test_fold=test,
            validation_fold=validation,
        )
        for code in distinct.tolist()
    ]
    return np.array(sides, dtype=np.str_)[positions]


def with_held_out_folds(raw: RawDataset, *, test: int, validation: int) -> RawDataset:
    """Return the same tracks, split with these two folds held out."""
    if (test, validation) == (TEST_FOLD, VALIDATION_FOLD):
        return raw
    sides = assign_splits(
        raw.tracks["track_id"].to_numpy(dtype=np.int64),
        raw.tracks["track_fold"].to_numpy(dtype=np.int64),
        raw.credits["track_id"].to_numpy(dtype=np.int64),
        raw.credits["fold"].to_numpy(dtype=np.int64),
        test=test,
        validation=validation,
    )
    column = pd.Series(pd.array(sides.tolist(), dtype="string"), index=raw.tracks.index)
    return replace(raw, tracks=raw.tracks.assign(side=column))


def without_test_fold(raw: RawDataset) -> RawDataset:
    """Return the tracks without an artist, a guest or a name in the test fold.

    What is selected on these cannot leak from the test split.
    """
    tracks, credit_tracks = raw.tracks, raw.credits["track_id"].to_numpy(dtype=np.int64)
    in_test = credit_tracks[raw.credits["fold"].to_numpy(dtype=np.int64) == TEST_FOLD]
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    name_in_test = tracks["track_fold"].to_numpy(dtype=np.int64) == TEST_FOLD
    kept = tracks[~(np.isin(ids, in_test) | name_in_test)].reset_index(drop=True)
    return replace(raw, tracks=kept)


def _credits_by_fold(tracks: Ids, credit_tracks: Ids, artist_folds: Ids) -> NDArray[np.int64]:
    """Return the number of credits of each track in each fold: (tracks, folds)."""
    if len(tracks) == 0:
        return np.zeros((0, N_FOLDS), dtype=np.int64)
    order = np.argsort(tracks, kind="stable")
    position = np.minimum(np.searchsorted(tracks[order], credit_tracks), len(tracks) - 1)
    rows = order[position]
    matches = tracks[rows] == credit_tracks
    cells = rows[matches] * N_FOLDS + artist_folds[matches]
    counts = np.bincount(cells, minlength=len(tracks) * N_FOLDS)
    return np.asarray(counts.reshape(len(tracks), N_FOLDS), dtype=np.int64)
