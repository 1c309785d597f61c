"""Thousands of damaged and edited artifacts: each is refused, or predicts what it did before."""

import dataclasses
import io
import json
import resource
import zipfile
from collections import Counter
from typing import Any

import numpy as np
import pytest

from classifier import estimators
from classifier.data.training_data import split_dataset
from classifier.errors import BrokenArtifact
from classifier.model_records import StoredModel
from classifier.registry import artifacts, signature
from classifier.registry.artifacts import ModelArtifact
from classifier.training_config import TrainingConfig
from tests.fakes import NOON
from tests.synthetic_music import Music

COLUMNS = ["energy", "key", "tempo", "release_year", "explicit"]
ESTIMATORS = ("logistic", "random_forest", "gradient_boosting", "svm", "knn", "adaboost")
PER_ESTIMATOR = 920
"""With six estimators 5,520 artifacts: two of eleven have edited fields, one edited numbers."""
MAX_GROWTH = 1.2

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]


def train(name: str) -> tuple[StoredModel, bytes, Any, Any]:
    split = split_dataset(Music().snapshot(), TrainingConfig())
    frame, labels = split.tracks[split.train_mask], split.labels[split.train_mask]
    fitted = estimators.build(TrainingConfig(estimator=name), threads=1).fit(frame, labels)
    data = artifacts.serialise(ModelArtifact(fitted, split.train_ids))
    model = StoredModel(
        id=3,
        created_at=NOON,
        task="main",
        status="champion",
        reason=None,
        estimator=name,
        params={},
        training_config={},
        feature_schema={"classes": list(fitted.classes_), "columns": COLUMNS},
        data_fingerprint="",
        origin=None,
        trained_rows=1,
        seconds=1.0,
        metrics={},
        versions=artifacts.versions(),
        golden_rows=artifacts.golden_predictions(fitted, frame, COLUMNS),
        artifact_sha256=signature.checksum(data),
        pinned=False,
        track_counts={},
    )
    return model, data, frame, fitted.predict_proba(frame)


def flip_bytes(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for place in random.integers(0, len(data), size=random.integers(1, 5)):
        changed[place] ^= int(random.integers(1, 256))
    return bytes(changed)


def repack(data: bytes, random: np.random.Generator, *, fields: bool) -> bytes:
    """Change a member of the archive and pack it again, so that every checksum fits."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    arrays = [name for name in members if name.endswith(".npy")]
    if fields or not arrays:
        members["schema.json"] = _edit(json.loads(members["schema.json"]), random)
    else:
        name = arrays[int(random.integers(len(arrays)))]
        members[name] = members[name][:128] + flip_bytes(members[name][128:] or b"x", random)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _edit(schema: Any, random: np.random.Generator) -> bytes:
    """Replace one value of the schema by another of another kind."""
    values: list[tuple[Any, Any]] = []
    pending = [schema]
    while pending:
        part = pending.pop()
        keys = part.keys() if isinstance(part, dict) else range(len(part))
        for key in keys:
            values.append((part, key))
            if isinstance(part[key], dict | list):
                pending.append(part[key])
    holder, key = values[int(random.integers(len(values)))]
    other = [None, 0, -1, 2**40, 0.5, "", "x", [], {}, True]
    holder[key] = other[int(random.integers(len(other)))]
    return json.dumps(schema).encode()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_whatever_is_changed_is_refused_or_predicts_the_same(name: str) -> None:
    """No crash, no endless loop, no other answer, and hardly more memory."""
    model, data, frame, expected = train(name)
    artifacts.load_model(model, data).estimator.predict_proba(frame)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes: Counter[str] = Counter()
    for seed in range(PER_ESTIMATOR):
        random = np.random.default_rng(seed)
        kind = {0: "repack", 1: "fields", 2: "fields"}.get(seed % 11, "flip")
        changed = (
            flip_bytes(data, random)
            if kind == "flip"
            else repack(data, random, fields=kind == "fields")
        )
        row = dataclasses.replace(model, artifact_sha256=signature.checksum(changed))
        try:
            loaded = artifacts.load_model(row, changed)
        except BrokenArtifact:
            outcomes[f"{kind} refused"] += 1
            continue
        try:
            with np.errstate(all="ignore"):
                now = loaded.estimator.predict_proba(frame)
        except ValueError:  # of numpy or scikit-learn, in Python
            outcomes[f"{kind} error"] += 1
            continue
        same = now.shape == expected.shape and np.allclose(now, expected, rtol=0, atol=1e-6)
        outcomes[f"{kind} {'equal' if same else 'other'}"] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak <= MAX_GROWTH * before
    assert outcomes["flip refused"] > PER_ESTIMATOR / 2
    # a number that no reference prediction depends on can be edited: only a signature shows that
    assert {name for name in outcomes if name.endswith((" other", " error"))} <= {
        "repack other",
        "repack error",
    }
