"""Whose music it is: artists the model has learned from, or artists it has never met."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]

HELD_OUT_SIDES: Final = ("test", "validation")
"""Sides that are held out; each has a `_new` and a `_seen` part."""


def has_seen_artist(tracks: Ids, credit_tracks: Ids, credit_artists: Ids, learned: Ids) -> Mask:
    """Tell for each of `tracks` whether a credited artist has *another* track in `learned`.

    `credit_tracks[i]` is credited to `credit_artists[i]`; `learned` are the tracks a model
    learned from.
    """
    in_learned = np.isin(credit_tracks, learned)
    artists, codes = np.unique(credit_artists, return_inverse=True)
    learned_tracks = np.bincount(codes[in_learned], minlength=len(artists))
    others = learned_tracks[codes] - in_learned
    return np.isin(tracks, credit_tracks[others > 0])


def regime_of_side(sides: NDArray[np.str_], known: Mask) -> NDArray[np.str_]:
    """Return the regime of held-out tracks: `new_artist`, `seen_artist` or `other`.

    `other` are the tracks on a `_seen` side none of whose artists has a track to learn from.
    """
    new = np.char.endswith(sides, "_new")
    return np.where(new, "new_artist", np.where(known, "seen_artist", "other"))


def primary_artists(tracks: Ids, credit_tracks: Ids, credit_artists: Ids, positions: Ids) -> Ids:
    """Return the artist credited first on each of `tracks`; -1 where nobody is credited."""
    order = np.lexsort((positions, credit_tracks))
    first_tracks, first = np.unique(credit_tracks[order], return_index=True)
    found = np.full(len(tracks), -1, dtype=np.int64)
    if len(first_tracks) == 0:
        return found
    at = np.minimum(np.searchsorted(first_tracks, tracks), len(first_tracks) - 1)
    match = first_tracks[at] == tracks
    found[match] = credit_artists[order][first][at[match]]
    return found
