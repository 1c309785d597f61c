"""How well two genres can be told apart, and which set of genres best. Pure.

Of a pair, the tracks that are of either, ranked by how much likelier the model finds the one than
the other: the area under the ROC curve is the chance that a track of the one ranks above a track
of the other (Hand & Till, Machine Learning 45, 2001, who average two scores; the ratio is one). It
does not depend on how many tracks either has. A set of genres is as good as the mean of its pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.records import Interval

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

MAX_EXHAUSTIVE_SETS: Final = 200_000
"""Up to so many sets each is looked at; of more the best is searched for."""
_TINY: Final = float(np.finfo(np.float64).eps)
Search = Literal["exhaustive", "greedy"]


@dataclass(frozen=True, slots=True)
class GenrePair:
    """Two genres."""

    genre: int
    other_genre: int
    auc: float
    """0.5: cannot be told apart; 1: always."""
    n: int
    """Tracks of the one."""
    other_n: int


@dataclass(frozen=True, slots=True)
class GenreSubset:
    """The set of genres that can be told apart best."""

    genres: tuple[int, ...]
    mean_auc: float
    """Of the area of its pairs."""
    worst_pair: GenrePair
    search: Search
    sets_compared: int
    """Sets that were compared."""


@dataclass(frozen=True, slots=True)
class SubsetAccuracy:
    """How often the model is right among the genres of a set only."""

    accuracy: float
    """Mean over genres of the share of its tracks that are recognised."""
    interval: Interval | None
    baseline: float
    """Of guessing: one by the number of genres."""
    n: int


def pairwise_auc(shares: Floats, truth: Codes) -> Iterator[GenrePair]:
    """Yield every two genres that have tracks; `truth` is the column of each row's genre."""
    logs = np.log(np.clip(shares, _TINY, None))
    rows = [np.flatnonzero(truth == genre) for genre in range(shares.shape[1])]
    there = [genre for genre, own in enumerate(rows) if len(own)]
    for one, other in combinations(there, 2):
        ours, others = (
            logs[rows[genre], one] - logs[rows[genre], other] for genre in (one, other)
        )
        yield GenrePair(one, other, auc(ours, others), len(ours), len(others))


def auc(ours: Floats, others: Floats) -> float:
    """Return the chance that one of `ours` exceeds one of `others`; a tie is half of it."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, ours, side="left")
    upto = np.searchsorted(ordered, ours, side="right")
    return float((below + upto).sum() / (2 * len(ours) * len(ordered)))


def best_subset(found: Sequence[GenrePair], size: int) -> GenreSubset:
    """Return the best set of `size` genres; ties go to the one whose worst pair is better.

    Every set is compared where these are few. Otherwise one is grown from each genre, always by
    the genre that adds most, and genres are exchanged as long as that helps: usually the best set
    there is, but nothing proves it.
    """
    known = np.unique([(pair.genre, pair.other_genre) for pair in found])
    places = {int(genre): place for place, genre in enumerate(known)}
    areas = np.zeros((len(known), len(known)))
    for pair in found:
        one, other = places[pair.genre], places[pair.other_genre]
        areas[one, other] = areas[other, one] = pair.auc
    if comb(len(known), size) <= MAX_EXHAUSTIVE_SETS:
        chosen, looked_at = _compared(areas, size)
        search: Search = "exhaustive"
    else:
        chosen, looked_at = _searched(areas, size)
        search = "greedy"
    genres = tuple(sorted(int(known[place]) for place in chosen))
    inside = [pair for pair in found if pair.genre in genres and pair.other_genre in genres]
    worst = min(inside, key=lambda pair: (pair.auc, pair.genre, pair.other_genre))
    mean = float(np.mean([pair.auc for pair in inside]))
    return GenreSubset(genres, mean, worst, search, looked_at)


def subset_accuracy(
    shares: Floats, truth: Codes, artists: NDArray[np.int64], genres: Sequence[int], *, seed: int
) -> SubsetAccuracy | None:
    """Return how the model does when only `genres` are asked about; None without their tracks."""
    chosen = np.isin(truth, genres)
    if not chosen.any():
        return None
    codes = np.searchsorted(genres, truth[chosen])
    hits = shares[chosen][:, list(genres)].argmax(axis=1) == codes
    size = len(genres)
    shown = np.bincount(codes, minlength=size)
    right = np.bincount(codes[hits], minlength=size)
    resampled = ArtistBootstrap(artists[chosen], seed=seed)
    drawn = resampled.counts(codes, size, np.ones(len(codes), dtype=bool))
    with np.errstate(invalid="ignore"):  # a resample may miss a genre: it is left out of the mean
        recalls = resampled.counts(codes, size, hits) / drawn
    return SubsetAccuracy(
        accuracy=float((right[shown > 0] / shown[shown > 0]).mean()),
        interval=resampled.interval(np.nanmean(recalls, axis=1)),
        baseline=1 / size,
        n=len(codes),
    )


def _compared(areas: Floats, size: int) -> tuple[Codes, int]:
    sets = np.array(list(combinations(range(len(areas)), size)), dtype=np.intp)
    return sets[_first(areas, sets)], len(sets)


def _searched(areas: Floats, size: int) -> tuple[Codes, int]:
    ends, looked_at = [], 0
    for start in range(len(areas)):
        chosen = np.array([start])
        while len(chosen) < size:
            gains = areas[chosen].sum(axis=0)
            gains[chosen] = -1.0
            chosen = np.append(chosen, gains.argmax())
            looked_at += len(areas) - len(chosen) + 1
        chosen, compared = _exchanged(areas, chosen)
        looked_at += compared
        ends.append(np.sort(chosen))
    sets = np.unique(np.array(ends), axis=0)
    return sets[_first(areas, sets)], looked_at


def _exchanged(areas: Floats, chosen: Codes) -> tuple[Codes, int]:
    """Exchange one genre for another, the best exchange first, as long as the sum grows."""
    looked_at = 0
    while True:
        inside = areas[chosen].sum(axis=0)
        # by giving up `chosen[i]` for j the sum changes by what j has with the others, less what
        # `chosen[i]` had
        gains = inside - areas[chosen] - inside[chosen][:, np.newaxis]
        gains[:, chosen] = -np.inf
        looked_at += gains.size
        given, taken = np.unravel_index(gains.argmax(), gains.shape)
        if gains[given, taken] <= _TINY * len(areas):
            return chosen, looked_at
        chosen = chosen.copy()
        chosen[given] = taken


def _first(areas: Floats, sets: Codes) -> int:
    """Return the place of the best set."""
    sums, worst = np.zeros(len(sets)), np.full(len(sets), np.inf)
    for one, other in combinations(range(sets.shape[1]), 2):
        values = areas[sets[:, one], sets[:, other]]
        sums += values
        worst = np.minimum(worst, values)
    return int(np.lexsort((np.arange(len(sets)), -worst, -sums.round(12)))[0])
