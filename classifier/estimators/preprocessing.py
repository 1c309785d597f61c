"""Preprocessing: outliers, imputation, scaling, oversampling (SMOTE), class weights, PCA.

Everything is fitted to the training rows, in this order:

1. outliers are left out (`outliers`);
2. missing values are imputed by the median, and flags mark which were missing;
3. numbers are scaled; flags and categories are not;
4. rare genres are oversampled with synthetic tracks (SMOTE-NC: numbers are interpolated between
   two real tracks of the genre, categories and flags are the commonest among its neighbours), or
   weighted (class imbalance);
5. each category gets a 0/1 column, where the model does not take categories;
6. all columns are projected onto principal components.

Later rows go through 2, 3, 5 and 6 alone.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from classifier.arrays import Floats, Mask
from classifier.errors import BadTrainingConfig
from classifier.estimators import class_balance
from classifier.estimators.outliers import (
    MIN_TRACKS_FOR_OUTLIERS,
    dbscan_noise,
    dbscan_noise_per_genre,
)
from classifier.features import imputation
from classifier.features.audio import Matrix, NumericFeatures
from classifier.ports import Labels
from classifier.training_config import Preprocessing


@dataclass(eq=False, repr=False)
class Preprocessor(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into the matrices a model takes, with the chosen preprocessing.

    `numbers` gives floats with missing values, categories as codes at the positions
    `categorical`; `impute` fills missing values; `one_hot` encodes categories.
    """

    numbers: NumericFeatures
    _: KW_ONLY
    impute: bool = False
    one_hot: bool = True
    scaling: str = "none"
    components: float | None = None
    outliers: str | None = None
    balance: str | None = None
    seed: int = 0

    def with_preprocessing(self, preprocessing: Preprocessing) -> "Preprocessor":
        """Return the same, unfitted, with these options."""
        fresh: Preprocessor = clone(self)
        fresh.set_params(**preprocessing.as_json())
        if fresh.components is not None:
            fresh.one_hot = True  # a category code has no direction
        uses_distances = fresh.components is not None or fresh.balance == "smote"
        if uses_distances and preprocessing.scaling is None and fresh.scaling == "none":
            fresh.scaling = "standard"  # otherwise milliseconds outweigh everything
        return fresh

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Fit everything that `transform` needs."""
        self.fit_resample(X, y)
        return self

    def fit_resample(
        self, X: pd.DataFrame, y: Labels, weights: Floats | None = None
    ) -> tuple[Matrix, Labels, Floats | None]:
        """Return matrix and labels to train on, and sample weights (None: all the same).

        Rows may be fewer than those of `X` (outliers) or more (synthetic tracks at the end, only
        where all weigh the same).
        """
        kept = ~self._outliers(X, y)
        X, y = X[kept], y[kept]
        weights = None if weights is None else weights[kept]
        self.numbers_ = clone(self.numbers).fit(X)
        raw = self.numbers_.transform(X)
        self._fit_imputation_and_scaling(raw)
        matrix = self._scaled(raw)
        if self.balance == "smote":
            matrix, y = class_balance.oversample(
                matrix, y, categorical=list(self.numbers_.categorical), seed=self.seed
            )
        if self.balance == "weights":
            weights = class_balance.balanced_weights(y, weights)
        matrix = self._encoded(matrix)
        self.projection_ = self._projection(matrix)
        return self._projected(matrix), y, weights

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of numbers per row of `X`."""
        check_is_fitted(self)
        return self._projected(self._encoded(self._scaled(self.numbers_.transform(X))))

    @property
    def _imputes(self) -> bool:
        return self.impute or self.components is not None or self.balance == "smote"

    def _fit_imputation_and_scaling(self, raw: Matrix) -> None:
        categorical = list(self.numbers_.categorical)
        self.quantities_ = np.setdiff1d(np.arange(raw.shape[1]), categorical)
        quantities = raw[:, self.quantities_]
        missing = np.isnan(quantities)
        self.medians_ = imputation.column_medians(quantities)
        # columns that are always missing together, as all audio features are, share a flag
        _, first = np.unique(missing, axis=1, return_index=True)
        self.flags_ = np.sort(first[missing[:, first].any(axis=0)])
        scalers = {"standard": StandardScaler(), "minmax": MinMaxScaler(), "none": None}
        self.scaler_ = scalers[self.scaling]
        if self.scaler_ is not None:
            self.scaler_.fit(self._imputed(quantities))

    def _imputed(self, quantities: Matrix) -> Matrix:
        return imputation.impute(quantities, self.medians_) if self._imputes else quantities

    def _scaled(self, raw: Matrix) -> Matrix:
        """Return numbers and codes at their positions, then the flags."""
        quantities = raw[:, self.quantities_]
        matrix = raw.copy()
        values = self._imputed(quantities)
        scaled = values if self.scaler_ is None else self.scaler_.transform(values)
        matrix[:, self.quantities_] = scaled
        if not self._imputes:
            return matrix
        flags = np.isnan(quantities[:, self.flags_]).astype(np.float32)
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
        limit = min(matrix.shape)
        if self.components > limit:
            raise BadTrainingConfig(
                f"{self.components} components were requested, and there are at most {limit}: "
                "request fewer, or a share of the variance as in --pca 0.95."
            )
        return PCA(self.components, svd_solver="full").fit(matrix)

    def _projected(self, matrix: Matrix) -> Matrix:
        if self.projection_ is None:
            return matrix
        return np.asarray(self.projection_.transform(matrix), dtype=np.float32)

    def _outliers(self, frame: pd.DataFrame, labels: Labels) -> Mask:
        none = np.zeros(len(frame), dtype=bool)
        if self.outliers is None or len(frame) < MIN_TRACKS_FOR_OUTLIERS:
            return none
        plain = Preprocessor(self.numbers, impute=True, scaling="standard").fit(frame, labels)
        matrix = plain._scaled(plain.numbers_.transform(frame))[:, plain.quantities_]  # noqa: SLF001 - its own class
        points = matrix[:, ~class_balance.binary_columns(matrix)].astype(np.float64)
        if points.shape[1] == 0:
            return none
        if self.outliers == "genre":
            return dbscan_noise_per_genre(points, labels)
        return dbscan_noise(points)
