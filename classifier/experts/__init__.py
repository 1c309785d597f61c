"""The experts: each looks at one side of a track and says what it thinks, one file each."""

from typing import Any, Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.ports import Labels

Scores = NDArray[np.float32]
"""(voices, tracks, genres): log-probabilities, or how much likelier something makes a genre (log
of a ratio; 0 says nothing)."""

MIN_PROBABILITY: Final = 1e-7
"""No genre is impossible: probabilities under this count as this."""


class Expert(Protocol):
    """Learns from frames with the views' columns; what is absent counts as unknown."""

    name: str
    """What reports call it; stored with findings, so it does not change."""
    score_names: tuple[str, ...]
    """What it has to say, by name."""

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Learn what tells the genres in `y` apart."""
        ...

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return a score per voice, row of `X` and genre (sorted by name)."""
        ...

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters."""
        ...


def log_probabilities(shares: NDArray[Any]) -> NDArray[np.float32]:
    """Return the logarithm of probabilities, none of them impossible."""
    return np.asarray(np.log(np.maximum(shares, MIN_PROBABILITY)), dtype=np.float32)
