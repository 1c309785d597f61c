"""SMOTE first, then the random split, then a dense network; and ours beside it.

    python -m benchmarks.notebooks.smote_dense TABLE.csv

The commonest deep notebook of this field. With the extra `deep`, the same columns are also given
to `mlp`, which is told of no test row: neither by SMOTE nor by an artist.
"""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks.notebooks.judged import SEED, main, measured, worth
from benchmarks.notebooks.tables import POPULARITY, Table
from classifier import estimators
from classifier.errors import MissingExtra
from classifier.training_config import TrainingConfig

LAYERS = (256, 128, 64)
EPOCHS = 40


def run(table: Table) -> str:
    """Return what the loop claims, what its network is worth, and what ours is."""
    network = MLPClassifier(LAYERS, batch_size=256, max_iter=EPOCHS, random_state=SEED)
    network.set_params(n_iter_no_change=EPOCHS)  # as published: all epochs, whatever comes
    scaled = StandardScaler().fit_transform(table.features)
    balanced, genres = SMOTE(random_state=SEED).fit_resample(scaled, table.genres)
    learned, tested, truth, expected = train_test_split(
        balanced, genres, test_size=0.2, random_state=SEED
    )
    claimed = accuracy_score(expected, network.fit(learned, truth).predict(tested))
    inside = make_pipeline(StandardScaler(), SMOTE(random_state=SEED), network)
    return (
        f"claims {claimed:.3f}\n"
        f"worth  {worth(inside, table.features, table)}\n"
        f"mlp    {_ours(table)}"
    )


def _ours(table: Table) -> str:
    try:
        model = estimators.build(
            TrainingConfig(estimator="mlp", features=("audio", "metadata"), seed=SEED), threads=1
        )
    except MissingExtra as error:
        return str(error)
    shown = table.features.rename(columns=dict.fromkeys(POPULARITY, "popularity"))
    ending = table.sides == "validation_new"
    model.fit(shown[table.known], table.genres[table.known], (shown[ending], table.genres[ending]))
    first = model.predict_proba(shown[table.new]).argmax(axis=1)
    return str(measured(model.classes_[first], table))


if __name__ == "__main__":
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are as published
    main(__doc__.splitlines()[0], run)
