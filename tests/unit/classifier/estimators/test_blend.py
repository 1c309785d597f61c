"""The `blend` ensemble: every base model helps where it can, and hurts nowhere."""

import copy
from functools import cache

import numpy as np
import pandas as pd
import pytest

from classifier import threads
from classifier.data import soft_labels
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.estimators import blend
from classifier.estimators.blend import PRIOR_WEIGHTS, Blend, make
from classifier.estimators.ensemble_weights import SEEN_ARTIST, UNSEEN_ARTIST
from classifier.experts.content_nets import FOREST_SCORE
from classifier.experts.trees import BoostedTreesExpert
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music

ALL = ("audio", "metadata", "text", "history")
SOUND = ("audio", "metadata")


@cache
def music(*, shuffled: bool = False) -> SplitDataset:
    return split_dataset(
        Music(artists=90, shuffled=shuffled, silent=0.2).snapshot(), TrainingConfig()
    )


@cache
def fitted(groups: tuple[str, ...] = ALL, *, shuffled: bool = False) -> Blend:
    selection = music(shuffled=shuffled)
    model = make(features=groups, seed=0, threads=1, n_networks=1, n_rounds=20)
    with threads.limit_threads(1):
        return soft_labels.fit(model, selection.training_set(), selection.validation())


def accuracy(model: Blend, selection: SplitDataset, regime: str) -> float:
    chosen = np.isin(selection.sides, ["test_new", "validation_new"])
    if regime == "seen_artist":
        chosen = (selection.sides == "test_seen") & (selection.regimes == regime)
    return float((model.predict(selection.tracks[chosen]) == selection.labels[chosen]).mean())


def test_history_helps_seen_artists_and_does_not_hurt_unseen_ones() -> None:
    """History alone predicts nearly every training track."""
    selection = music()
    sound, everything = fitted(SOUND), fitted()
    extracted = [accuracy(model, selection, "seen_artist") for model in (sound, everything)]
    new = [accuracy(model, selection, "new_artist") for model in (sound, everything)]
    assert extracted[1] >= extracted[0]
    assert new[1] >= new[0] - 0.02


def test_random_labels_are_predicted_no_better_than_by_guessing() -> None:
    """Nothing leaks the label of a held-out track."""
    selection = music(shuffled=True)
    model = fitted(shuffled=True)
    held = np.char.startswith(selection.sides, "test")
    right = (model.predict(selection.tracks[held]) == selection.labels[held]).mean()
    assert right < 1 / 3 + 0.12  # three genres, some 130 tracks: three standard errors


def test_each_feature_group_has_its_base_models() -> None:
    """And no other scores are pooled."""
    assert [*fitted(SOUND).score_names_, *fitted(SOUND).left_out_] == ["prior", "trees", "nets"]
    frame, labels = music().tracks, music().labels
    text = Blend(("text",)).fit(frame, labels)
    assert text.score_names_ == ["prior", "title", "album", "artists"]
    assert {"joint", "content", "content_forest"} < {*fitted().score_names_, *fitted().left_out_}


class Wrong(BoostedTreesExpert):
    """A base model that prefers the genres that others doubt."""

    score_names = ("nets",)

    def predict_scores(self, X: pd.DataFrame) -> np.ndarray:
        return -super().predict_scores(X)


def test_what_brings_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base model that is always wrong, and parts of base models."""
    selection = music()
    training = selection.training_set()
    trees = BoostedTreesExpert(SOUND, n_rounds=10)
    monkeypatch.setattr(Blend, "_experts", lambda _: iter((trees, Wrong(SOUND, n_rounds=10))))
    model = Blend(SOUND).fit(training.frame, training.labels, selection.validation())
    assert (model.score_names_, model.left_out_) == (["prior", "trees"], ("nets",))
    assert model.weights_.shape == (2, 2)
    assert model.predict_scores(selection.tracks[:3]).shape[0] == 2
    whole = copy.deepcopy(fitted())
    for expert in whole.experts_:
        if expert.name in ("content", "joint"):
            expert.leave_out({FOREST_SCORE, "joint_trees"})
            assert not {FOREST_SCORE, "joint_trees"} & set(expert.score_names)
            rows = expert.predict_scores(selection.tracks[:3])
            assert len(rows) == len(expert.score_names)


def test_the_forest_has_no_weight_for_seen_artists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before nor after the weights are fitted."""
    monkeypatch.setattr(blend, "MIN_WEIGHT", 0.0)  # or else it may be left out
    model = fitted.__wrapped__()
    place = model.score_names_.index(FOREST_SCORE)
    assert model.weights_[SEEN_ARTIST, place] == 0
    assert (np.delete(model.weights_[SEEN_ARTIST], place) > 0).any()


def test_an_artist_is_seen_by_any_credited_name() -> None:
    """One credited artist with a training track suffices; audio models have no seen artists."""
    names = music().tracks["artists"][music().train_mask]
    requested = pd.DataFrame({"artists": [f"Somebody; {names.iloc[0]}", "Somebody", None]})
    assert fitted().seen_artist_mask(requested).tolist() == [True, False, False]
    assert not fitted(SOUND).seen_artist_mask(requested).any()


def test_without_a_validation_side_the_weights_are_the_prior_weights() -> None:
    """And the model still predicts."""
    selection = music()
    learned = selection.train_mask
    model = Blend(ALL, n_networks=1).fit(selection.tracks[learned], selection.labels[learned])
    for regime in (UNSEEN_ARTIST, SEEN_ARTIST):
        assert model.weights_[regime].tolist() == [
            PRIOR_WEIGHTS[name] if (regime, name) != (SEEN_ARTIST, FOREST_SCORE) else 0.0
            for name in model.score_names_
        ]
    assert accuracy(model, selection, "seen_artist") > 0.6


def test_a_genre_without_validation_tracks_is_predicted_too() -> None:
    """Weights belong to scores, not to genres."""
    selection = music()
    frame, labels = selection.validation() or pytest.fail("no validation side")
    some, learned = labels != "techno", selection.train_mask
    model = Blend(ALL, n_networks=1).fit(
        selection.tracks[learned], selection.labels[learned], (frame[some], labels[some])
    )
    assert "techno" in model.predict(selection.tracks[selection.labels == "techno"])


def test_a_prediction_depends_on_its_own_row_only() -> None:
    """Single rows and batches agree up to rounding."""
    rows = music().tracks.head(40)
    among, alone = fitted().predict_proba(rows), fitted().predict_proba(rows.tail(1))
    assert np.allclose(among[-1], alone[0], atol=1e-5)
