"""The metrics agree with scikit-learn's and with values computed by hand."""

import numpy as np
import pytest
from sklearn import metrics as reference

from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import (
    LabelledPredictions,
    overall_metrics,
    per_genre_metrics,
    ranking_metrics,
)

GENRES = 4


def made_up(tracks: int = 300, seed: int = 1) -> LabelledPredictions:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(GENRES) * 0.7, tracks)
    truth = np.array([random.choice(GENRES, p=row) for row in shares])
    return LabelledPredictions(
        shares,
        truth,
        artists=random.integers(40, size=tracks),
        any_genre_correct=shares.argmax(axis=1) == truth,
        has_verdict=np.zeros(tracks, dtype=bool),
    )


def test_averages_equal_scikit_learn_s() -> None:
    """Accuracy, macro and weighted precision, recall and F1 agree to the last digit but one."""
    predictions = made_up()
    values = {one.metric: one.value for one in overall_metrics(predictions, 0, None)}
    truth, first = predictions.truth, predictions.predicted
    assert values["accuracy"] == pytest.approx(reference.accuracy_score(truth, first))
    for average in ("macro", "weighted"):
        expected = reference.precision_recall_fscore_support(
            truth, first, average=average, zero_division=0
        )
        names = [f"{average}_{name}" for name in ("precision", "recall", "f1")]
        assert [values[name] for name in names] == pytest.approx(expected[:3])


def test_probability_metrics_equal_scikit_learn_s() -> None:
    """Log-loss, top-3 accuracy, ROC-AUC and average precision agree with scikit-learn's."""
    predictions = made_up()
    values = {one.metric: one.value for one in overall_metrics(predictions, 0, None)}
    truth, shares = predictions.truth, predictions.probabilities
    assert values["log_loss"] == pytest.approx(reference.log_loss(truth, shares))
    assert values["top3"] == pytest.approx(reference.top_k_accuracy_score(truth, shares, k=3))
    assert values["roc_auc"] == pytest.approx(
        reference.roc_auc_score(truth, shares, multi_class="ovr")
    )
    assert values["average_precision"] == pytest.approx(
        reference.average_precision_score(np.eye(GENRES)[truth], shares)
    )


def test_equal_scores_share_their_rank() -> None:
    """Constant predictions have an area of one half."""
    predictions = made_up(50)
    same = LabelledPredictions(
        np.full((50, GENRES), 0.25),
        predictions.truth,
        predictions.artists,
        predictions.any_genre_correct,
        predictions.has_verdict,
    )
    areas, _ = ranking_metrics(same)
    assert areas == pytest.approx([0.5] * GENRES)


def test_a_genre_unknown_to_the_model_counts_as_wrong() -> None:
    """Tracks of a genre past the last column are never correct, and count in the averages."""
    predictions = made_up(100)
    predictions.truth[:50] = GENRES
    values = {one.metric: one.value for one in overall_metrics(predictions, 0, None)}
    rest = predictions.select(np.arange(100) >= 50)
    assert values["accuracy"] == pytest.approx(rest.correct.mean() / 2)
    assert set(per_genre_metrics(predictions, None)) <= set(range(GENRES))


def test_calibration_error_is_the_mean_gap_between_confidence_and_hits() -> None:
    """A confidence of 0.9 and an accuracy of one half: the error is 0.4."""
    shares = np.tile([0.9, 0.1], (10, 1))
    truth = np.array([0, 1] * 5)
    right = truth == 0
    predictions = LabelledPredictions(
        shares, truth, np.arange(10), right, np.zeros(10, dtype=bool)
    )
    values = {one.metric: one.value for one in overall_metrics(predictions, 0, None)}
    assert values["ece"] == pytest.approx(0.4)


def test_a_calibrated_model_has_the_calibration_error_by_chance() -> None:
    """On average, whether the tracks of an artist are right together or each for itself."""
    random = np.random.default_rng(6)
    artists = np.repeat(np.arange(80), 5)
    confidence = np.repeat(random.uniform(0.5, 1.0, 80), 5)
    shares = np.column_stack([confidence, 1 - confidence])
    nothing = np.zeros(400, dtype=bool)
    for draws in (np.repeat(random.random((100, 80)), 5, axis=1), random.random((100, 400))):
        truths = (draws > confidence).astype(np.intp)
        measured = [
            {one.metric: one.value for one in overall_metrics(made, 0, None)}
            for made in (
                LabelledPredictions(shares, one, artists, nothing, nothing) for one in truths
            )
        ]
        error, chance = (
            np.mean([one[name] for one in measured]) for name in ("ece", "ece_by_chance")
        )
        assert error == pytest.approx(chance, rel=0.1)


def test_without_verdicts_there_is_no_accuracy_on_them() -> None:
    """No track with a human verdict: no value, and n is 0."""
    values = {one.metric: one for one in overall_metrics(made_up(), 0, None)}
    assert (values["verdict_accuracy"].value, values["verdict_accuracy"].n) == (None, 0)


def test_every_metric_lies_in_its_interval() -> None:
    """Resampling artists, the value itself is inside the bounds, over all and per genre."""
    predictions = made_up()
    resampled = ArtistBootstrap(predictions.artists, seed=3)
    measured = overall_metrics(predictions, 0, resampled)
    measured += [
        one for result in per_genre_metrics(predictions, resampled).values() for one in result
    ]
    with_interval = [one for one in measured if one.interval is not None]
    assert len(with_interval) > 20
    for one in with_interval:
        assert one.value is not None
        if one.metric == "ece":
            continue  # resampled bins hold fewer distinct tracks: the error is biased upwards
        assert one.interval.low <= one.value <= one.interval.high, one.metric


def test_tracks_of_several_genres_have_metrics_of_their_own() -> None:
    """Compared with scikit-learn, over the tracks with more than one genre only."""
    random = np.random.default_rng(4)
    shares = random.dirichlet(np.ones(5), size=60)
    truth = random.integers(0, 5, 60)
    sighted = random.random((60, 5)) < 0.3
    sighted[np.arange(60), truth] = True
    predictions = LabelledPredictions(
        shares,
        truth,
        np.arange(60),
        sighted[np.arange(60), shares.argmax(axis=1)],
        np.zeros(60, dtype=bool),
        genres_sighted=sighted,
    )
    values = {
        one.metric: one
        for one in overall_metrics(predictions, 0, ArtistBootstrap(np.arange(60), seed=0))
    }
    several = sighted.sum(axis=1) > 1
    ranking = values["several_genres_ranking"]
    assert ranking.value == pytest.approx(
        reference.label_ranking_average_precision_score(sighted[several], shares[several])
    )
    assert ranking.interval is not None
    assert ranking.interval.low < ranking.value < ranking.interval.high
    assert ranking.n == several.sum() < 60
    top, any_hit = (
        values[f"several_genres_{name}"].value for name in ("accuracy", "any_accuracy")
    )
    assert top == (shares.argmax(axis=1) == truth)[several].mean() <= any_hit


def test_tracks_of_one_genre_each_have_no_such_metrics() -> None:
    """They are undefined, not 0."""
    sighted = np.eye(3, dtype=bool)
    nothing = np.zeros(3, dtype=bool)
    predictions = LabelledPredictions(
        np.eye(3), np.arange(3), np.arange(3), nothing, nothing, genres_sighted=sighted
    )
    values = {one.metric: one for one in overall_metrics(predictions, 0, None)}
    assert (values["several_genres_ranking"].value, values["several_genres_ranking"].n) == (
        None,
        0,
    )
