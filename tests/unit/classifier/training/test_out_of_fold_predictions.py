"""Out-of-fold predictions of training tracks."""

import numpy as np

from classifier import estimators
from classifier.data.soft_labels import TrainingSet
from classifier.data.training_data import split_dataset
from classifier.training import out_of_fold_predictions
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music


def test_no_prediction_comes_from_a_model_trained_on_the_track() -> None:
    """On shuffled labels an overfitted forest is no better than chance."""
    music = Music(artists=90, shuffled=True)
    selection = split_dataset(music.snapshot(), TrainingConfig())
    frame, labels = selection.tracks[selection.train_mask], selection.labels[selection.train_mask]
    choice = TrainingConfig(
        estimator="random_forest", params={"max_depth": None, "min_samples_leaf": 1}
    )
    forest = estimators.build(choice, threads=1)
    classes = np.asarray(selection.classes)
    shares = out_of_fold_predictions.predict_out_of_fold(
        forest, frame, TrainingSet(frame, labels), None, classes, lambda _: None
    )
    by_heart = forest.fit(frame, labels).predict_proba(frame).argmax(axis=1)
    assert (classes[by_heart] == labels).mean() > 0.95
    assert (classes[shares.argmax(axis=1)] == labels).mean() < 0.45
    assert np.allclose(shares.sum(axis=1), 1)


def test_a_genre_missing_from_a_refit_has_no_share() -> None:
    """All tracks of a genre in one group: the refit without them cannot name it."""
    selection = split_dataset(Music().snapshot(), TrainingConfig())
    frame, labels = selection.tracks[selection.train_mask], selection.labels[selection.train_mask]
    folds = np.where(labels == "metal", 0, frame["track_fold"].clip(lower=1))
    frame = frame.assign(track_fold=folds)
    model = estimators.build(TrainingConfig(estimator="dummy"), threads=1)
    classes = np.asarray(selection.classes)
    shares = out_of_fold_predictions.predict_out_of_fold(
        model, frame, TrainingSet(frame, labels), None, classes, lambda _: None
    )
    assert (shares[labels == "metal", 1] == 0).all()
