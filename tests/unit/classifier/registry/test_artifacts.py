"""Serialised models."""

import dataclasses
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

import classifier
from classifier import estimators
from classifier.data.training_data import split_dataset
from classifier.errors import BrokenArtifact
from classifier.estimators import blend
from classifier.experts import stacking_net
from classifier.model_records import StoredModel
from classifier.registry import artifacts, signature
from classifier.registry.artifacts import ModelArtifact
from classifier.training_config import TrainingConfig
from tests.fakes import NOON
from tests.synthetic_music import Music

COLUMNS = ["energy", "key", "tempo", "release_year", "explicit"]


@pytest.fixture(scope="module")
def packed() -> ModelArtifact:
    selection = split_dataset(Music().snapshot(), TrainingConfig())
    frame, labels = selection.tracks[selection.train_mask], selection.labels[selection.train_mask]
    model = estimators.build(TrainingConfig(estimator="logistic"), threads=1)
    return ModelArtifact(model.fit(frame, labels), selection.train_ids)


@pytest.fixture(scope="module")
def stored(packed: ModelArtifact) -> tuple[StoredModel, bytes]:
    data = artifacts.serialise(packed)
    golden_rows = artifacts.golden_predictions(
        packed.estimator, Music().snapshot().tracks, COLUMNS
    )
    model = StoredModel(
        id=3,
        created_at=NOON,
        task="main",
        status="champion",
        reason=None,
        estimator="logistic",
        params={},
        training_config={},
        feature_schema={"classes": list(packed.estimator.classes_), "columns": COLUMNS},
        data_fingerprint="",
        origin=None,
        trained_rows=1,
        seconds=1.0,
        metrics={},
        versions=artifacts.versions(),
        golden_rows=json.loads(json.dumps(golden_rows)),
        artifact_sha256=signature.checksum(data),
        pinned=False,
        track_counts={},
    )
    return model, data


def test_a_loaded_model_equals_the_stored_one(
    stored: tuple[StoredModel, bytes], packed: ModelArtifact
) -> None:
    """It gives identical predictions and has its training track ids."""
    again = artifacts.load_model(*stored)
    frame = Music(seed=5).snapshot().tracks
    expected = packed.estimator.predict_proba(frame)
    assert (again.estimator.predict_proba(frame) == expected).all()
    assert (again.train_ids == packed.train_ids).all()


def test_probes_are_twenty_rows_that_json_can_hold(stored: tuple[StoredModel, bytes]) -> None:
    """Missing values as null."""
    golden_rows = stored[0].golden_rows
    assert len(golden_rows["rows"]) == len(golden_rows["probabilities"]) == artifacts.GOLDEN_ROWS
    assert json.loads(json.dumps(golden_rows, allow_nan=False)) == golden_rows


def test_an_artifact_that_is_gone_or_changed_is_refused(stored: tuple[StoredModel, bytes]) -> None:
    """Each with the model's number and what to do."""
    model, data = stored
    with pytest.raises(BrokenArtifact, match=r"Model 3 has no artifact.*classifier train"):
        artifacts.load_model(model, None)
    with pytest.raises(BrokenArtifact, match="SHA-256 differs"):
        artifacts.load_model(model, data + b"x")


@pytest.mark.parametrize("data", [b"", b"no model", b"PK\x03\x04 half a zip"])
def test_a_damaged_artifact_is_refused(stored: tuple[StoredModel, bytes], data: bytes) -> None:
    """A checksum that matches the damage does not help."""
    model = dataclasses.replace(stored[0], artifact_sha256=signature.checksum(data))
    with pytest.raises(BrokenArtifact, match="Model 3 cannot be used"):
        artifacts.load_model(model, data)


def test_an_incomplete_artifact_is_refused(stored: tuple[StoredModel, bytes]) -> None:
    """A zip without the parts of its schema is refused."""
    with zipfile.ZipFile(io.BytesIO(stored[1])) as whole:
        schema = whole.read("schema.json")
    half = io.BytesIO()
    with zipfile.ZipFile(half, "w") as written:
        written.writestr("schema.json", schema)
    with pytest.raises(BrokenArtifact, match="cannot be read"):
        artifacts.deserialise(half.getvalue())


def test_foreign_types_are_never_loaded() -> None:
    """A function smuggled in is named, and not called."""
    smuggled = FunctionTransformer(io.open_code)
    data = skops.io.dumps({"estimator": smuggled, "learned": np.array([1])})
    with pytest.raises(BrokenArtifact, match=r"open_code.*was not loaded"):
        artifacts.deserialise(data)


def test_other_library_versions_need_equal_predictions(
    stored: tuple[StoredModel, bytes],
) -> None:
    """Golden rows must agree within 1e-6; otherwise both versions are named."""
    model, data = stored
    older = dataclasses.replace(model, versions={**model.versions, "scikit-learn": "1.0"})
    assert artifacts.load_model(older, data).estimator is not None
    shares = np.array(model.golden_rows["probabilities"])
    shares[0] = np.roll(shares[0], 1)
    drifted = dataclasses.replace(
        older, golden_rows={**model.golden_rows, "probabilities": shares.tolist()}
    )
    with pytest.raises(BrokenArtifact, match=r"does not predict.*scikit-learn 1\.0"):
        artifacts.load_model(drifted, data)


def test_the_codes_fingerprint_is_stable() -> None:
    """Nothing in it changes between two looks."""
    assert artifacts.code_fingerprint() == artifacts.code_fingerprint()


def test_the_codes_fingerprint_covers_the_whole_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of any module makes another fingerprint, also outside the registry."""
    before, read_bytes = artifacts.code_fingerprint(), Path.read_bytes
    for changed in (Path(classifier.__file__), Path(blend.__file__)):
        monkeypatch.setattr(
            Path,
            "read_bytes",
            lambda path, changed=changed: read_bytes(path) + (b"#" if path == changed else b""),
        )
        assert artifacts.code_fingerprint() != before


KEY = "0123456789-signing-key"


def signed(
    stored: tuple[StoredModel, bytes], monkeypatch: pytest.MonkeyPatch
) -> tuple[StoredModel, bytes]:
    """Return the model as it is stored where a key is set."""
    model, data = stored
    monkeypatch.setenv("CLASSIFIER_SIGNING_KEY", KEY)
    signed = signature.sign(data, model.feature_schema, model.golden_rows)
    return dataclasses.replace(model, artifact_sha256=signed), data


def test_a_signed_model_loads_with_its_key(
    stored: tuple[StoredModel, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seal holds no key, and what JSON does to the row does not break it."""
    model, data = signed(stored, monkeypatch)
    assert KEY not in str(model.artifact_sha256)
    again = dataclasses.replace(model, golden_rows=json.loads(json.dumps(model.golden_rows)))
    assert artifacts.load_model(again, data).estimator is not None


def test_a_changed_model_is_refused_whatever_its_checksum(
    stored: tuple[StoredModel, bytes], packed: ModelArtifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the key nobody makes a seal that fits: not for other bytes, rows or genres."""
    model, data = signed(stored, monkeypatch)
    other = artifacts.serialise(dataclasses.replace(packed, train_ids=packed.train_ids[:1]))
    schema = {**model.feature_schema, "classes": model.feature_schema["classes"][::-1]}
    for changed, content in (
        (model, other),
        (dataclasses.replace(model, artifact_sha256=signature.checksum(other)), other),
        (dataclasses.replace(model, artifact_sha256=signature.checksum(data)), data),
        (dataclasses.replace(model, golden_rows={}), data),
        (dataclasses.replace(model, feature_schema=schema), data),
    ):
        with pytest.raises(BrokenArtifact, match="Model 3 cannot be used"):
            artifacts.load_model(changed, content)


def test_a_signed_model_needs_the_key(
    stored: tuple[StoredModel, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither no key nor another one will do."""
    model, data = signed(stored, monkeypatch)
    monkeypatch.setenv("CLASSIFIER_SIGNING_KEY", KEY[::-1])
    with pytest.raises(BrokenArtifact, match="signature"):
        artifacts.load_model(model, data)
    monkeypatch.delenv("CLASSIFIER_SIGNING_KEY")
    with pytest.raises(BrokenArtifact, match="set CLASSIFIER_SIGNING_KEY"):
        artifacts.load_model(model, data)


def test_genres_are_those_of_the_row(stored: tuple[StoredModel, bytes]) -> None:
    """An estimator of other genres would give each probability a wrong name."""
    model, data = stored
    schema = {**model.feature_schema, "classes": model.feature_schema["classes"][::-1]}
    with pytest.raises(BrokenArtifact, match="other genres"):
        artifacts.load_model(dataclasses.replace(model, feature_schema=schema), data)


@pytest.mark.parametrize(
    "golden_rows",
    [{}, {"probabilities": "x", "columns": [], "rows": []}, {"probabilities": [[1]]}],
)
def test_golden_rows_that_cannot_be_used_reproduce_nothing(
    stored: tuple[StoredModel, bytes], golden_rows: dict[str, object]
) -> None:
    """A row that was changed is no error of ours: other versions are refused with it."""
    model, data = stored
    older = dataclasses.replace(
        model, golden_rows=golden_rows, versions={**model.versions, "numpy": "1.0"}
    )
    with pytest.raises(BrokenArtifact, match="other versions"):
        artifacts.load_model(older, data)


@pytest.mark.parametrize("genres", [3, stacking_net.MAX_GENRES + 1])
def test_an_ensemble_of_few_or_many_genres_is_loaded_again(genres: int) -> None:
    """All types of its base models are trusted, and it predicts the same."""
    selection = split_dataset(Music().snapshot(), TrainingConfig())
    frame = selection.tracks[selection.train_mask]
    labels = np.array([f"genre {place % genres:02}" for place in range(len(frame))])
    groups = ("audio", "metadata", "text", "history")
    model = blend.Blend(groups, n_networks=1, n_rounds=1).fit(frame, labels)
    data = artifacts.serialise(ModelArtifact(model, selection.train_ids))
    loaded = artifacts.deserialise(data)
    rows = frame.head(20)
    assert np.array_equal(loaded.estimator.predict_proba(rows), model.predict_proba(rows))
