"""`gradient_boosting`: histogram-based boosted trees."""

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.estimators.preprocessing import Preprocessor
from classifier.features.audio import NumericFeatures


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - OpenMP's threads are capped by the trainer
    **params: Any,
) -> DataFrameClassifier:
    """Return small, strongly regularised trees that stop when validation stops improving.

    A tree per genre and iteration: with 113 genres 15 leaves and the penalty matter more than
    depth (chosen on the validation sides of a 114-genre dataset).
    """
    numbers = NumericFeatures(features)
    model = HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        l2_regularization=10.0,
        categorical_features=numbers.categorical or None,
        early_stopping=True,
        n_iter_no_change=5,
        random_state=seed,
    )
    prepared = Preprocessor(numbers, one_hot=False, seed=seed)
    return DataFrameClassifier(prepared, with_params(model, params))
