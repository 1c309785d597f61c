"""Leakage checks: features, or patterns of missing values, that give the label away. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Codes, Floats, Mask
from classifier.features.audio import numeric_column
from genrebase.counts import counted

SUSPICIOUS_ACCURACY: Final = 0.99
"""Accuracy from which a single feature counts as derived from the label."""
SUSPICIOUS_GAIN: Final = 0.1
"""Accuracy above the baseline from which missing values alone deserve a warning."""
_QUANTILES: Final = 1024

NEAR: Final = 0.25
"""A track this much nearer to a training track than the training tracks around are to it is a
near duplicate. In a smooth distribution of ten dimensions the quotient is about 0.7, in one of
four 0.4: with few dimensions it has to be smaller."""
CHANCE: Final = 0.005
"""The share of near duplicates that a smooth distribution may have by chance."""
SUSPICIOUS_SHARE: Final = 0.05
"""The share of near duplicates among held-out tracks that deserves a warning."""
_NEIGHBOURS: Final = 50
_MAX_HELD_OUT: Final = 1_000
_MAX_TRAIN: Final = 50_000
_MIN_COLUMNS: Final = 4
"""In fewer columns, tracks are near one another by chance."""


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


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Held-out tracks that nearly equal a training track in all features."""

    count: int
    checked: int
    """Held-out tracks that were compared: a sample of those without a missing value."""
    same_genre: float
    """The share of the near duplicates whose training track has the same genre."""
    by_chance: float = 0.0
    """The share that is found when the values of each feature are exchanged between tracks."""


def near_duplicates(
    frame: pd.DataFrame, codes: Codes, train: Mask, held_out: Mask, features: Sequence[str]
) -> NearDuplicates | None:
    """Compare held-out tracks with the training tracks; `codes` are the genres.

    Pieces of one recording are much nearer to one another than tracks that merely resemble each
    other: the distance to the nearest training track is compared with that to the 50th (with few
    tracks, the tenth part of them). How near is near depends on the dimension of the features,
    which the distances show. Distances are Euclidean on standardised features, those that most
    training tracks have. None with too few tracks or features.
    """
    values = _standardised(frame, train, features)
    random = np.random.default_rng(0)  # a sample that is the same in each run
    complete = np.isfinite(values).all(axis=1)
    train_rows = _sample(random, np.flatnonzero(train & complete), _MAX_TRAIN)
    held_rows = _sample(random, np.flatnonzero(held_out & complete), _MAX_HELD_OUT)
    far = min(_NEIGHBOURS, len(train_rows) // 10)
    if values.shape[1] < _MIN_COLUMNS or far < 2 or len(held_rows) == 0:
        return None
    near, neighbours = _near(values[train_rows], values[held_rows], far)
    same = codes[train_rows[neighbours[near]]] == codes[held_rows[near]]
    by_chance, _ = _near(
        random.permuted(values[train_rows], axis=0),
        random.permuted(values[held_rows], axis=0),
        far,
    )
    return NearDuplicates(
        count=int(near.sum()),
        checked=len(held_rows),
        same_genre=float(same.mean()) if len(same) else 0.0,
        by_chance=float(by_chance.mean()),
    )


def _near(train: Floats, held_out: Floats, far: int) -> tuple[Mask, Codes]:
    """Return which held-out rows have a near duplicate, and each one's nearest training row.

    Within the distance to the `far`-th training row, the number of rows grows with a power of the
    distance: the dimension. By it, a nearest row closer than `near` is a chance of `CHANCE`.
    """
    from sklearn.neighbors import NearestNeighbors  # slow to import, and used only here

    distances, neighbours = NearestNeighbors(n_neighbors=far).fit(train).kneighbors(held_out)
    half, whole = distances[:, (far - 1) // 2], distances[:, -1]
    spread = (half > 0) & (whole > half)
    growth = float(np.median(np.log(whole[spread] / half[spread]))) if spread.any() else 0.0
    near = NEAR
    if growth > 0:
        dimension = min(np.log(far / ((far - 1) // 2 + 1)) / growth, train.shape[1])
        near = min(NEAR, (CHANCE / far) ** (1 / dimension))
    return distances[:, 0] < near * whole, neighbours[:, 0]


def near_duplicate_warnings(duplicates: NearDuplicates | None) -> list[str]:
    """Return a sentence where many held-out tracks nearly equal a training track."""
    if duplicates is None:
        return []
    share = duplicates.count / duplicates.checked
    if share - duplicates.by_chance < SUSPICIOUS_SHARE:
        return []
    sentence = (
        f"{share:.1%} of {counted(duplicates.checked, 'held-out track')} are near duplicates of a "
        f"training track ({duplicates.same_genre:.0%} of these of the same genre): they may be "
        "pieces of one recording, or one recording under several names, and the accuracy counts "
        "what the model remembers. Name pieces RECORDING.0, RECORDING.1, … and import the table "
        "into a new database: then a recording has one side."
    )
    return [sentence]


def _standardised(frame: pd.DataFrame, train: Mask, features: Sequence[str]) -> Floats:
    """Return the features that vary and most training tracks have: mean 0 and deviation 1."""
    columns = []
    for name in features:
        values = numeric_column(frame, name)
        present = values[train & np.isfinite(values)]
        deviation = float(present.std()) if len(present) else 0.0
        if deviation > 0 and 2 * len(present) > train.sum():
            columns.append((values - present.mean()) / deviation)
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def _sample(random: np.random.Generator, rows: Codes, size: int) -> Codes:
    return rows if len(rows) <= size else np.sort(random.choice(rows, size, replace=False))


def _cell_counts(cells: Codes, codes: Codes, train: Mask) -> NDArray[np.intp]:
    genres = int(codes.max()) + 1
    flat = cells[train] * genres + codes[train]
    return np.bincount(flat, minlength=(int(cells.max()) + 1) * genres).reshape(-1, genres)
