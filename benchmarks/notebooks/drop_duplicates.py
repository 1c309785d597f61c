"""Drop duplicates, split at random, a random forest of depth 10.

    python -m benchmarks.notebooks.drop_duplicates TABLE.csv

Equal ids are dropped; the same recording under another id, and everything else by its artist and
from its album, stays on both sides of the split.
"""

from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from benchmarks.notebooks.judged import SEED, main, worth
from benchmarks.notebooks.tables import Table


def run(table: Table) -> str:
    """Return what the loop claims, and what the forest is worth."""
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=SEED)
    learned, tested, truth, expected = train_test_split(
        table.features, table.genres, test_size=0.2, random_state=SEED
    )
    forest.fit(learned, truth)
    claimed = accuracy_score(expected, forest.predict(tested))
    return f"claims {claimed:.3f}\nworth  {worth(forest, table.features, table)}"


if __name__ == "__main__":
    main(__doc__.splitlines()[0], run)
