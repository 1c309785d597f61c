"""The base model for features that only some tracks have."""

from dataclasses import replace

import numpy as np

from classifier import estimators, threads
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.estimators import gradient_boosting
from classifier.estimators.blend import PRIOR_WEIGHTS, Blend
from classifier.experts.partial_features import PartialFeaturesExpert
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music

GROUPS = ("harmony",)


def expert() -> PartialFeaturesExpert:
    return PartialFeaturesExpert(
        "analysis", GROUPS, gradient_boosting.make(features=GROUPS, seed=0, threads=1)
    )


def music(*, informative: bool) -> SplitDataset:
    """Return tracks of which two in three have harmony features, informative or not."""
    selection = split_dataset(Music().snapshot(), TrainingConfig())
    random = np.random.default_rng(0)
    codes = np.unique(selection.labels, return_inverse=True)[1]
    values = random.normal(codes * informative, 0.1)
    values[random.random(len(values)) < 1 / 3] = np.nan
    return replace(selection, tracks=selection.tracks.assign(degree_0=values))


def test_a_track_without_the_features_scores_0() -> None:
    """The others score the log-ratio to the genre's share among the tracks with the features."""
    selection = music(informative=True)
    frame, labels = selection.tracks, selection.labels
    scores = expert().fit(frame, labels).predict_scores(frame)[0]
    missing = frame["degree_0"].isna().to_numpy()
    assert (scores[missing] == 0).all()
    right = scores[np.arange(len(labels)), np.unique(labels, return_inverse=True)[1]]
    assert (right[~missing] > 0.5).all()


def test_without_two_genres_every_score_is_0() -> None:
    """No track has the features, or one genre only."""
    selection = music(informative=True)
    frame, labels = selection.tracks, selection.labels
    one = frame.assign(degree_0=frame["degree_0"].where(labels == "metal"))
    for given in (one, frame.drop(columns="degree_0")):
        assert (expert().fit(given, labels).predict_scores(frame) == 0).all()


def test_noise_hardly_reduces_the_accuracy_of_the_blend() -> None:
    """The weight of the score falls, and the other base models do not use the features."""
    noisy = music(informative=False)
    with threads.limit_threads(1):
        plain, wide = (
            estimators.build(
                TrainingConfig(
                    features=("audio", "metadata", *more), params={"n_rounds": 20, "n_networks": 1}
                ),
                threads=1,
            ).fit(
                noisy.tracks[noisy.train_mask], noisy.labels[noisy.train_mask], noisy.validation()
            )
            for more in ((), GROUPS)
        )
    assert isinstance(wide, Blend)
    assert wide.weights_[0, wide.score_names_.index("analysis")] < PRIOR_WEIGHTS["analysis"]
    tested = noisy.held_out("test")
    plain_right, wide_right = (
        (one.classes_[one.predict_proba(noisy.tracks[tested]).argmax(axis=1)])
        == noisy.labels[tested]
        for one in (plain, wide)
    )
    assert wide_right.mean() > plain_right.mean() - 0.02
