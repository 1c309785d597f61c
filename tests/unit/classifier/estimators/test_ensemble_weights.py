"""Log-linear pooling: weights fitted on held-out tracks."""

import numpy as np
import pytest

from classifier.estimators import ensemble_weights

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 3, 600)
GOOD = (3.0 * np.eye(3)[TRUTH] + RANDOM.normal(0, 1.5, (600, 3))).astype(np.float32)
NOISE = RANDOM.normal(0, 3, (600, 3)).astype(np.float32)
SILENT = np.zeros((600, 3), dtype=np.float32)
ANCHOR = np.array([0.5, 0.5])


def test_noise_gets_no_weight() -> None:
    """Its prior weight does not matter; an informative score gets more weight."""
    good, noise = ensemble_weights.fit_weights(np.stack([GOOD, NOISE]), TRUTH, ANCHOR)
    assert noise < 0.05
    assert good > 0.5


def test_noise_costs_no_accuracy() -> None:
    """Pooled with noise, the informative score is as accurate as by itself."""
    scores = np.stack([GOOD, NOISE])
    shares = ensemble_weights.log_linear_pool(
        scores, ensemble_weights.fit_weights(scores, TRUTH, ANCHOR)
    )
    alone = (GOOD.argmax(axis=1) == TRUTH).mean()
    assert (shares.argmax(axis=1) == TRUTH).mean() >= alone - 0.01


def test_the_sum_of_the_weights_calibrates() -> None:
    """A score that is three times too large gets a third of the weight."""
    modest = ensemble_weights.fit_weights(GOOD[np.newaxis], TRUTH, np.array([1.0]))
    loud = ensemble_weights.fit_weights(3 * GOOD[np.newaxis], TRUTH, np.array([1.0]))
    assert loud[0] == pytest.approx(modest[0] / 3, rel=0.03)


def test_a_score_of_zeros_keeps_its_prior_weight() -> None:
    """The data do not change its weight."""
    weights = ensemble_weights.fit_weights(np.stack([GOOD, SILENT]), TRUTH, ANCHOR)
    assert weights[1] == pytest.approx(0.5, abs=1e-6)


def test_without_tracks_the_prior_weights_are_returned() -> None:
    """No validation side, no other weights."""
    nobody = np.zeros((2, 0, 3), dtype=np.float32)
    assert ensemble_weights.fit_weights(nobody, np.zeros(0, dtype=np.intp), ANCHOR) is ANCHOR


def test_few_tracks_move_the_weights_little() -> None:
    """Three tracks count less than six hundred."""
    scores = np.stack([GOOD, NOISE / 10])
    few = ensemble_weights.fit_weights(scores[:, :3], TRUTH[:3], ANCHOR)
    many = ensemble_weights.fit_weights(scores, TRUTH, ANCHOR)
    assert abs(few[1] - 0.5) < abs(many[1] - 0.5)


def test_the_pool_is_never_worse_than_its_best_member() -> None:
    """On the tracks that the weights are fitted on: one member alone is a pool, too."""
    random = np.random.default_rng(6)
    truth = random.integers(0, 4, 2000)
    right = np.eye(4, dtype=np.float32)[truth]
    scores = np.stack(
        [
            strength * right + random.normal(size=right.shape).astype(np.float32)
            for strength in (0.0, 0.5, 3.0)
        ]
    ).astype(np.float32)

    def loss(rows: list[int]) -> float:
        weights = ensemble_weights.fit_weights(scores[rows], truth, np.full(len(rows), 0.3))
        shares = ensemble_weights.log_linear_pool(scores[rows], weights)
        return float(-np.log(shares[np.arange(len(truth)), truth]).mean())

    assert loss([0, 1, 2]) < min(loss([0]), loss([1]), loss([2])) + 1e-3


def test_rounding_errors_do_not_move_the_weights() -> None:
    """Even of scores that are nearly the same as one another, which make the optimum flat."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 10, 600)
    signal = 2 * np.eye(10)[truth] + random.normal(size=(600, 10))
    scores = (signal + 0.1 * random.normal(size=(12, 600, 10))).astype(np.float32)
    noise = random.choice([-1, 1], scores.shape) * np.float32(1e-7)
    weights = [
        ensemble_weights.fit_weights(one, truth, np.full(12, 0.3))
        for one in (scores, scores * (1 + noise))
    ]
    assert weights[0] == pytest.approx(weights[1], abs=1e-5)
