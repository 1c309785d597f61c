"""`random_forest`: a forest of depth 10, the usual reference in this field."""

from typing import Any

from sklearn.ensemble import RandomForestClassifier

from classifier.estimators.dataframe_classifier import DataFrameClassifier, numeric_classifier


def make(
    *, features: tuple[str, ...], seed: int, threads: int, **params: Any
) -> DataFrameClassifier:
    """Return 100 trees; a node stores a share per genre, so leaves hold 5 tracks at least."""
    model = RandomForestClassifier(
        n_estimators=100,
        max_depth=10,
        min_samples_leaf=5,
        random_state=seed,
        n_jobs=threads,
    )
    return numeric_classifier(model, params, features, seed=seed)
