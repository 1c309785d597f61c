"""SMOTE before the random split, then a dense network; compared with `mlp`.

    python -m benchmarks.notebooks.smote_dense TABLE.csv

The most common deep-learning notebook of this field. With the extra `deep`, `mlp` is trained on
the same columns without leakage: neither SMOTE nor artists cross the split.
"""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks.notebooks.evaluation import SEED, main, measured, worth
from benchmarks.notebooks.tables import POPULARITY, Table
from classifier import estimators
from classifier.errors import MissingExtra
from classifier.training_config import TrainingConfig

LAYERS = (256, 128, 64)
EPOCHS = 40


def run(table: Table) -> str:
    """Return the claimed accuracy, and those of the network and of `mlp` on unseen artists."""
    network = MLPClassifier(LAYERS, batch_size=256, max_iter=EPOCHS, random_state=SEED)
    network.set_params(n_iter_no_change=EPOCHS)  # as published: no early stopping
    scaled = StandardScaler().fit_transform(table.features)
    balanced, genres = SMOTE(random_state=SEED).fit_resample(scaled, table.genres)
    x_train, x_test, y_train, y_test = train_test_split(
        balanced, genres, test_size=0.2, random_state=SEED
    )
    claimed = accuracy_score(y_test, network.fit(x_train, y_train).predict(x_test))
    inside = make_pipeline(StandardScaler(), SMOTE(random_state=SEED), network)
    return (
        f"claims {claimed:.3f}\n"
        f"worth  {worth(inside, table.features, table)}\n"
        f"mlp    {_mlp_accuracy(table)}"
    )


def _mlp_accuracy(table: Table) -> str:
    try:
        model = estimators.build(
            TrainingConfig(estimator="mlp", features=("audio", "metadata"), seed=SEED), threads=1
        )
    except MissingExtra as error:
        return str(error)
    features = table.features.rename(columns=dict.fromkeys(POPULARITY, "popularity"))
    validation = table.sides == "validation_new"
    model.fit(
        features[table.training],
        table.genres[table.training],
        (features[validation], table.genres[validation]),
    )
    first = model.predict_proba(features[table.unseen]).argmax(axis=1)
    return str(measured(model.classes_[first], table))


if __name__ == "__main__":
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are as published
    main(__doc__.splitlines()[0], run)
