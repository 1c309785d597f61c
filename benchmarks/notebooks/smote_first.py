"""SMOTE first, then the random split, then a random forest.

    python -m benchmarks.notebooks.smote_first TABLE.csv

What SMOTE invents lies between two real tracks; split afterwards, one of the three is tested on
and the others are learned from. Beside it the same with SMOTE inside the training part.
"""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.notebooks.judged import SEED, main, worth
from benchmarks.notebooks.tables import Table

TREES = 50
"""Grown to the end; a node keeps a share per genre, so that 113 genres would take 5 GB."""


def run(table: Table) -> str:
    """Return what the loop claims, what it would have claimed, and what the forest is worth."""
    forest = RandomForestClassifier(n_estimators=TREES, random_state=SEED)
    scaled = StandardScaler().fit_transform(table.features)
    balanced, genres = SMOTE(random_state=SEED).fit_resample(scaled, table.genres)
    claimed = _split(forest, balanced, genres)
    inside = make_pipeline(StandardScaler(), SMOTE(random_state=SEED), forest)
    mended = _split(inside, table.features.to_numpy(), table.genres)
    return (
        f"claims {claimed:.3f}\n"
        f"       {mended:.3f} with SMOTE in the training part of the same split\n"
        f"worth  {worth(inside, table.features, table)}"
    )


def _split(model: object, shown: object, genres: object) -> float:
    learned, tested, truth, expected = train_test_split(
        shown, genres, test_size=0.2, random_state=SEED
    )
    fitted = model.fit(learned, truth)  # type: ignore[attr-defined]  # an estimator
    return float(accuracy_score(expected, fitted.predict(tested)))


if __name__ == "__main__":
    main(__doc__.splitlines()[0], run)
