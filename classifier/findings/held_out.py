"""A stored model before held-out tracks: what the commands that look into models begin with."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classifier.data import dataset, regimes
from classifier.data import training_data as selecting
from classifier.data.dataset import Database
from classifier.errors import TooFewTracks
from classifier.findings.importance import Asked
from classifier.records import Choice, StoredModel
from classifier.serving import champion as serving


@dataclass(frozen=True, slots=True)
class Examined:
    """A model, and the tracks of one side that it did not learn from."""

    champion: serving.Champion
    """The model, ready to answer; it need not be the champion."""
    asked: Asked
    genres: Mapping[str, int]
    """Name to number."""

    @property
    def model(self) -> StoredModel:
        """Return the model's row."""
        return self.champion.model


def held_out(database: Database, number: int | None, task: str, side: str) -> Examined:
    """Return model `number` (None: the champion of `task`) and the tracks of a held-out side.

    As the model was asked: its genres, labels and mapping. Raise `NoChampion`, `UnknownModel`,
    `BrokenArtifact`, or `TooFewTracks` where there is no such track.
    """
    model = dataset.champion(database, task) if number is None else dataset.model(database, number)
    champion = serving.load(database, model)
    choice = Choice.of(model)
    found = dataset.snapshot(database, choice)
    selection = selecting.select(found, choice)
    learned = champion.packed.learned
    chosen = selection.on(side) & np.isin(selection.labels, champion.classes)
    chosen &= ~np.isin(selection.ids, learned)
    if not chosen.any():
        raise TooFewTracks(
            f"There is no {side} track that model {model.id} has not learned from: "
            "harvest or import more, or ask about another model."
        )
    known = regimes.familiar(
        selection.ids,
        found.credits["track_id"].to_numpy(dtype=np.int64),
        found.credits["artist_id"].to_numpy(dtype=np.int64),
        learned,
    )
    asked = Asked(
        selection.tracks[chosen].reset_index(drop=True),
        selection.labels[chosen],
        regimes.of_side(selection.sides, known)[chosen],
        selection.artists[chosen],
    )
    return Examined(champion, asked, found.genres)
