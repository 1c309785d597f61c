"""Metrics of one-vs-rest binary classifiers."""

import numpy as np
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from classifier.evaluation import report
from classifier.evaluation.metrics import LabelledPredictions
from classifier.model_records import MetricRow

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(3, size=90)
YES = np.clip(0.4 * (TRUTH[:, np.newaxis] == np.arange(3)) + RANDOM.uniform(0, 0.7, (90, 3)), 0, 1)
REGIMES = np.where(np.arange(90) < 40, "new_artist", "seen_artist")
NOBODY = np.zeros(90, dtype=bool)


def rows(truth: np.ndarray = TRUTH, genres: int = 3) -> dict[tuple[str, str, str], MetricRow]:
    shares = np.full((90, genres), 1 / genres)
    predictions = LabelledPredictions(shares, truth, np.arange(90), NOBODY, NOBODY)
    metrics = report.one_vs_rest_metrics(
        "test", predictions, YES[:, :genres], REGIMES, ["a", "b", "c"][:genres]
    )
    return {(row.regime, row.genre or "", row.metric): row for row in metrics}


def test_the_metrics_equal_scikit_learn_s() -> None:
    """They use the binary probabilities before normalisation, per regime and overall."""
    result = rows()
    for regime, here in (("all", REGIMES != ""), ("new_artist", REGIMES == "new_artist")):
        for place, genre in enumerate("abc"):
            truth, output = TRUTH[here] == place, YES[here, place]
            for metric, expected in (
                ("binary_roc_auc", roc_auc_score(truth, output)),
                ("binary_average_precision", average_precision_score(truth, output)),
                ("binary_balanced_accuracy", balanced_accuracy_score(truth, output >= 0.5)),
                ("binary_accuracy", (truth == (output >= 0.5)).mean()),
                ("always_no_accuracy", 1 - truth.mean()),
            ):
                row = result[regime, genre, metric]
                assert np.isclose(row.value or 0, expected)
                assert row.n == here.sum()


def test_a_genre_without_tracks_has_no_metrics() -> None:
    """ "No" is always right there; it would inflate the mean."""
    assert {genre for _, genre, _ in rows(np.where(TRUTH == 2, 1, TRUTH))} == {"a", "b"}


def test_where_every_track_has_the_genre_only_accuracy_is_defined() -> None:
    """The rest is null, not 1."""
    result = rows(np.zeros(90, dtype=int))
    assert result["all", "a", "binary_roc_auc"].value is None
    assert result["all", "a", "binary_balanced_accuracy"].value is None
    assert result["all", "a", "always_no_accuracy"].value == 0


def test_tracks_of_unknown_genres_are_negatives() -> None:
    """They count as the rest."""
    result = rows(genres=2)
    assert result["all", "a", "always_no_accuracy"].value == (TRUTH != 0).mean()
