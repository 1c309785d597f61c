"""A scikit-learn classifier over matrices, made into one over frames with the views' columns."""

import warnings
from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from classifier.arrays import Floats
from classifier.config_options import did_you_mean
from classifier.errors import BadParameter, BadTrainingConfig
from classifier.estimators.preprocessing import Preprocessor
from classifier.estimators.temperature_scaling import TemperatureScaled
from classifier.features.audio import NumericFeatures
from classifier.ports import EstimatorFactory, Labels, Validation
from classifier.training_config import Preprocessing

_RESERVED: Final = (
    "n_jobs",
    "random_state",
    "verbose",
    "warm_start",
    "categorical_features",
    "groups",
)
"""Parameters that the trainer sets itself."""


class DataFrameClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """A pipeline: `features` turns frames into numbers, `model` is fitted to them.

    Everything in `features` (categories, scales, medians) is fitted to the same rows.
    """

    def __init__(self, features: Any, model: Any) -> None:
        self.features = features
        self.model = model

    @property
    def supports_sample_weight(self) -> bool:
        """Return whether the model's `fit` takes sample weights."""
        inner = getattr(self.model, "model", None)  # of a temperature-scaled one
        models = [self.model] if inner is None else [self.model, inner]
        return all(has_fit_parameter(model, "sample_weight") for model in models)

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        weights: Floats | None = None,
    ) -> Self:
        """Fit to rows of sample weights `weights`; stop early by `validation` where possible."""
        self.features_ = clone(self.features)
        self.model_ = clone(self.model)
        extra: dict[str, Any] = {}
        if isinstance(self.features_, Preprocessor):
            matrix, y, weights = self.features_.fit_resample(X, y, weights)
        else:
            matrix = self.features_.fit_transform(X)
        if weights is not None:
            extra["sample_weight"] = weights
        extra |= self._early_stopping_data(validation, set(y.tolist()))
        with warnings.catch_warnings():
            # A solver that used up its iterations is good enough to be evaluated.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model_.fit(matrix, y, **extra)
        if hasattr(self.model_, "n_jobs"):
            # Threads add up votes in any order; one predicts the same to the last digit.
            self.model_.n_jobs = 1
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities (rows, genres); every row sums to 1."""
        check_is_fitted(self)
        matrix = self.features_.transform(X)
        probabilities = np.asarray(self.model_.predict_proba(matrix), dtype=np.float64)
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))

    def predict(self, X: pd.DataFrame) -> Labels:
        """Return the most probable genre of each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def with_preprocessing(self, preprocessing: Preprocessing) -> "DataFrameClassifier":
        """Return the same estimator, unfitted, with these preprocessing options.

        Raise `BadTrainingConfig` for one it does not support.
        """
        name = type(self.model).__name__
        if not isinstance(self.features, Preprocessor):
            raise BadTrainingConfig(f"{name} uses no feature: there is nothing to preprocess.")
        if preprocessing.balance == "weights" and not self.supports_sample_weight:
            raise BadTrainingConfig(f"{name} takes no sample weights: use --balance smote.")
        features = self.features.with_preprocessing(preprocessing)
        model = clone(self.model)
        if features.one_hot and hasattr(model, "categorical_features"):
            model.set_params(categorical_features=None)
        return DataFrameClassifier(features, model)

    def _early_stopping_data(
        self, validation: Validation | None, classes: set[str]
    ) -> dict[str, Any]:
        stops_early = getattr(self.model_, "early_stopping", False) is True
        if not stops_early or not has_fit_parameter(self.model_, "X_val"):
            return {}
        if validation is not None:
            frame, labels = validation
            chosen = np.isin(labels, list(classes))
            if chosen.any():
                return {"X_val": self.features_.transform(frame[chosen]), "y_val": labels[chosen]}
        self.model_.set_params(early_stopping=False)
        return {}


def numeric_classifier(
    model: Any,
    params: dict[str, Any],
    features: tuple[str, ...],
    *,
    seed: int,
    calibrate: bool = False,
    **preprocessing: Any,
) -> DataFrameClassifier:
    """Return `model` with `params` over the preprocessed numeric features of these groups.

    `calibrate`: with temperature scaling. Raise `BadParameter` as `with_params` does.
    """
    model = with_params(model, params)
    preprocessor = Preprocessor(NumericFeatures(features), seed=seed, **preprocessing)
    return DataFrameClassifier(
        preprocessor, TemperatureScaled(model, seed=seed) if calibrate else model
    )


def numeric_factory(
    model: Callable[[int, int], Any], **options: Any
) -> EstimatorFactory[DataFrameClassifier]:
    """Return the factory of an estimator over numeric features, of `model(seed, threads)`.

    `options` are those of `numeric_classifier`.
    """

    def make(
        *, features: tuple[str, ...], seed: int, threads: int, **params: Any
    ) -> DataFrameClassifier:
        return numeric_classifier(model(seed, threads), params, features, seed=seed, **options)

    return make


def with_params(model: Any, params: dict[str, Any]) -> Any:
    """Return `model` with `params` set; raise `BadParameter` for an unknown name or bad value."""
    title = type(model).__name__
    names = sorted(
        name
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] not in _RESERVED and not hasattr(value, "get_params")
    )
    for param in params:
        if param not in names:
            raise BadParameter(
                f"{title} has no parameter {param!r}.{did_you_mean(param, names)} "
                f"Known: {', '.join(names)}."
            )
    changed = model.set_params(**params)
    inner = [value for value in changed.get_params().values() if hasattr(value, "get_params")]
    try:
        for part in (changed, *inner):
            part._validate_params()  # noqa: SLF001 - scikit-learn checks in fit only, after the loading
    except ValueError as error:
        raise BadParameter(" ".join(str(error).split())) from None
    return changed
