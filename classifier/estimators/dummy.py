"""`dummy`: knows how common each genre is, and nothing else. What every model must beat."""

from typing import Any

from sklearn.dummy import DummyClassifier

from classifier.estimators.dataframe_classifier import FramedClassifier, with_params
from classifier.features.audio import AudioFeatures


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - there is nothing to share out
    **params: Any,
) -> FramedClassifier:
    """Return the baseline: the shares of the genres in training, for every track."""
    model = DummyClassifier(strategy="prior", random_state=seed)
    return FramedClassifier(AudioFeatures(features), with_params(model, params))
