"""The test condition of unseen artists with their other tracks, without these tracks' labels."""

from dataclasses import replace

import numpy as np
import pytest

from classifier import estimators
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.evaluation.report import headline_metrics
from classifier.model_records import MetricRow, siblings_caution
from classifier.training.sibling_evaluation import SiblingEvaluation, evaluate_siblings
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music

CONFIG = TrainingConfig(estimator="logistic", features=("audio",))


def evaluated(split: SplitDataset) -> SiblingEvaluation:
    frame, labels = split.tracks[split.train_mask], split.labels[split.train_mask]
    fitted = estimators.build(CONFIG, threads=1).fit(frame, labels)
    return evaluate_siblings(split, fitted, common=0, seed=0)


def values(result: SiblingEvaluation) -> dict[str, float | None]:
    return {row.metric: row.value for row in result.metrics}


@pytest.fixture(scope="module")
def split() -> SplitDataset:
    """Half of the tracks have no audio features: only their siblings indicate the genre."""
    return split_dataset(Music(artists=150, silent=0.5, guests=0.0).snapshot(), CONFIG)


def test_siblings_help_where_the_track_alone_has_no_features(split: SplitDataset) -> None:
    """The more of them, the more; all metrics are of the same tracks."""
    result = evaluated(split)
    measured = values(result)
    curve = [measured[f"accuracy_with_{number}_siblings"] for number in (0, 1, 3, 10)]
    assert curve[0] < curve[1] < curve[2] <= curve[3] == measured["accuracy"]
    assert measured["accuracy"] > curve[0] + 0.2
    assert measured["accuracy_gain"] == pytest.approx(measured["accuracy"] - curve[0])
    assert {row.regime for row in result.metrics} == {"new_artist_with_siblings"}
    n_test = int((split.regimes[split.held_out("test")] == "new_artist").sum())
    assert {row.n for row in result.metrics if row.metric.startswith("accuracy")} == {n_test}
    assert measured["siblings_per_track"] == 7  # eight tracks each


def test_the_selection_by_genre_is_reported_and_left_out_in_the_lower_bracket(
    split: SplitDataset,
) -> None:
    """All siblings were seen under the track's own genre: without these it is alone."""
    measured = values(evaluated(split))
    assert measured["siblings_seen_under_own_genre"] == 1.0
    lower = measured["accuracy_with_siblings_seen_elsewhere"]
    assert lower == measured["accuracy_with_0_siblings"]
    assert measured["accuracy_with_siblings_labels"] > 0.95
    assert "100% were found under the track's own genre" in siblings_caution(measured)


def test_labels_of_siblings_are_not_used(split: SplitDataset) -> None:
    """Other labels of test tracks change no weight, and no prediction for other tracks."""
    test = np.flatnonzero(split.held_out("test") & (split.regimes == "new_artist"))
    changed, one = split.labels.copy(), test[0]
    changed[one] = next(genre for genre in split.classes if genre != split.labels[one])
    before, after = evaluated(split), evaluated(replace(split, labels=changed))
    assert after.pool.as_json() == before.pool.as_json()
    accuracies = [values(result)["accuracy"] for result in (before, after)]
    assert abs(accuracies[0] - accuracies[1]) < 1.5 / len(test)
    labelled = [values(result)["accuracy_with_siblings_labels"] for result in (before, after)]
    assert labelled[0] != labelled[1]


def test_shuffled_labels_are_predicted_no_better_with_siblings() -> None:
    """Nothing leaks from the siblings."""
    music = Music(artists=300, shuffled=True)
    measured = values(evaluated(split_dataset(music.snapshot(), CONFIG)))
    assert measured["accuracy"] < max(measured["baseline"], 1 / 3) + 0.06


def test_the_same_tracks_give_the_same_metrics_under_other_ids(split: SplitDataset) -> None:
    """Siblings are taken by their names."""
    tracks = split.tracks.assign(
        track_id=split.tracks["track_id"].max() + 1 - split.tracks["track_id"]
    )
    again = evaluated(replace(split, tracks=tracks, tracks_by_genre={}))
    one, two = values(evaluated(split)), values(again)
    for number in (0, 1, 3, 10):
        name = f"accuracy_with_{number}_siblings"
        assert one[name] == two[name]


def test_without_test_tracks_nothing_is_measured(split: SplitDataset) -> None:
    """The weights of the pool are there nevertheless."""
    sides = np.where(split.sides == "test_new", "none", split.sides)
    result = evaluated(replace(split, sides=sides))
    assert result.metrics == ()
    assert headline_metrics(list[MetricRow]())["new_artist_with_siblings"]["n"] == 0
    assert result.pool.weights.shape == (3, 3)
