"""Deep models from training to predictions."""

import subprocess
import sys

import numpy as np
import pytest
from sqlalchemy import Engine, select

import classifier
from classifier import estimators
from classifier.data import soft_labels
from classifier.data.training_data import SplitDataset
from classifier.data.training_data import split_dataset as selected
from classifier.errors import BrokenArtifact
from classifier.model_records import Epoch
from classifier.registry import artifacts
from classifier.registry.artifacts import ModelArtifact
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from tests.fakes import FakeClock
from tests.synthetic_music import Music

pytestmark = pytest.mark.deep

QUICK = {"n_networks": 1, "epochs": 3}


def silent(_words: str) -> None:
    """Log nothing."""


@pytest.fixture(scope="module")
def selection() -> SplitDataset:
    return selected(Music().snapshot(), TrainingConfig())


def fitted(selection: SplitDataset, **params: object) -> object:
    model = estimators.build(TrainingConfig(estimator="mlp", params=params), threads=1)
    learned = selection.train_mask
    return model.fit(selection.tracks[learned], selection.labels[learned], selection.validation())


def test_a_training_stores_and_reports_every_epoch(sqlite_engine: Engine) -> None:
    """Of the stored model, not of those for out-of-fold predictions."""
    Music(artists=30).fill(sqlite_engine)
    reported: list[str] = []
    choice = TrainingConfig(estimator="mlp", params=QUICK)
    model = train.run(sqlite_engine, choice, FakeClock(), log=reported.append).model
    with sqlite_engine.connect() as connection:
        rows = connection.execute(select(tables.training_epoch)).all()
    assert [(row.model_id, row.epoch) for row in rows] == [(model.id, one) for one in (1, 2, 3)]
    assert all(row.train_loss > 0 and row.validation_loss > 0 for row in rows)
    assert [words for words in reported if words.startswith("epoch 2: loss")]
    assert [words for words in reported if words.startswith("random split, epoch 2: loss")]


def test_the_artifact_predicts_in_a_new_process(sqlite_engine: Engine, sqlite_url: str) -> None:
    """The artifact alone gives the same probabilities."""
    Music(artists=30).fill(sqlite_engine)
    train.run(
        sqlite_engine, TrainingConfig(estimator="mlp", params=QUICK), FakeClock(), log=silent
    )
    here = classifier.champion(sqlite_url)
    frame = Music(artists=30).snapshot().tracks[["title", "artists", "tempo", "energy"]].head(3)
    packed = artifacts.serialise(here.artifact)
    code = (
        "import sys, pandas as pd\n"
        "from classifier.registry import artifacts\n"
        "model = artifacts.deserialise(sys.stdin.buffer.read()).estimator\n"
        f"frame = pd.DataFrame({frame.astype(object).to_dict('list')!r})\n"
        "print(model.predict_proba(frame).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=packed, capture_output=True, check=True, timeout=120
    )
    there = np.array(eval(done.stdout))
    assert np.allclose(there, here.predict_proba(frame).to_numpy(), atol=1e-9)


def test_weights_that_were_tampered_with_are_refused(selection: SplitDataset) -> None:
    """Truncated, of another shape, or no weights at all."""
    model = fitted(selection, **QUICK)
    wider = fitted(selection, **QUICK, hidden_layer_sizes=[64])
    for weights in (
        model.network_weights_[:-8],
        wider.network_weights_,
        np.frombuffer(b"cos\nsystem\n(S'true'\ntR.", dtype=np.uint8),
    ):
        model.network_weights_ = weights
        again = artifacts.deserialise(
            artifacts.serialise(ModelArtifact(model, selection.train_ids))
        ).estimator
        with pytest.raises(BrokenArtifact, match="weights"):
            again.predict_proba(selection.tracks.head(2))


def test_the_training_history_is_not_part_of_the_artifact(selection: SplitDataset) -> None:
    """Two trainings of one seed, of different speed, give the same bytes of weights."""
    first, second = (fitted(selection, **QUICK) for _ in range(2))
    assert first.epochs_[0].seconds != second.epochs_[0].seconds
    assert (first.network_weights_ == second.network_weights_).all()
    unpacked = artifacts.deserialise(
        artifacts.serialise(ModelArtifact(first, selection.train_ids))
    ).estimator
    assert not hasattr(unpacked, "epochs_")


def test_training_stops_early(selection: SplitDataset) -> None:
    """When no network improves on the validation tracks any more."""
    model = fitted(
        selection, n_networks=1, epochs=60, patience=2, learning_rate=0.02, schedule="constant"
    )
    assert len(model.epochs_) < 60


@pytest.mark.parametrize(
    "params",
    [
        {"optimiser": "sgd", "learning_rate": 0.05},
        {"schedule": "constant", "class_weight": "balanced", "label_smoothing": 0.1},
        {"hidden_layer_sizes": [32], "batch_size": 64, "embedding_dim": 8, "min_artists": 1},
    ],
)
def test_layers_and_optimiser_are_parameters(
    selection: SplitDataset, params: dict[str, object]
) -> None:
    """Each is used: the predictions differ, and are still better than guessing."""
    tested = selection.held_out("test")
    usual = fitted(selection, n_networks=1, epochs=8).predict_proba(selection.tracks[tested])
    other = fitted(selection, n_networks=1, epochs=8, **params)
    shares = other.predict_proba(selection.tracks[tested])
    assert not np.allclose(usual, shares)
    assert (other.classes_[shares.argmax(axis=1)] == selection.labels[tested]).mean() > 0.6


def test_ctrl_c_is_not_taken_for_an_early_end(selection: SplitDataset) -> None:
    """An interrupted training leaves no half-trained model."""
    model = estimators.build(TrainingConfig(estimator="mlp", params={"n_networks": 1}), threads=1)

    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    model.on_epoch(interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(selection.tracks, selection.labels, selection.validation())
    assert not hasattr(model, "weights_")


def test_networks_join_the_blend_on_request(selection: SplitDataset) -> None:
    """Their scores are pooled with the others, stored, and the same after loading."""
    tested = selection.held_out("test")
    choice = TrainingConfig(
        estimator="blend", params={"deep": True, "n_networks": 1, "n_rounds": 5}
    )
    made = estimators.build(choice, threads=2)
    model = soft_labels.fit(made, selection.training_set(), selection.validation())
    assert {"deep_sound", "deep_title"} < set(model.score_names_)
    assert model.weights_[:, model.score_names_.index("deep_sound")].max() > 0
    shares = model.predict_proba(selection.tracks[tested])
    packed = artifacts.serialise(ModelArtifact(model, selection.train_ids))
    again = artifacts.deserialise(packed).estimator
    assert np.array_equal(shares, again.predict_proba(selection.tracks[tested]))
    assert "torch" in artifacts.versions(again)
