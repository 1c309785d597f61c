"""A scikit-learn classifier over matrices, made into one over frames with the views' columns."""

import warnings
from difflib import get_close_matches
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from classifier.errors import BadParameter, BadTrainingConfig
from classifier.estimators.preprocessing import Preprocessor
from classifier.ports import Labels, Validation
from classifier.training_config import Preprocessing

_OURS: Final = (
    "n_jobs",
    "random_state",
    "verbose",
    "warm_start",
    "categorical_features",
    "groups",
)
"""Parameters that the trainer sets itself."""


class DataFrameClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """First `features` turns frames into numbers, then `model` learns from them.

    Everything `features` learns (categories, scales, medians) it learns from what `fit` is given.
    """

    def __init__(self, features: Any, model: Any) -> None:
        self.features = features
        self.model = model

    @property
    def supports_sample_weight(self) -> bool:
        """Tell whether the model can let a track count less than another."""
        inner = getattr(self.model, "model", None)  # of one whose scores are tempered
        models = [self.model] if inner is None else [self.model, inner]
        return all(has_fit_parameter(model, "sample_weight") for model in models)

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> Self:
        """Learn; where the model can stop early, it does by `validation`.

        `weights` are what each row counts.
        """
        self.features_ = clone(self.features)
        self.model_ = clone(self.model)
        extra: dict[str, Any] = {}
        if isinstance(self.features_, Preprocessor):
            matrix, y, weights = self.features_.fit_resample(X, y, weights)
        else:
            matrix = self.features_.fit_transform(X)
        if weights is not None:
            extra["sample_weight"] = weights
        extra |= self._held_out(validation, set(y.tolist()))
        with warnings.catch_warnings():
            # A solver that used up its iterations has learned enough to be evaluated.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model_.fit(matrix, y, **extra)
        if hasattr(self.model_, "n_jobs"):
            # Threads add up votes in any order; one gives the same answers to the last digit.
            self.model_.n_jobs = 1
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, one row per row of `X`, summing to 1."""
        check_is_fitted(self)
        shares = np.asarray(
            self.model_.predict_proba(self.features_.transform(X)), dtype=np.float64
        )
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def predict(self, X: pd.DataFrame) -> Labels:
        """Return the likeliest genre of each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def with_preprocessing(self, preparation: Preprocessing) -> "DataFrameClassifier":
        """Return the same estimator, unfitted, with what was chosen for its tracks.

        Raise `BadTrainingConfig` for what it cannot do.
        """
        name = type(self.model).__name__
        if not isinstance(self.features, Preprocessor):
            raise BadTrainingConfig(
                f"{name} looks at no feature: there is nothing to prepare for it."
            )
        if preparation.balance == "weights" and not has_fit_parameter(self.model, "sample_weight"):
            raise BadTrainingConfig(f"{name} cannot weigh tracks: balance the genres with smote.")
        features = self.features.with_preprocessing(preparation)
        model = clone(self.model)
        if features.one_hot and hasattr(model, "categorical_features"):
            model.set_params(categorical_features=None)
        return DataFrameClassifier(features, model)

    def _held_out(self, validation: Validation | None, known: set[str]) -> dict[str, Any]:
        stops_early = getattr(self.model_, "early_stopping", False) is True
        if not stops_early or not has_fit_parameter(self.model_, "X_val"):
            return {}
        if validation is not None:
            frame, labels = validation
            told = np.isin(labels, list(known))
            if told.any():
                return {"X_val": self.features_.transform(frame[told]), "y_val": labels[told]}
        self.model_.set_params(early_stopping=False)
        return {}


def with_params(model: Any, params: dict[str, Any]) -> Any:
    """Return `model` with `params` set; raise `BadParameter` for a name or value it has not."""
    title = type(model).__name__
    known = sorted(
        name
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] not in _OURS and not hasattr(value, "get_params")
    )
    for param in params:
        if param not in known:
            hint = _hint(param, known)
            raise BadParameter(
                f"{title} has no parameter {param!r}.{hint} Known: {', '.join(known)}."
            )
    changed = model.set_params(**params)
    inside = [value for value in changed.get_params().values() if hasattr(value, "get_params")]
    try:
        for part in (changed, *inside):
            part._validate_params()  # noqa: SLF001 - scikit-learn checks in fit only, after the loading
    except ValueError as error:
        raise BadParameter(" ".join(str(error).split())) from None
    return changed


def _hint(param: str, known: list[str]) -> str:
    """Return a sentence with the nearest name; capitals count for nothing."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(param.casefold(), folded, n=1)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""
