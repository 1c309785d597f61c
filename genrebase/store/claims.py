"""The claim rule: which of its genres a track counts for. Pure.

It is the genre with the best rank at any source; a tie goes to the genre with fewer sighted
tracks, then to the first by name. The collector applies it to all sightings, the classifier to
those that a training may use.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

GenreKey = TypeVar("GenreKey", bound=Hashable)


def choose_claim(
    ranks: Mapping[GenreKey, int], keys: Mapping[GenreKey, tuple[int, str]]
) -> tuple[GenreKey | None, bool]:
    """Return the genre that claims a track, and whether its best rank was tied.

    `ranks` is the track's best rank per genre, `keys` the (sighted tracks, name) of every genre.
    """
    if len(ranks) == 1:
        return next(iter(ranks)), False
    if not ranks:
        return None, False
    best = min(ranks.values())
    tied = [genre for genre, rank in ranks.items() if rank == best]
    return min(tied, key=keys.__getitem__), len(tied) > 1
