"""Evaluation on synthetic tracks."""

import dataclasses

import numpy as np
import pytest

from classifier import estimators
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.evaluation.report import headline_metrics
from classifier.training.evaluate import Evaluation, evaluate
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music

CHOICE = TrainingConfig(estimator="logistic", features=("audio",))


def no_message(_text: str) -> None:
    """Print nothing."""


def judged(music: Music, choice: TrainingConfig = CHOICE) -> tuple[SplitDataset, Evaluation]:
    selection = split_dataset(music.snapshot(), choice)
    recipe = estimators.build(choice, threads=1)
    frame = selection.tracks[selection.train_mask]
    fitted = estimators.build(choice, threads=1).fit(frame, selection.labels[selection.train_mask])
    return selection, evaluate(selection, fitted, recipe, None, choice, no_message)


@pytest.fixture(scope="module")
def evaluated() -> tuple[SplitDataset, Evaluation]:
    return judged(Music(artists=120))


def test_separable_genres_are_classified(evaluated: tuple[SplitDataset, Evaluation]) -> None:
    """The first model is far above the baseline in both regimes and becomes champion."""
    metrics = headline_metrics(evaluated[1].metrics)
    for regime in ("seen_artist", "new_artist"):
        assert metrics[regime]["accuracy"] > metrics[regime]["baseline"] + 0.3
    assert evaluated[1].decision.status == "champion"


def test_shuffled_labels_fall_to_the_baseline() -> None:
    """Nothing leaks: no regime is better than chance and no model is promoted."""
    selection, result = judged(Music(artists=300, shuffled=True))
    figures = headline_metrics(result.metrics)
    for regime in ("seen_artist", "new_artist"):
        guessing = max(figures[regime]["baseline"], 1 / len(selection.classes))
        assert figures[regime]["interval"][0] <= guessing
        assert figures[regime]["accuracy"] < guessing + 0.05
    assert result.decision.status == "rejected"


def test_every_regime_and_genre_is_measured(evaluated: tuple[SplitDataset, Evaluation]) -> None:
    """On both held-out sides; the training and the random split over all tracks."""
    measured = {(row.side, row.regime, row.genre) for row in evaluated[1].metrics}
    for side in ("test", "validation"):
        for regime in ("seen_artist", "new_artist", "all"):
            for genre in (None, "blues", "metal", "techno"):
                assert (side, regime, genre) in measured
    assert ("train", "all", None) in measured
    assert ("random", "all", None) in measured


def test_n_counts_the_tracks(evaluated: tuple[SplitDataset, Evaluation]) -> None:
    """Of the side and regime, or of the genre on it."""
    selection, result = evaluated
    new = (selection.sides == "test_new").sum()
    rows = [row for row in result.metrics if (row.side, row.regime) == ("test", "new_artist")]
    accuracy = next(row for row in rows if row.metric == "accuracy")
    by_genre = [row.n for row in rows if row.genre is not None and row.metric == "recall"]
    assert accuracy.n == sum(by_genre) == new


def test_confusions_add_up_to_the_tracks_tested(
    evaluated: tuple[SplitDataset, Evaluation],
) -> None:
    """Each test track stands in one cell."""
    selection, result = evaluated
    assert sum(cell.tracks for cell in result.confusions) == selection.held_out("test").sum()


def test_a_second_run_gives_identical_metrics(
    evaluated: tuple[SplitDataset, Evaluation],
) -> None:
    """The data and the seed are the same."""
    again = judged(Music(artists=120))[1]
    assert again == evaluated[1]
    assert np.array_equal(again.test.probabilities, evaluated[1].test.probabilities)


def test_a_regime_without_tracks_has_no_metrics() -> None:
    """It is no error: n is 0, other values are null."""
    music = Music(artists=120)
    snapshot = music.snapshot()
    sides = snapshot.tracks["side"].replace({"test_new": "none", "validation_new": "none"})
    without = dataclasses.replace(snapshot, tracks=snapshot.tracks.assign(side=sides))
    selection = split_dataset(without, CHOICE)
    recipe = estimators.build(CHOICE, threads=1)
    fitted = estimators.build(CHOICE, threads=1).fit(
        selection.tracks[selection.train_mask], selection.labels[selection.train_mask]
    )
    figures = headline_metrics(
        evaluate(selection, fitted, recipe, None, CHOICE, no_message).metrics
    )
    assert figures["new_artist"]["n"] == 0
    assert figures["new_artist"]["accuracy"] is None
    assert figures["seen_artist"]["n"] > 0


def test_the_test_splits_decide_nothing(evaluated: tuple[SplitDataset, Evaluation]) -> None:
    """With every test label wrong, the decision is the same."""
    music = Music(artists=120)
    snapshot = music.snapshot()
    tracks = snapshot.tracks.copy()
    tested = tracks["side"].isin(["test_new", "test_seen"]).to_numpy()
    tracks.loc[tested, "label"] = np.roll(tracks.loc[tested, "label"].to_numpy(), 7)
    selection = split_dataset(dataclasses.replace(snapshot, tracks=tracks), CHOICE)
    recipe = estimators.build(CHOICE, threads=1)
    fitted = estimators.build(CHOICE, threads=1).fit(
        selection.tracks[selection.train_mask], selection.labels[selection.train_mask]
    )
    assert (
        evaluate(selection, fitted, recipe, None, CHOICE, no_message).decision
        == evaluated[1].decision
    )
