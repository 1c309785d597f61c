"""Signs that a figure is too good to be true: a feature that is the label in disguise. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.features.audio import numeric_column

SUSPICIOUS_ACCURACY: Final = 0.99
"""One feature that names the genre this often was made from it."""
SUSPICIOUS_GAIN: Final = 0.1
"""Missing values that name the genre so much oftener than guessing does are worth a warning."""
_STEPS: Final = 1024
"""Quantiles that a feature is cut into."""


def single_feature_accuracy(
    frame: pd.DataFrame,
    codes: NDArray[np.intp],
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    features: Sequence[str],
) -> dict[str, float]:
    """Return per feature how often it alone names the genre of the `judge` rows.

    By the commonest genre of each quantile among the `learn` rows; `codes` are the genres.
    """
    if not train.any() or not validation.any():
        return {}
    return {
        name: _accuracy(numeric_column(frame, name), codes, train, validation) for name in features
    }


def leak_warnings(found: dict[str, float]) -> list[str]:
    """Return a sentence per feature that is too good to be true."""
    return [
        f"The feature {name!r} alone names the genre of {share:.1%} of the validation tracks: "
        "it was probably made from the label."
        for name, share in found.items()
        if share >= SUSPICIOUS_ACCURACY
    ]


@dataclass(frozen=True, slots=True)
class MissingnessAccuracy:
    """What can be told by which values are missing, and by nothing else."""

    accuracy: float
    baseline: float
    """Of always naming the genre that is commonest in training."""


def missingness_accuracy(
    frame: pd.DataFrame,
    codes: NDArray[np.intp],
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    features: Sequence[str],
) -> MissingnessAccuracy | None:
    """Return how often the missing values alone name the genre of the `judge` rows.

    By the commonest genre among the `learn` rows that miss the same values. None: nothing to
    judge by. `codes` are the genres.
    """
    if not train.any() or not validation.any() or not features:
        return None
    missing = np.column_stack([np.isnan(numeric_column(frame, name)) for name in features])
    _, places = np.unique(missing, axis=0, return_inverse=True)
    size = int(codes.max()) + 1
    counts = np.bincount(
        places[train] * size + codes[train], minlength=(int(places.max()) + 1) * size
    ).reshape(-1, size)
    common = counts.sum(axis=0).argmax()
    answers = np.where(counts.any(axis=1), counts.argmax(axis=1), common)[places]
    return MissingnessAccuracy(
        accuracy=float((answers == codes)[validation].mean()),
        baseline=float((codes[validation] == common).mean()),
    )


def missingness_warnings(found: MissingnessAccuracy | None) -> list[str]:
    """Return a sentence where missing values tell much more than guessing does."""
    if found is None or found.accuracy - found.baseline < SUSPICIOUS_GAIN:
        return []
    told = (
        f"Which values are missing is enough to name the genre of {found.accuracy:.1%} of the "
        f"validation tracks (guessing: {found.baseline:.1%}): a model may learn how tracks were "
        "fetched instead of how they sound. Fetch what is missing with `collector enrich`."
    )
    return [told]


def _accuracy(
    values: NDArray[np.float64],
    codes: NDArray[np.intp],
    learn: NDArray[np.bool_],
    judge: NDArray[np.bool_],
) -> float:
    known = values[learn & np.isfinite(values)]
    if len(known) == 0:
        return 0.0
    edges = np.unique(known)
    if len(edges) > _STEPS:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _STEPS)))
    places = np.searchsorted(edges, values, side="right")  # NaN comes last, with the greatest
    places[np.isnan(values)] = len(edges) + 1
    size = int(codes.max()) + 1
    counts = np.bincount(
        places[learn] * size + codes[learn], minlength=(len(edges) + 2) * size
    ).reshape(-1, size)
    return float((counts.argmax(axis=1)[places[judge]] == codes[judge]).mean())
