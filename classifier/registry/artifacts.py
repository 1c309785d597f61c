"""Serialise trained models with skops (never pickle), and check them before inference."""

import hashlib
import json
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier.arrays import Ids
from classifier.errors import BrokenArtifact
from classifier.model_records import StoredModel
from classifier.ports import Estimator, RequiresLibraries
from classifier.registry import signature
from classifier.registry.artifact_checks import (
    TRUSTED_TYPES,
    UnsafeArtifact,
    check_estimator,
    check_size,
    check_types,
    report_damage,
)
from classifier.registry.skops_without_torch import skops_io
from genrebase.extras import install_hint

GOLDEN_ROWS: Final = 20
"""Tracks whose probabilities are stored with a model, to check it after an upgrade."""
PROBABILITY_TOLERANCE: Final = 1e-6
"""Other library versions may differ by rounding, in a probability by no more than this."""
_PACKAGE: Final = Path(__file__).parents[1]
_LIBRARIES: Final = ("numpy", "scikit-learn", "scipy", "skops")
NOT_INSTALLED: Final = "not installed"
_COMPRESSION: Final = 1  # half the size; higher levels only take longer


@dataclass(frozen=True, slots=True)
class ModelArtifact:
    """The content of an artifact."""

    estimator: Estimator
    train_ids: Ids
    """Its training tracks: for these its own predictions would be too good."""


def serialise(model: ModelArtifact) -> bytes:
    """Return the artifact's bytes."""
    content = {"estimator": model.estimator, "learned": model.train_ids}
    dumped: bytes = skops_io.dumps(
        content, compression=zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION
    )
    try:
        check_size(dumped)
    except UnsafeArtifact:  # its ratio is that of a decompression bomb
        dumped = skops_io.dumps(content)
    return dumped


def deserialise(artifact: bytes) -> ModelArtifact:
    """Return the content of the bytes; raise `BrokenArtifact` for damage and untrusted types."""
    check_types(artifact)
    with report_damage():
        content = skops_io.loads(artifact, trusted=sorted(TRUSTED_TYPES))
        check_estimator(content["estimator"])
        return ModelArtifact(content["estimator"], np.asarray(content["learned"], dtype=np.int64))


def load_model(model: StoredModel, artifact: bytes | None) -> ModelArtifact:
    """Return the content of a model's artifact after checking it.

    Raise `BrokenArtifact` if an earlier version trained it, or if the bytes are missing, changed
    or untrusted, or do not reproduce the golden probabilities, because they or the library
    versions changed.
    """
    again = "Train again with `classifier train`."
    if artifact is None:
        raise BrokenArtifact(f"Model {model.id} has no artifact anymore. {again}")
    model.refuse_earlier_version()
    try:
        signature.verify(
            model.artifact_sha256 or "", artifact, model.feature_schema, model.golden_rows
        )
        loaded = deserialise(artifact)
    except BrokenArtifact as error:
        raise BrokenArtifact(f"Model {model.id} cannot be used. {error} {again}") from error
    if tuple(map(str, loaded.estimator.classes_)) != model.classes:
        raise BrokenArtifact(
            f"Model {model.id} cannot be used. It predicts other genres than its "
            f"row names. {again}"
        )
    here = versions(loaded.estimator)
    missing = [name for name, version in here.items() if version == NOT_INSTALLED]
    if missing:
        raise BrokenArtifact(
            f"Model {model.id} needs {' and '.join(missing)}. {install_hint('deep')}"
        )
    if not reproduces_golden_predictions(loaded.estimator, model.golden_rows):
        stored = {name: model.versions.get(name) for name in here}
        reason = "it or its row was changed."
        if stored != here:
            reason = (
                f"it was made by other versions ({_format_versions(stored)}) than these "
                f"({_format_versions(here)})."
            )
        raise BrokenArtifact(
            f"Model {model.id} does not predict the probabilities that were stored with it: "
            f"{reason} {again}"
        )
    return loaded


def versions(estimator: Estimator | None = None) -> dict[str, str]:
    """Return the versions that an artifact depends on: Python, libraries and this project.

    An estimator's own libraries are included, as `NOT_INSTALLED` if they are missing.
    """
    numbers = {"python": platform.python_version()}
    numbers |= {name: metadata.version(name) for name in (*_LIBRARIES, "genrebase")}
    if isinstance(estimator, RequiresLibraries):
        numbers |= {name: _version(name) for name in estimator.libraries}
    return numbers


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED


def code_fingerprint() -> str:
    """Return the SHA-256 of this package's source code: other code may train another model."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def golden_predictions(
    estimator: Estimator, frame: pd.DataFrame, columns: list[str]
) -> dict[str, Any]:
    """Return up to 20 rows of `frame`, evenly spaced, with their predicted probabilities."""
    places = np.unique(np.linspace(0, len(frame) - 1, num=min(GOLDEN_ROWS, len(frame)), dtype=int))
    rows = json.loads(frame.iloc[places][columns].to_json(orient="values", double_precision=15))
    probabilities = estimator.predict_proba(pd.DataFrame(rows, columns=columns))
    return {"columns": columns, "rows": rows, "probabilities": probabilities.tolist()}


def reproduces_golden_predictions(estimator: Estimator, golden: Mapping[str, Any]) -> bool:
    """Return whether the estimator reproduces the stored probabilities of the stored rows."""
    try:
        stored = np.asarray(golden["probabilities"], dtype=float)
        frame = pd.DataFrame(golden["rows"], columns=golden["columns"])
        with np.errstate(all="ignore"):  # a changed number may overflow: it is no prediction then
            now = estimator.predict_proba(frame)
    except (ValueError, TypeError, AttributeError, LookupError):
        return False  # other versions may not even understand the object
    return bool(
        now.shape == stored.shape and np.allclose(now, stored, rtol=0, atol=PROBABILITY_TOLERANCE)
    )


def _format_versions(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in numbers.items())
