"""Pairwise AUC of genres, and the most separable subset of genres. Pure.

The tracks of a pair are ranked by the ratio of the two predicted probabilities. The area under the
ROC curve is the probability that a track of the one ranks above a track of the other (Hand & Till,
Machine Learning 45, 2001, who average two scores; the ratio is one). It does not depend on the
number of tracks of either. A subset of genres is scored by the mean of its pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final, Literal

import numpy as np

from classifier.arrays import Codes, Floats, Ids
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.rank_statistics import auc
from classifier.model_records import Interval

MAX_EXHAUSTIVE_SETS: Final = 200_000
"""Subsets up to which all are compared; above that the search is greedy."""
_TINY: Final = float(np.finfo(np.float64).eps)
Search = Literal["exhaustive", "greedy"]


@dataclass(frozen=True, slots=True)
class GenrePair:
    """The AUC of two genres."""

    genre: int
    other_genre: int
    auc: float
    """0.5: not separable; 1: perfectly separable."""
    n: int
    """Tracks of `genre`."""
    other_n: int


@dataclass(frozen=True, slots=True)
class GenreSubset:
    """The most separable subset of genres."""

    genres: tuple[int, ...]
    mean_auc: float
    worst_pair: GenrePair
    search: Search
    sets_compared: int


@dataclass(frozen=True, slots=True)
class SubsetAccuracy:
    """The accuracy of the model when it may predict only the genres of a subset."""

    accuracy: float
    """Mean recall of the genres."""
    interval: Interval | None
    baseline: float
    """Uniform random baseline: one by the number of genres."""
    n: int


def pairwise_auc(shares: Floats, truth: Codes) -> Iterator[GenrePair]:
    """Yield the AUC of each pair of genres with tracks; `truth` are the columns of the genres."""
    logs = np.log(np.clip(shares, _TINY, None))
    rows = [np.flatnonzero(truth == genre) for genre in range(shares.shape[1])]
    there = [genre for genre, own in enumerate(rows) if len(own)]
    for one, other in combinations(there, 2):
        ours, others = (
            logs[rows[genre], one] - logs[rows[genre], other] for genre in (one, other)
        )
        yield GenrePair(one, other, auc(ours, others), len(ours), len(others))


def best_subset(pairs: Sequence[GenrePair], size: int) -> GenreSubset:
    """Return the best subset of `size` genres; ties go to the one with the better worst pair.

    All subsets are compared if there are few. Otherwise one is grown greedily from each genre, and
    improved by swapping genres as long as the sum grows: usually optimal, but not proven.
    """
    genres = np.unique([(pair.genre, pair.other_genre) for pair in pairs])
    codes = {int(genre): code for code, genre in enumerate(genres)}
    matrix = np.zeros((len(genres), len(genres)))
    for pair in pairs:
        one, other = codes[pair.genre], codes[pair.other_genre]
        matrix[one, other] = matrix[other, one] = pair.auc
    if comb(len(genres), size) <= MAX_EXHAUSTIVE_SETS:
        sets = np.array(list(combinations(range(len(matrix)), size)), dtype=np.intp)
        chosen, compared = sets[_best_index(matrix, sets)], len(sets)
        search: Search = "exhaustive"
    else:
        chosen, compared = _greedy_search(matrix, size)
        search = "greedy"
    subset = tuple(sorted(int(genres[code]) for code in chosen))
    inside = [pair for pair in pairs if pair.genre in subset and pair.other_genre in subset]
    worst = min(inside, key=lambda pair: (pair.auc, pair.genre, pair.other_genre))
    mean = float(np.mean([pair.auc for pair in inside]))
    return GenreSubset(subset, mean, worst, search, compared)


def subset_accuracy(
    probabilities: Floats,
    truth: Codes,
    artists: Ids,
    genres: Sequence[int],
    *,
    seed: int,
) -> SubsetAccuracy | None:
    """Return the accuracy among `genres` only; None without tracks of them."""
    rows = np.isin(truth, genres)
    if not rows.any():
        return None
    codes = np.searchsorted(genres, truth[rows])
    hits = probabilities[rows][:, list(genres)].argmax(axis=1) == codes
    size = len(genres)
    counts = np.bincount(codes, minlength=size)
    correct = np.bincount(codes[hits], minlength=size)
    bootstrap = ArtistBootstrap(artists[rows], seed=seed)
    totals = bootstrap.counts(codes, size, np.ones(len(codes), dtype=bool))
    with np.errstate(invalid="ignore"):  # a resample may miss a genre: it is left out of the mean
        recalls = bootstrap.counts(codes, size, hits) / totals
    return SubsetAccuracy(
        accuracy=float((correct[counts > 0] / counts[counts > 0]).mean()),
        interval=bootstrap.interval(np.nanmean(recalls, axis=1)),
        baseline=1 / size,
        n=len(codes),
    )


def _greedy_search(matrix: Floats, size: int) -> tuple[Codes, int]:
    results, compared = [], 0
    for start in range(len(matrix)):
        chosen = np.array([start])
        while len(chosen) < size:
            gains = matrix[chosen].sum(axis=0)
            gains[chosen] = -1.0
            chosen = np.append(chosen, gains.argmax())
            compared += len(matrix) - len(chosen) + 1
        chosen, swaps = _swap_search(matrix, chosen)
        compared += swaps
        results.append(np.sort(chosen))
    sets = np.unique(np.array(results), axis=0)
    return sets[_best_index(matrix, sets)], compared


def _swap_search(matrix: Floats, chosen: Codes) -> tuple[Codes, int]:
    """Swap one genre for another, the best swap first, as long as the sum grows."""
    compared = 0
    while True:
        inside = matrix[chosen].sum(axis=0)
        # replacing `chosen[i]` by j changes the sum by the AUCs of j with the others, minus those
        # of `chosen[i]`
        gains = inside - matrix[chosen] - inside[chosen][:, np.newaxis]
        gains[:, chosen] = -np.inf
        compared += gains.size
        removed, added = np.unravel_index(gains.argmax(), gains.shape)
        if gains[removed, added] <= _TINY * len(matrix):
            return chosen, compared
        chosen = chosen.copy()
        chosen[removed] = added


def _best_index(matrix: Floats, sets: Codes) -> int:
    sums, worst = np.zeros(len(sets)), np.full(len(sets), np.inf)
    for one, other in combinations(range(sets.shape[1]), 2):
        values = matrix[sets[:, one], sets[:, other]]
        sums += values
        worst = np.minimum(worst, values)
    return int(np.lexsort((np.arange(len(sets)), -worst, -sums.round(12)))[0])
