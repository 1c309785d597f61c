"""Inference for a server: the models stay in memory, and one call predicts many tracks.

A request is prepared (stored tracks are looked up in the database), predicted together with
others, and completed. Preparing and completing need no model, so that they can run in other
threads. The artists of described tracks are looked up for all requests of a call at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids
from classifier.data import dataset, named_tracks, regimes, rows_to_predict
from classifier.data.dataset import Database
from classifier.data.named_tracks import NamedArtists
from classifier.data.rows_to_predict import StoredPrediction
from classifier.model_records import TrackPrediction
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.serving.champion import LoadedModel
from classifier.serving.predict_track import TrackDescription, described_rows, unused_texts
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.store import names

MAX_ITEMS: Final = 1_000
"""Tracks of one request."""

Item = TrackDescription | str
"""A described track, or the id of a stored one (see `genrebase.store.find`)."""
Result = TrackPrediction | UserError
"""The prediction, or why there is none for this item."""
Probabilities = NDArray[np.float64]
Artists = Mapping[str, NamedArtists]
"""The stored artists by normalised name."""
Place = tuple[int, TrackPrediction]
"""The place of a track in its request, and its prediction, which has no genres yet."""
Rows = pd.DataFrame | Sequence[TrackDescription]
"""Rows for a model. Descriptions of several requests become one frame: 32 frames take twenty
times as long as one of 32 rows."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """What identifies the models in use: another champion or refit has other values."""

    champion: int
    refit: int | None
    checksum: str | None
    """Of the champion's artifact: a database may be replaced by another one."""


@dataclass(frozen=True, slots=True)
class RowsToPredict:
    """Rows for one call of a model: of stored tracks, or descriptions."""

    model: LoadedModel
    rows: Rows
    places: Sequence[Place] = ()
    """Of stored tracks."""
    described: Mapping[int, TrackDescription] = field(default_factory=dict)
    """Descriptions by their place in the request."""
    find_artists: Callable[[Sequence[TrackDescription]], Artists] | None = None
    """Looks up the artists of descriptions, of several requests at once."""

    def parts(self, size: int) -> list[Rows]:
        """Return the rows in parts of at most this size."""
        rows = self.rows
        starts = range(0, len(rows), size)
        if isinstance(rows, pd.DataFrame):
            return [rows.iloc[start : start + size] for start in starts]
        return [rows[start : start + size] for start in starts]


@dataclass(frozen=True, slots=True)
class PredictedRows:
    """What a model returned for rows."""

    probabilities: Probabilities
    """(tracks, genres)"""
    artists: Artists = field(default_factory=dict)
    """Those of descriptions, and perhaps others."""


@dataclass(slots=True)
class PreparedRequest:
    """The tracks of a request: those with a stored prediction, and rows for the models."""

    results: list[Result | None]
    """One per item; None: it is in `rows`."""
    rows: list[RowsToPredict] = field(default_factory=list)


def frame_of(parts: Sequence[Rows]) -> pd.DataFrame:
    """Return the rows of all parts (at least one row), in their order, as one frame."""
    frames: list[pd.DataFrame] = []
    described: list[TrackDescription] = []
    for part in parts:
        if not isinstance(part, pd.DataFrame):
            described += part
            continue
        if described:
            frames.append(described_rows(described))
            described = []
        frames.append(part)
    if described:
        frames.append(described_rows(described))
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def find_version(database: Database, task: str) -> ModelVersion:
    """Return the version of the stored champion and its refit; raise `NoChampion`."""
    champion = stored_models.champion(database, task)
    refit = stored_models.latest_refit_id(database, champion.id)
    return ModelVersion(champion.id, refit, champion.artifact_sha256)


class ServedModels:
    """A champion and the model that predicts described tracks: its refit, or itself."""

    def __init__(self, database: Database, task: str) -> None:
        """Load and check the model of described tracks; raise `NoChampion`, `BrokenArtifact`."""
        self.version = find_version(database, task)
        self._database = database
        self._champion = stored_models.champion(database, task)
        self._lock = Lock()
        self.of_descriptions: Final = serving.serving_model(database, self._champion)
        self._trained_artists = rows_to_predict.artists_of(
            database, np.sort(self.of_descriptions.artifact.train_ids)
        )
        """Sorted ids of the artists of its training tracks."""

    @property
    def descriptor_sets(self) -> tuple[str, ...]:
        """The descriptor sets that the model of described tracks was trained on."""
        return TrainingConfig.from_model(self.of_descriptions.model).descriptor_sets

    def prepare(self, items: Sequence[Item]) -> PreparedRequest:
        """Return the rows of at most `MAX_ITEMS` items; ids are looked up in the database."""
        prepared = PreparedRequest([None] * len(items))
        described = {at: one for at, one in enumerate(items) if not isinstance(one, str)}
        if described:
            prepared.rows.append(
                RowsToPredict(
                    self.of_descriptions,
                    list(described.values()),
                    described=described,
                    find_artists=self.find_artists,
                )
            )
        ids = {at: one for at, one in enumerate(items) if isinstance(one, str)}
        if ids:
            self._prepare_stored(ids, prepared)
        return prepared

    def complete(
        self, prepared: PreparedRequest, predicted: Sequence[PredictedRows]
    ) -> list[Result]:
        """Return a result per item, from what was predicted for each of the prepared rows."""
        for part, output in zip(prepared.rows, predicted, strict=True):
            shares, classes = output.probabilities, part.model.classes
            order, best = serving.top_k(shares, np.arange(len(classes)))
            places = part.places or self._places(part.described, output.artists)
            for (item, track), *top in zip(places, order.tolist(), best.tolist(), strict=True):
                genres = tuple((classes[at], share) for at, share in zip(*top, strict=True))
                prepared.results[item] = replace(track, top=genres)
        return [result for result in prepared.results if result is not None]

    def find_artists(self, tracks: Sequence[TrackDescription]) -> Artists:
        """Return the stored artists with the names of the artists of these tracks."""
        keys = {names.normalise(name) for track in tracks for name in track.artists}
        return named_tracks.artists_named(self._database, keys)

    def _places(self, described: Mapping[int, TrackDescription], artists: Artists) -> list[Place]:
        """Return the places of descriptions."""
        places, model = [], self.of_descriptions.model
        for item, track in described.items():
            keys = map(names.normalise, track.artists)
            credited = [artists[key] for key in keys if key in artists]
            seen = any(_contains(self._trained_artists, one.ids) for one in credited)
            splits = {name for one in credited for name in one.splits}
            held_out = next((one for one in regimes.HELD_OUT_SIDES if one in splits), None)
            prediction = TrackPrediction(
                None, track.title or "", "; ".join(track.artists), (), model.id,
                regimes.regime_of(seen_artist=seen), in_training=False, origin=model.origin,
                held_out=None if seen else held_out, unused_texts=unused_texts(model, track),
            )  # fmt: skip
            places.append((item, prediction))
        return places

    def _prepare_stored(self, texts: Mapping[int, str], prepared: PreparedRequest) -> None:
        champion, tracks = self._champion, named_tracks.named_tracks(self._database, texts)
        ids = {one.id for one in tracks.values() if not isinstance(one, UserError)}
        stored = rows_to_predict.stored_predictions(self._database, champion, sorted(ids))
        missing: dict[int, list[Place]] = {}
        for at, row in tracks.items():
            if isinstance(row, UserError):
                prepared.results[at] = row
                continue
            held_out = row.split if row.split in regimes.HELD_OUT_SIDES else None
            one = stored.get(row.id) or StoredPrediction((), "", in_training=False)
            prediction = TrackPrediction(
                row.id, row.title, row.artists, one.top, champion.id, one.regime, one.in_training,
                champion.origin, held_out,
            )  # fmt: skip
            if one.top:
                prepared.results[at] = prediction
            else:
                missing.setdefault(row.id, []).append((at, prediction))
        if missing:
            prepared.rows.append(self._stored_rows(missing))

    def _stored_rows(self, places: Mapping[int, Sequence[Place]]) -> RowsToPredict:
        """Return the rows of tracks without a prediction that is stored and current."""
        model = self.loaded_champion
        config, tracks = TrainingConfig.from_model(model.model), np.array(sorted(places))
        frame = rows_to_predict.scoring_rows(self._database, tracks, config)
        train_ids = model.artifact.train_ids
        rows, completed = [], []
        for at, track in enumerate(regimes.ids_of(frame).tolist()):
            others = dataset.tracks_sharing_artists(self._database, track)
            regime = regimes.regime_of(seen_artist=bool(np.isin(others, train_ids).any()))
            in_training = bool(np.isin(track, train_ids))
            for item, one in places[track]:
                rows.append(at)
                completed.append((item, replace(one, regime=regime, in_training=in_training)))
        return RowsToPredict(model, frame.iloc[rows], completed)

    @cached_property
    def _champion_model(self) -> LoadedModel:
        return serving.load(self._database, self._champion)

    @property
    def loaded_champion(self) -> LoadedModel:
        """The champion itself; loaded by its first use where a refit predicts described tracks."""
        if self.of_descriptions.model.id == self._champion.id:
            return self.of_descriptions
        with self._lock:
            return self._champion_model


def _contains(sorted_ids: Ids, wanted: Iterable[int]) -> bool:
    for one in wanted:
        at = int(np.searchsorted(sorted_ids, one))
        if at < len(sorted_ids) and sorted_ids[at] == one:
            return True
    return False
