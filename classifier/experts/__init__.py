"""The experts: base models of the `blend` ensemble, one file each.

Each turns one part of a track (numbers, text, artist history) into scores per genre, which
`estimators.ensemble_weights` weighs.
"""

from typing import Any, Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.ports import Labels

Scores = NDArray[np.float32]
"""(scores, tracks, genres): log-probabilities, or log-ratios of a genre's probability to its
share among all tracks (0: no evidence)."""

MIN_PROBABILITY: Final = 1e-7
"""Lower bound of probabilities before the logarithm: no genre is impossible."""


class Expert(Protocol):
    """A base model over frames with the views' columns; absent columns are unknown."""

    name: str
    """What reports call it; stored with findings, so it does not change."""
    score_names: tuple[str, ...]

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Fit to the rows of `X` and their genres."""

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return (scores, rows, genres), genres sorted by name."""

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...


def log_probabilities(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """Return the logarithms, none of them below that of `MIN_PROBABILITY`."""
    return np.asarray(np.log(np.maximum(probabilities, MIN_PROBABILITY)), dtype=np.float32)
