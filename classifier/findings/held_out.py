"""A stored model before held-out tracks: what the commands that look into models begin with."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classifier.data import dataset, regimes
from classifier.data import training_data as selecting
from classifier.data.dataset import Database
from classifier.errors import TooFewTracks
from classifier.findings.importance import HeldOutTracks
from classifier.records import StoredModel
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class HeldOutModel:
    """A model, and the tracks of one side that it did not learn from."""

    champion: serving.LoadedModel
    """The model, ready to answer; it need not be the champion."""
    tracks: HeldOutTracks
    genre_ids: Mapping[str, int]
    """Name to number."""

    @property
    def model(self) -> StoredModel:
        """Return the model's row."""
        return self.champion.model


def load_held_out(database: Database, number: int | None, task: str, side: str) -> HeldOutModel:
    """Return model `number` (None: the champion of `task`) and the tracks of a held-out side.

    As the model was asked: its genres, labels and mapping. Raise `NoChampion`, `UnknownModel`,
    `BrokenArtifact`, or `TooFewTracks` where there is no such track.
    """
    model = (
        stored_models.champion(database, task)
        if number is None
        else stored_models.model(database, number)
    )
    champion = serving.load(database, model)
    choice = TrainingConfig.from_model(model)
    found = dataset.load_dataset(database, choice)
    selection = selecting.split_dataset(found, choice)
    learned = champion.artifact.train_ids
    chosen = selection.held_out(side) & np.isin(selection.labels, champion.classes)
    chosen &= ~np.isin(selection.ids, learned)
    if not chosen.any():
        raise TooFewTracks(
            f"There is no {side} track that model {model.id} has not learned from: "
            "harvest or import more, or ask about another model."
        )
    known = regimes.has_seen_artist(
        selection.ids,
        found.credits["track_id"].to_numpy(dtype=np.int64),
        found.credits["artist_id"].to_numpy(dtype=np.int64),
        learned,
    )
    asked = HeldOutTracks(
        selection.tracks[chosen].reset_index(drop=True),
        selection.labels[chosen],
        regimes.regime_of_side(selection.sides, known)[chosen],
        selection.artists[chosen],
    )
    return HeldOutModel(champion, asked, found.genre_ids)
