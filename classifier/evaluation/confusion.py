"""The confusion matrix of each regime. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.metrics import LabelledPredictions
from classifier.evaluation.report import METRIC_REGIMES
from classifier.model_records import ConfusionCell


def confusion_cells(
    predictions: LabelledPredictions, regimes: NDArray[np.str_], classes: Sequence[str]
) -> Iterator[ConfusionCell]:
    """Yield the confusion matrix of each regime, without its empty cells."""
    size = predictions.n_genres
    for regime in METRIC_REGIMES[:-1]:
        chosen = predictions.select(regimes == regime)
        in_model = chosen.truth < size
        cells = chosen.truth[in_model] * size + chosen.predicted[in_model]
        counts = np.bincount(cells, minlength=size * size)
        for cell in np.flatnonzero(counts):
            genre, predicted = divmod(int(cell), size)
            yield ConfusionCell(regime, classes[genre], classes[predicted], int(counts[cell]))
