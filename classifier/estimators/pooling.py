"""Log-linear pooling: how much each voice counts, learned where nobody else has learned. Pure."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Weights = NDArray[np.float64]

PRIOR_STRENGTH: Final = 2.0
"""How many tracks' worth of log-loss one unit between a weight and its anchor costs, squared."""
_STEPS: Final = 200


def log_linear_pool(scores: NDArray[np.float32], weights: Weights) -> NDArray[np.float64]:
    """Return probabilities (tracks, genres) from scores (voices, tracks, genres)."""
    sums = np.tensordot(weights.astype(np.float32), scores, axes=1).astype(np.float64)
    shares = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def fit_weights(scores: NDArray[np.float32], truth: NDArray[np.intp], anchor: Weights) -> Weights:
    """Return weights, none below 0, that make the truth likeliest.

    Their sum is not fixed, so they calibrate as well: it is the inverse of a temperature. Few
    tracks leave them near `anchor`, none at the anchor. `truth` are columns of the scores.
    """
    if len(truth) == 0:
        return anchor
    rows = np.arange(len(truth))
    told = scores[:, rows, truth].mean(axis=1, dtype=np.float64)
    hold = PRIOR_STRENGTH / len(truth)

    def loss(weights: Weights) -> tuple[float, Weights]:
        sums = np.tensordot(weights.astype(np.float32), scores, axes=1)
        highest = sums.max(axis=1, keepdims=True)
        shares = np.exp(sums - highest)
        totals = shares.sum(axis=1, keepdims=True)
        shares /= totals
        off = weights - anchor
        value = float((np.log(totals) + highest).mean(dtype=np.float64) - weights @ told)
        slope = np.einsum("vtg,tg->v", scores, shares, dtype=np.float64) / len(truth) - told
        return value + hold * float(off @ off), slope + 2 * hold * off

    found: Any = minimize(
        loss,
        anchor,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(anchor),
        options={"maxiter": _STEPS},
    )
    return np.asarray(found.x)
