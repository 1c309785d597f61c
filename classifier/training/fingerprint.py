"""Has the data changed? Fingerprint a training's tracks and code, to train nothing twice."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.data.training_data import SplitDataset
from classifier.errors import BrokenArtifact
from classifier.features import groups
from classifier.model_records import StoredModel
from classifier.ports import Estimator
from classifier.registry import artifacts, stored_models
from classifier.serving import champion as serving
from classifier.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class TrainingFingerprint:
    """The data and code of a training, as they are stored with its model."""

    data: str
    """SHA-256 of the tracks."""
    versions: Mapping[str, str]
    """Versions of Python, libraries and this project, and the SHA-256 of our source code."""

    @classmethod
    def of(cls, split: SplitDataset, estimator: Estimator) -> "TrainingFingerprint":
        """Return the fingerprint of training `estimator` on `split`."""
        code = {"code": artifacts.code_fingerprint()}
        return cls(data_fingerprint(split), {**artifacts.versions(estimator), **code})

    def matches(self, model: StoredModel) -> bool:
        """Return whether a model was trained on the same data by the same code."""
        return model.data_fingerprint == self.data and model.versions == self.versions


def data_fingerprint(split: SplitDataset) -> str:
    """Return the SHA-256 of everything that a training uses of the tracks, and of its licences."""
    columns = [
        *dataset.INPUT_COLUMNS,
        *groups.analysis_columns(split.tracks),
        "label",
        "verdict",
        "genres_sighted",
        "track_fold",
        "side",
    ]
    rows = split.tracks.loc[split.in_task, columns]
    digest = hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    digest.update(split.train_mask[split.in_task].tobytes())
    digest.update(split.artists[split.in_task].tobytes())
    training_set = split.training_set()
    if training_set.sightings is not None:
        hashes = pd.util.hash_pandas_object(training_set.sightings, index=False).to_numpy()
        digest.update(np.sort(hashes).tobytes())
    if split.soft_labels:
        digest.update(pd.util.hash_array(training_set.labels.astype(object)).tobytes())
        digest.update(regimes.ids_of(training_set.frame).tobytes())
    if split.label_shares is not None and training_set.weights is not None:
        digest.update(training_set.weights.tobytes())
    digest.update(repr(split.sources.licences()).encode())
    return digest.hexdigest()


def find_identical(
    database: Database,
    config: TrainingConfig,
    fingerprint: TrainingFingerprint,
    snapshot: Mapping[str, Any] | None,
) -> StoredModel | None:
    """Return the model that this training would only reproduce; None if there is none.

    `snapshot` names the snapshot that it trains on. A champion that cannot be loaded is not
    counted: it has to be trained again.
    """
    for model in stored_models.models(database, config.task):
        same = (
            fingerprint.matches(model)
            and model.estimator == config.estimator
            and model.params == dict(config.params)
            and model.training_config == config.as_json()
            and model.feature_schema.get("snapshot") == snapshot
            and model.status != "refit"
        )
        if same and (model.status != "champion" or _can_be_loaded(database, model)):
            return model
    return None


def find_identical_refit(
    database: Database, parent: StoredModel, fingerprint: TrainingFingerprint
) -> StoredModel | None:
    """Return the refit of `parent` on the same data by the same code; None if there is none."""
    for model in stored_models.models(database, parent.task):
        refit = model.status == "refit" and model.parent_id == parent.id
        if refit and model.has_artifact and fingerprint.matches(model):
            return model
    return None


def _can_be_loaded(database: Database, model: StoredModel) -> bool:
    try:
        serving.load(database, model)
    except BrokenArtifact:
        return False
    return True
