"""All columns encoded as numbers, and one of them is the genre again.

    python -m benchmarks.notebooks.label_left_in TABLE.csv

The subgenre, where the table has one: it belongs to one genre. Else the number of the row, which
a table written genre by genre is saved with (`Unnamed: 0`). A track that is new has neither.
"""

from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

from benchmarks.notebooks.judged import SEED, main, worth
from benchmarks.notebooks.tables import SUBGENRE, Table

ROW = "Unnamed: 0"


def run(table: Table) -> str:
    """Return what the loop claims, by which column, and what the forest is worth without it."""
    column = SUBGENRE if SUBGENRE in table.frame else next(iter(table.frame.columns))
    left_in = LabelEncoder().fit_transform(table.frame[column])
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=SEED)
    learned, tested, truth, expected = train_test_split(
        table.features.assign(left_in=left_in), table.genres, test_size=0.2, random_state=SEED
    )
    claimed = accuracy_score(expected, forest.fit(learned, truth).predict(tested))
    return (
        f"claims {claimed:.3f} with {column!r} among the features\n"
        f"worth  {worth(forest, table.features, table)}"
    )


if __name__ == "__main__":
    main(__doc__.splitlines()[0], run)
