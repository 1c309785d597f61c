"""SMOTE before the random split, then a random forest.

    python -m benchmarks.notebooks.smote_first TABLE.csv

SMOTE interpolates between two real tracks; if the split comes afterwards, a test row can lie
between training rows. For comparison, SMOTE is also applied to the training part only.
"""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.notebooks.evaluation import SEED, main, worth
from benchmarks.notebooks.tables import Table

TREES = 50
"""Trees of full depth; with a share per genre in each node, 113 genres would take 5 GB."""


def run(table: Table) -> str:
    """Return the claimed accuracy, that without leakage, and that on unseen artists."""
    forest = RandomForestClassifier(n_estimators=TREES, random_state=SEED)
    scaled = StandardScaler().fit_transform(table.features)
    balanced, genres = SMOTE(random_state=SEED).fit_resample(scaled, table.genres)
    claimed = _split(forest, balanced, genres)
    pipeline = make_pipeline(StandardScaler(), SMOTE(random_state=SEED), forest)
    without_leak = _split(pipeline, table.features.to_numpy(), table.genres)
    return (
        f"claims {claimed:.3f}\n"
        f"       {without_leak:.3f} with SMOTE in the training part of the same split\n"
        f"worth  {worth(pipeline, table.features, table)}"
    )


def _split(model: object, features: object, genres: object) -> float:
    x_train, x_test, y_train, y_test = train_test_split(
        features, genres, test_size=0.2, random_state=SEED
    )
    fitted = model.fit(x_train, y_train)  # type: ignore[attr-defined]  # an estimator
    return float(accuracy_score(y_test, fitted.predict(x_test)))


if __name__ == "__main__":
    main(__doc__.splitlines()[0], run)
