"""The ten ways to hold two folds out, by the rule that fixes the sides in the database. Pure.

Rotation 0 is the database's own: fold 9 is the test, fold 8 the validation. Each further rotation
moves both by one, so that over all ten every artist is once a new one to be tested on.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.data.dataset import RawDataset
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD

Ids = NDArray[np.int64]

N_FOLDS: Final = 10


def held_out_folds(rotation: int) -> tuple[int, int]:
    """Return the test fold and the validation fold of a rotation, 0 to 9."""
    return (TEST_FOLD + rotation) % N_FOLDS, (VALIDATION_FOLD + rotation) % N_FOLDS


def assign_splits(
    tracks: Ids, track_folds: Ids, owners: Ids, artist_folds: Ids, *, test: int, validation: int
) -> NDArray[np.str_]:
    """Return the side of each of `tracks` (each once) where these two folds are held out.

    `artist_folds[i]` is the fold of an artist credited on the track `owners[i]`; credits of other
    tracks are ignored. The rule is that of `genrebase.store.split`.
    """
    counts = _credits_by_fold(tracks, owners, artist_folds)
    everybody = counts.sum(axis=1)
    tested, validated = counts[:, test], counts[:, validation]
    found = np.select(
        [track_folds == test, track_folds == validation],
        ["test_seen", "validation_seen"],
        default="train".ljust(len("validation_seen")),  # room for the longest name
    )
    found = np.char.rstrip(found)
    found[(tested + validated > 0) | (everybody == 0)] = "none"
    found[(tested > 0) & (tested == everybody)] = "test_new"
    found[(validated > 0) & (validated == everybody)] = "validation_new"
    return found


def with_held_out_folds(found: RawDataset, *, test: int, validation: int) -> RawDataset:
    """Return the same tracks, on the sides they have where these two folds are held out."""
    if (test, validation) == (TEST_FOLD, VALIDATION_FOLD):
        return found
    turned = assign_splits(
        found.tracks["track_id"].to_numpy(dtype=np.int64),
        found.tracks["track_fold"].to_numpy(dtype=np.int64),
        found.credits["track_id"].to_numpy(dtype=np.int64),
        found.credits["fold"].to_numpy(dtype=np.int64),
        test=test,
        validation=validation,
    )
    return _on(found, turned)


def without_test_fold(found: RawDataset) -> RawDataset:
    """Return only tracks that have nothing to do with the test fold: no artist, not their name.

    What is chosen by looking at these has not looked at any test track, nor at a guest's.
    """
    tracks, owners = found.tracks, found.credits["track_id"].to_numpy(dtype=np.int64)
    tested = owners[found.credits["fold"].to_numpy(dtype=np.int64) == TEST_FOLD]
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    named = tracks["track_fold"].to_numpy(dtype=np.int64) == TEST_FOLD
    kept = tracks[~(np.isin(ids, tested) | named)].reset_index(drop=True)
    return replace(found, tracks=kept)


def _on(found: RawDataset, turned: NDArray[np.str_]) -> RawDataset:
    side = pd.Series(pd.array(turned.tolist(), dtype="string"), index=found.tracks.index)
    return replace(found, tracks=found.tracks.assign(side=side))


def _credits_by_fold(tracks: Ids, owners: Ids, artist_folds: Ids) -> NDArray[np.int64]:
    """Return how many credits of each fold each track has: (tracks, folds)."""
    order = np.argsort(tracks, kind="stable")
    if len(tracks) == 0:
        return np.zeros((0, N_FOLDS), dtype=np.int64)
    at = np.minimum(np.searchsorted(tracks[order], owners), len(tracks) - 1)
    places = order[at]
    known = tracks[places] == owners
    cells = places[known] * N_FOLDS + artist_folds[known]
    counted = np.bincount(cells, minlength=len(tracks) * N_FOLDS).reshape(len(tracks), N_FOLDS)
    return np.asarray(counted, dtype=np.int64)
