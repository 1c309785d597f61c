"""Leakage checks: features, or patterns of missing values, that give the label away. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.features.audio import numeric_column

Mask = NDArray[np.bool_]
Codes = NDArray[np.intp]

SUSPICIOUS_ACCURACY: Final = 0.99
"""A single feature with this accuracy was derived from the label."""
SUSPICIOUS_GAIN: Final = 0.1
"""Accuracy above the baseline from which missing values alone deserve a warning."""
_QUANTILES: Final = 1024


def single_feature_accuracy(
    frame: pd.DataFrame, codes: Codes, train: Mask, validation: Mask, features: Sequence[str]
) -> dict[str, float]:
    """Return the validation accuracy of each feature alone; `codes` are the genres.

    Predicted is the majority class of the training rows in the same quantile.
    """
    if not train.any() or not validation.any():
        return {}
    accuracies = {}
    for name in features:
        values = numeric_column(frame, name)
        finite = values[train & np.isfinite(values)]
        if len(finite) == 0:
            accuracies[name] = 0.0
            continue
        edges = np.unique(finite)
        if len(edges) > _QUANTILES:
            edges = np.unique(np.quantile(finite, np.linspace(0, 1, _QUANTILES)))
        cells = np.searchsorted(edges, values, side="right")
        cells[np.isnan(values)] = len(edges) + 1  # NaN sorts with the greatest
        predicted = _cell_counts(cells, codes, train).argmax(axis=1)
        accuracies[name] = float((predicted[cells[validation]] == codes[validation]).mean())
    return accuracies


def leak_warnings(accuracies: dict[str, float]) -> list[str]:
    """Return a sentence per feature that is too accurate."""
    return [
        f"The feature {name!r} alone predicts the genre of {accuracy:.1%} of the validation "
        "tracks: it was probably derived from the label."
        for name, accuracy in accuracies.items()
        if accuracy >= SUSPICIOUS_ACCURACY
    ]


@dataclass(frozen=True, slots=True)
class MissingnessAccuracy:
    """Accuracy of predictions from which values are missing, and nothing else."""

    accuracy: float
    baseline: float
    """Of always predicting the majority class of the training rows."""


def missingness_accuracy(
    frame: pd.DataFrame, codes: Codes, train: Mask, validation: Mask, features: Sequence[str]
) -> MissingnessAccuracy | None:
    """Return the validation accuracy of the missing values alone; `codes` are the genres.

    Predicted is the majority class of the training rows with the same values missing. None
    without training or validation rows.
    """
    if not train.any() or not validation.any() or not features:
        return None
    missing = np.column_stack([np.isnan(numeric_column(frame, name)) for name in features])
    _, cells = np.unique(missing, axis=0, return_inverse=True)
    counts = _cell_counts(cells, codes, train)
    majority = counts.sum(axis=0).argmax()
    predicted = np.where(counts.any(axis=1), counts.argmax(axis=1), majority)[cells]
    return MissingnessAccuracy(
        accuracy=float((predicted == codes)[validation].mean()),
        baseline=float((codes[validation] == majority).mean()),
    )


def missingness_warnings(missingness: MissingnessAccuracy | None) -> list[str]:
    """Return a sentence where missing values predict much better than the baseline."""
    if missingness is None or missingness.accuracy - missingness.baseline < SUSPICIOUS_GAIN:
        return []
    sentence = (
        f"Missing values alone predict the genre of {missingness.accuracy:.1%} of the validation "
        f"tracks (majority class: {missingness.baseline:.1%}): a model may learn how tracks were "
        "fetched instead of what they sound like. Fetch missing features with `collector enrich`."
    )
    return [sentence]


def _cell_counts(cells: Codes, codes: Codes, train: Mask) -> NDArray[np.intp]:
    genres = int(codes.max()) + 1
    flat = cells[train] * genres + codes[train]
    return np.bincount(flat, minlength=(int(cells.max()) + 1) * genres).reshape(-1, genres)
