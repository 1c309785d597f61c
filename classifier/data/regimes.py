"""Test conditions: artists that the model saw in training, and artists it did not see."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids, Mask

HELD_OUT_SIDES: Final = ("test", "validation")
"""Each has a part `_new` (unseen artists) and a part `_seen`."""


def ids_of(frame: pd.DataFrame, column: str = "track_id") -> Ids:
    """Return a column of ids as an array."""
    return frame[column].to_numpy(dtype=np.int64)


def has_seen_artist(track_ids: Ids, track_credits: pd.DataFrame, train_ids: Ids) -> Mask:
    """Return for each track whether a credited artist has *another* track in `train_ids`.

    `track_credits` has (track_id, artist_id) of every credit, `train_ids` the training tracks.
    """
    credit_tracks, credit_artists = ids_of(track_credits), ids_of(track_credits, "artist_id")
    in_training = np.isin(credit_tracks, train_ids)
    artists, codes = np.unique(credit_artists, return_inverse=True)
    training_tracks = np.bincount(codes[in_training], minlength=len(artists))
    others = training_tracks[codes] - in_training
    return np.isin(track_ids, credit_tracks[others > 0])


def regime_of(*, seen_artist: bool) -> str:
    """Return the test condition of a track whose artist the model saw, or did not see."""
    return "seen_artist" if seen_artist else "new_artist"


def regime_of_side(sides: NDArray[np.str_], seen_artist: Mask) -> NDArray[np.str_]:
    """Return the regime of held-out tracks: `new_artist`, `seen_artist` or `other`.

    `other` are tracks on a `_seen` side none of whose artists has a training track.
    """
    new = np.char.endswith(sides, "_new")
    return np.where(new, "new_artist", np.where(seen_artist, "seen_artist", "other"))


def primary_artists(track_ids: Ids, track_credits: pd.DataFrame) -> Ids:
    """Return the artist credited first on each track; -1 for a track without credits."""
    ordered = track_credits.sort_values(["track_id", "position"], kind="stable")
    first = ordered.drop_duplicates("track_id")
    artist_of = first.set_index("track_id")["artist_id"]
    return artist_of.reindex(track_ids, fill_value=-1).to_numpy(dtype=np.int64)
