"""`random_forest`: a forest of depth 10, the usual reference in this field."""

from typing import Any

from sklearn.ensemble import RandomForestClassifier

from classifier.estimators.dataframe_classifier import FramedClassifier, with_params
from classifier.estimators.preprocessing import PreparedFeatures
from classifier.features.audio import AudioFeatures


def make(*, features: tuple[str, ...], seed: int, threads: int, **params: Any) -> FramedClassifier:
    """Return 100 trees; a node keeps a share per genre, so leaves hold 5 tracks at least."""
    model = RandomForestClassifier(
        n_estimators=100,
        max_depth=10,
        min_samples_leaf=5,
        random_state=seed,
        n_jobs=threads,
    )
    numbers = PreparedFeatures(AudioFeatures(features), seed=seed)
    return FramedClassifier(numbers, with_params(model, params))
