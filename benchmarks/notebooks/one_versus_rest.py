"""One model per genre, and the mean of their accuracies.

    python -m benchmarks.notebooks.one_versus_rest TABLE.csv

With ten genres, nine in ten tracks are not metal: always predicting "no" has an accuracy of 0.9.
"""

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split

from benchmarks.notebooks.evaluation import SEED, main, measured
from benchmarks.notebooks.tables import Table


def run(table: Table) -> str:
    """Return the claimed mean accuracy, that of always predicting "no", and balanced accuracy."""
    forest = RandomForestClassifier(n_estimators=50, max_depth=10, random_state=SEED)
    features, genres = table.features.to_numpy(), np.unique(table.genres)
    claimed, always_no, balanced, scores = [], [], [], []
    for genre in genres:
        is_genre = table.genres == genre
        x_train, x_test, y_train, y_test = train_test_split(
            features, is_genre, test_size=0.2, random_state=SEED
        )
        claimed.append(accuracy_score(y_test, clone(forest).fit(x_train, y_train).predict(x_test)))
        always_no.append(1 - is_genre.mean())
        fitted = clone(forest).fit(features[table.training], is_genre[table.training])
        probabilities = fitted.predict_proba(features[table.unseen])[:, 1]
        balanced.append(balanced_accuracy_score(is_genre[table.unseen], probabilities >= 0.5))
        scores.append(probabilities)
    voted = genres[np.argmax(scores, axis=0)]
    return (
        f"claims {np.mean(claimed):.3f}, the mean of {len(genres)} accuracies\n"
        f"       {np.mean(always_no):.3f} is the accuracy of always predicting no\n"
        f"worth  {np.mean(balanced):.3f} balanced accuracy on new artists (guessing: 0.500)\n"
        f"       {measured(voted, table)}"
    )


if __name__ == "__main__":
    main(__doc__.splitlines()[0], run)
