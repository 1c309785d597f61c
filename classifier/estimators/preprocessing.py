"""From frames to what a model takes: filled, scaled, balanced, projected, as was chosen.

Everything here is learned from what `fit_resample` is given, in this order:

1. tracks that lie alone are left out (`outliers`);
2. what is unknown gets the median, and flags say which values were unknown;
3. numbers are scaled; flags and categories are not;
4. rare genres are filled up with invented tracks (SMOTE-NC: numbers lie between two real tracks
   of the genre, categories and flags are the commonest among its neighbours), or weighed;
5. each category gets a 0/1 column, where the model does not take categories;
6. all columns are projected onto principal components.

What is transformed later goes through 2, 3, 5 and 6 alone.
"""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTENC
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from classifier.errors import BadTrainingConfig
from classifier.estimators import outliers
from classifier.features.audio import Matrix, NumericFeatures
from classifier.ports import Labels
from classifier.training_config import Preprocessing

_NEIGHBOURS: Final = 5
"""Tracks of its genre that SMOTE looks at around a track (Chawla et al., 2002)."""
_SWITCH: Final = 2
"""A column of so many different values is a switch: nothing lies between them."""
_UNKNOWN: Final = -1.0
"""An unknown category, while SMOTE-NC counts it as one."""


class Preprocessor(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into matrices as a model wants them, and as was chosen.

    `numbers` gives floats with gaps, categories as codes at the places `categorical`;
    `complete` fills the gaps; `one_hot` gives each category a column of its own.
    """

    def __init__(
        self,
        numbers: NumericFeatures,
        *,
        complete: bool = False,
        one_hot: bool = True,
        scaling: str = "none",
        components: float | None = None,
        outliers: str | None = None,
        balance: str | None = None,
        seed: int = 0,
    ) -> None:
        self.numbers = numbers
        self.complete = complete
        self.one_hot = one_hot
        self.scaling = scaling
        self.components = components
        self.outliers = outliers
        self.balance = balance
        self.seed = seed

    def with_preprocessing(self, preparation: Preprocessing) -> "Preprocessor":
        """Return the same, unfitted, with what was chosen."""
        fresh: Preprocessor = clone(self)
        fresh.set_params(**preparation.as_json())
        if fresh.components is not None:
            fresh.one_hot = True  # a code is no direction
        by_distance = fresh.components is not None or fresh.balance == "smote"
        if by_distance and preparation.scaling is None and fresh.scaling == "none":
            fresh.scaling = "standard"  # else milliseconds drown everything
        return fresh

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Learn everything that `transform` needs."""
        self.fit_resample(X, y)
        return self

    def fit_resample(
        self,
        X: pd.DataFrame,
        y: Labels,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[Matrix, Labels, NDArray[np.float64] | None]:
        """Return matrix and labels to learn from, and what each row weighs (None: the same).

        Rows may be fewer than those of `X` (outliers) or more (invented tracks at the end, only
        where all weigh the same).
        """
        kept = ~self._alone(X, y)
        X, y = X[kept], y[kept]
        weights = None if weights is None else weights[kept]
        self.numbers_ = clone(self.numbers).fit(X)
        raw = self.numbers_.transform(X)
        self._fit_filling(raw)
        matrix = self._scaled(raw)
        if self.balance == "smote":
            matrix, y = self._filled_up(matrix, y)
        if self.balance == "weights":
            weights = _balanced(y, weights)
        matrix = self._encoded(matrix)
        self.projection_ = self._projection(matrix)
        return self._projected(matrix), y, weights

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of numbers per row of `X`."""
        check_is_fitted(self)
        return self._projected(self._encoded(self._scaled(self.numbers_.transform(X))))

    @property
    def _fills(self) -> bool:
        return self.complete or self.components is not None or self.balance == "smote"

    def _fit_filling(self, raw: Matrix) -> None:
        categorical = list(self.numbers_.categorical)
        self.plain_ = np.setdiff1d(np.arange(raw.shape[1]), categorical)
        unknown = np.isnan(raw[:, self.plain_])
        self.medians_ = np.nanmedian(raw[:, self.plain_], axis=0)
        # values that are always unknown together, as all of the sound is, share a flag
        _, first = np.unique(unknown, axis=1, return_index=True)
        self.flags_ = np.sort(first[unknown[:, first].any(axis=0)])
        scalers = {"standard": StandardScaler(), "minmax": MinMaxScaler(), "none": None}
        self.scaler_ = scalers[self.scaling]
        if self.scaler_ is not None:
            self.scaler_.fit(self._filled(raw[:, self.plain_]))

    def _filled(self, plain: Matrix) -> Matrix:
        if not self._fills:
            return plain
        return np.where(np.isnan(plain), self.medians_, plain).astype(np.float32)

    def _scaled(self, raw: Matrix) -> Matrix:
        """Return numbers and codes at their places, then the flags."""
        plain = raw[:, self.plain_]
        matrix = raw.copy()
        filled = self._filled(plain)
        matrix[:, self.plain_] = filled if self.scaler_ is None else self.scaler_.transform(filled)
        if not self._fills:
            return matrix
        flags = np.isnan(plain[:, self.flags_]).astype(np.float32)
        return np.hstack([matrix, flags])

    def _encoded(self, matrix: Matrix) -> Matrix:
        if not self.one_hot:
            return matrix
        places = list(self.numbers_.categorical)
        columns = [np.delete(matrix, places, axis=1)]
        for place, values in zip(places, self.numbers_.categories_.values(), strict=True):
            columns.append(matrix[:, [place]] == np.arange(len(values)))
        return np.hstack(columns).astype(np.float32)

    def _projection(self, matrix: Matrix) -> Any:
        if self.components is None:
            return None
        most = min(matrix.shape)
        if self.components > most:
            raise BadTrainingConfig(
                f"{self.components} components were asked for, and there are {most} at most: "
                "ask for fewer, or for a share as in --pca 0.95."
            )
        return PCA(self.components, svd_solver="full").fit(matrix)

    def _projected(self, matrix: Matrix) -> Matrix:
        if self.projection_ is None:
            return matrix
        return np.asarray(self.projection_.transform(matrix), dtype=np.float32)

    def _alone(self, frame: pd.DataFrame, labels: Labels) -> NDArray[np.bool_]:
        if self.outliers is None or len(frame) < outliers.MIN_TRACKS:
            return np.zeros(len(frame), dtype=bool)
        points = Preprocessor(self.numbers, complete=True, scaling="standard")
        points.fit_resample(frame, labels)
        plain = points._scaled(points.numbers_.transform(frame))[:, points.plain_]
        matrix = plain[:, ~_switches(plain)].astype(np.float64)
        if matrix.shape[1] == 0:
            return np.zeros(len(frame), dtype=bool)
        if self.outliers == "genre":
            return outliers.dbscan_noise_per_genre(matrix, labels)
        return outliers.dbscan_noise(matrix)

    def _filled_up(self, matrix: Matrix, labels: Labels) -> tuple[Matrix, Labels]:
        """Return every genre with as many tracks as the greatest; those of one track stay so."""
        genres, counts = np.unique(labels, return_counts=True)
        most = int(counts.max())
        few = counts[(counts > 1) & (counts < most)]
        if len(few) == 0:
            return matrix, labels
        switches = _switches(matrix)
        switches[list(self.numbers_.categorical)] = True
        if switches.all():
            raise BadTrainingConfig(
                "SMOTE needs a number to go between two tracks: there are none here."
            )
        how = {
            "sampling_strategy": {
                genre: most for genre, count in zip(genres, counts, strict=True) if count > 1
            },
            "k_neighbors": min(_NEIGHBOURS, int(few.min()) - 1),
            "random_state": self.seed,
        }
        sampler = (
            SMOTENC(np.flatnonzero(switches).tolist(), **how) if switches.any() else SMOTE(**how)
        )
        more, found = sampler.fit_resample(
            np.where(np.isnan(matrix), np.float32(_UNKNOWN), matrix), labels
        )
        codes = list(self.numbers_.categorical)
        more[:, codes] = np.where(more[:, codes] == _UNKNOWN, np.nan, more[:, codes])
        return more, np.asarray(found)


def _balanced(labels: Labels, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return weights by which the genres count the same, all rows together as many as they are."""
    own = np.ones(len(labels)) if weights is None else weights
    genres, codes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(codes, weights=own)
    return np.asarray(own * own.sum() / (len(genres) * sizes[codes]))


def _switches(matrix: Matrix) -> NDArray[np.bool_]:
    """Tell which columns have no more than two values."""
    return np.array([len(np.unique(column)) <= _SWITCH for column in matrix.T], dtype=bool)
