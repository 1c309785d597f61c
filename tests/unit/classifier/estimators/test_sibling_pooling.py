"""Pooling a track with its siblings."""

import numpy as np

from classifier.estimators import sibling_pooling
from classifier.estimators.sibling_pooling import SiblingPool

SHARES = np.array([0.5, 0.3, 0.2])
RNG = np.random.default_rng(3)


def noisy(truth: np.ndarray, strength: float) -> np.ndarray:
    """Return probabilities that favour the truth by some nats."""
    scores = RNG.normal(size=(len(truth), 3)) + strength * np.eye(3)[truth]
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def test_a_track_without_siblings_keeps_its_probabilities() -> None:
    """Whatever the weights."""
    pool = SiblingPool(np.log(SHARES).astype(np.float32), np.full((3, 3), 7.0))
    own = noisy(np.zeros(4, dtype=int), 1.0)
    counts, sums = np.zeros(4, dtype=np.int64), np.zeros((4, 3), dtype=np.float32)
    assert np.array_equal(pool.predict_proba(own, sums, counts), own)


def test_siblings_without_evidence_change_nothing_before_weights_are_fitted() -> None:
    """Their probabilities are the genre shares: their log-ratios are 0."""
    pool = sibling_pooling.unfitted(SHARES)
    own = noisy(np.zeros(4, dtype=int), 1.0)
    sums = 5 * pool.log_ratios(np.tile(SHARES, (4, 1)))
    pooled = pool.predict_proba(own, sums, np.full(4, 5))
    assert np.allclose(pooled, own, atol=1e-6)


def test_weights_are_fitted_by_number_of_siblings() -> None:
    """Many siblings of the same genre are worth more than the track; random ones nothing."""
    truth = RNG.integers(0, 3, 3000)
    start = sibling_pooling.unfitted(SHARES)
    own, counts = noisy(truth, 0.7), np.where(np.arange(3000) < 1500, 1, 20)
    informative = np.where(counts == 20, truth, RNG.integers(0, 3, 3000))
    sums = counts[:, np.newaxis] * start.log_ratios(noisy(informative, 2.0))
    pool = start.fit(own, sums, counts, truth)
    _, few, many = 0, pool.weights[0], pool.weights[2]
    assert few[2] < 0.1 < many[2]
    assert np.array_equal(pool.weights[1], start.weights[1])  # no track has 3 to 9 siblings
    right = pool.predict_proba(own, sums, counts).argmax(axis=1) == truth
    alone = own.argmax(axis=1) == truth
    assert right[counts == 20].mean() > alone[counts == 20].mean() + 0.1
    assert right[counts == 1].mean() > alone[counts == 1].mean() - 0.03


def test_stored_weights_give_the_same_probabilities() -> None:
    """JSON keeps every digit."""
    truth = RNG.integers(0, 3, 200)
    start = sibling_pooling.unfitted(SHARES)
    own, counts = noisy(truth, 0.7), RNG.integers(1, 15, 200)
    sums = counts[:, np.newaxis] * start.log_ratios(noisy(truth, 1.0))
    pool = start.fit(own, sums, counts, truth)
    again = SiblingPool.from_json(pool.as_json())
    assert np.array_equal(
        again.predict_proba(own, sums, counts), pool.predict_proba(own, sums, counts)
    )
