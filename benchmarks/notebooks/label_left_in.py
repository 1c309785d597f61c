"""Label leakage: all columns encoded as numbers, and one of them determines the genre.

    python -m benchmarks.notebooks.label_left_in TABLE.csv

This is the subgenre, if the table has one, because it belongs to one genre; else the row number
(`Unnamed: 0`) of a table sorted by genre. A new track has neither.
"""

from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

from benchmarks.notebooks.evaluation import SEED, main, worth
from benchmarks.notebooks.tables import SUBGENRE, Table

ROW = "Unnamed: 0"


def run(table: Table) -> str:
    """Return the claimed accuracy, the leaking column, and the accuracy on unseen artists."""
    column = SUBGENRE if SUBGENRE in table.frame else next(iter(table.frame.columns))
    left_in = LabelEncoder().fit_transform(table.frame[column])
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=SEED)
    x_train, x_test, y_train, y_test = train_test_split(
        table.features.assign(left_in=left_in), table.genres, test_size=0.2, random_state=SEED
    )
    claimed = accuracy_score(y_test, forest.fit(x_train, y_train).predict(x_test))
    return (
        f"claims {claimed:.3f} with {column!r} among the features\n"
        f"worth  {worth(forest, table.features, table)}"
    )


if __name__ == "__main__":
    main(__doc__.splitlines()[0], run)
