"""The rank statistics count pairs."""

import numpy as np
import pytest

from classifier.evaluation.rank_statistics import auc, cliffs_delta, mann_whitney_u


def test_they_agree_with_counting_every_pair() -> None:
    """Ties count one half for U, and nothing for Cliff's delta."""
    random = np.random.default_rng(0)
    ours, others = random.integers(6, size=40) / 5.0, random.integers(6, size=30) / 5.0
    signs = np.sign(ours[:, np.newaxis] - others)
    assert mann_whitney_u(ours, others) == (signs > 0).sum() + (signs == 0).sum() / 2
    assert auc(ours, others) == pytest.approx((signs.mean() + 1) / 2)
    assert cliffs_delta(ours, others) == pytest.approx(signs.mean())


def test_the_bounds_are_reached() -> None:
    """Equal samples are at chance; separate ones at the maximum."""
    values = np.arange(5.0)
    assert (auc(values, values), cliffs_delta(values, values)) == (0.5, 0)
    assert (auc(values + 9, values), cliffs_delta(values + 9, values)) == (1, 1)
