"""Load a model with held-out tracks: what feature importance and separability start from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classifier.data import dataset, regimes, training_data
from classifier.data.dataset import Database
from classifier.errors import TooFewTracks
from classifier.findings.importance import HeldOutTracks
from classifier.model_records import StoredModel
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class HeldOutModel:
    """A model, and the tracks of one split that it was not trained on."""

    loaded_model: serving.LoadedModel
    tracks: HeldOutTracks
    genre_ids: Mapping[str, int]

    @property
    def model(self) -> StoredModel:
        return self.loaded_model.model


def load_held_out(database: Database, number: int | None, task: str, side: str) -> HeldOutModel:
    """Load model `number` (None: the champion of `task`) and the tracks of a held-out side.

    The tracks have the model's genres, label policy and mapping. Raise `NoChampion`,
    `BrokenArtifact`, `TooFewTracks` without such a track, or `UserError` without the model.
    """
    model = stored_models.model_or_champion(database, number, task)
    loaded_model = serving.load(database, model)
    config = TrainingConfig.from_model(model)
    raw = dataset.load_dataset(database, config)
    split = training_data.split_dataset(raw, config)
    train_ids = loaded_model.artifact.train_ids
    rows = split.held_out(side) & np.isin(split.labels, loaded_model.classes)
    rows &= ~np.isin(split.ids, train_ids)
    if not rows.any():
        raise TooFewTracks(
            f"There is no {side} track that model {model.id} was not trained on: "
            "harvest or import more, or name another model."
        )
    seen_artist = regimes.has_seen_artist(split.ids, raw.credits, train_ids)
    tracks = HeldOutTracks(
        split.tracks[rows].reset_index(drop=True),
        split.labels[rows],
        regimes.regime_of_side(split.sides, seen_artist)[rows],
        split.artists[rows],
    )
    return HeldOutModel(loaded_model, tracks, raw.genre_ids)
