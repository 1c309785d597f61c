"""Rank statistics of two samples: Mann-Whitney U, the area under the ROC curve, Cliff's delta."""

import numpy as np
from scipy.stats import rankdata

from classifier.arrays import Floats


def mann_whitney_u(ours: Floats, others: Floats) -> float:
    """Return the number of pairs in which the one of `ours` is greater; a tie counts one half.

    From the ranks, of which ties share the mean (Mann & Whitney, 1947).
    """
    ranks = rankdata(np.concatenate([ours, others]))[: len(ours)]
    return float(ranks.sum() - len(ours) * (len(ours) + 1) / 2)


def auc(ours: Floats, others: Floats) -> float:
    """Return the probability, 0 to 1, that one of `ours` is greater; a tie is half of it."""
    return mann_whitney_u(ours, others) / (len(ours) * len(others))


def cliffs_delta(ours: Floats, others: Floats) -> float:
    """Return the probability that one of `ours` is greater, less that it is smaller: -1 to 1."""
    pairs = len(ours) * len(others)
    return (2 * mann_whitney_u(ours, others) - pairs) / pairs
