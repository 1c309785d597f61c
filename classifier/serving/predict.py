"""What the champion says about one track: a stored one, those of a title, or a described one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TrackNotFound
from classifier.features import audio
from classifier.features.groups import MATRICES
from classifier.records import StoredModel, TrackPrediction
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.training_config import TrainingConfig
from genrebase.store import tables

MAX_SEARCH_RESULTS: Final = 10
"""Tracks shown of a search."""

NUMERIC_INPUTS: Final = (*tables.FEATURES, "release_year", "duration_ms", "popularity", "explicit")
"""What a described track may tell in numbers."""
_MOST: Final = {
    **tables.FEATURE_RANGES,
    "release_year": (1900, 2200),
    "duration_ms": (0, float("inf")),
    "popularity": (0, 100),
    "explicit": (0, 1),
}
_HEARD: Final = tuple(audio.descriptor_column(name, "") for name in ("genrebase-1", "fma518"))
"""What the columns of descriptors that are heard in files begin with."""


@dataclass(frozen=True, slots=True)
class TrackDescription:
    """A track that need not be in the database."""

    title: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Some of `NUMERIC_INPUTS`, in the units of the view `scoring_tracks`."""
    audio: Mapping[str, float | str | bytes] = field(default_factory=dict)
    """What was heard of it, by column: harmony, descriptors, spectrum, `provider`."""

    def __post_init__(self) -> None:
        """Raise `BadTrainingConfig` for a number nobody knows, or one that cannot be."""
        for name, value in self.numbers.items():
            if name not in NUMERIC_INPUTS:
                near = get_close_matches(name, NUMERIC_INPUTS, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise BadTrainingConfig(
                    f"There is no feature {name!r}.{hint} Known: {', '.join(NUMERIC_INPUTS)}."
                )
            least, most = _MOST[name]
            if not least <= value <= most:
                raise BadTrainingConfig(
                    f"{name} is between {least:g} and {most:g}, not {value:g}."
                )

    def as_frame(self) -> pd.DataFrame:
        """Return it as a row of the view `scoring_tracks`; what is not told is unknown."""
        row = {
            "title": self.title,
            "artists": "; ".join(self.artists) or None,
            "album": self.album,
        }
        text = {name: pd.array([value], dtype="string") for name, value in row.items()}
        told = {**self.numbers, **self.audio}
        return pd.DataFrame({**text, **{name: [value] for name, value in told.items()}})


def predict_track(database: Database, text: str, *, task: str = "main") -> TrackPrediction:
    """Return the champion's answer for a source's id, a Spotify address or URI, or a `track.id`.

    The stored answer where there is one that still holds: for a track the champion learned from
    that is the one given out of fold. Otherwise it is worked out (and not stored).
    Raise `NoChampion` or `TrackNotFound`.
    """
    asked = _Asked(database, stored_models.champion(database, task))
    track = dataset.find_track(database, text)
    if track is None:
        raise TrackNotFound(
            f"There is no track {text!r}: give a source's id, a Spotify address or a track's "
            "number (the column `track_id` of the view `tracks`), or look for its title with "
            "--search."
        )
    return asked.stored(track)


def predict_search(database: Database, text: str, *, task: str = "main") -> list[TrackPrediction]:
    """Return the champion's answers for up to ten tracks that hold all words of `text`.

    In title or artists, the most popular first. Raise `NoChampion`, or `TrackNotFound` where no
    track holds them.
    """
    asked = _Asked(database, stored_models.champion(database, task))
    found = dataset.search_tracks(database, text, limit=MAX_SEARCH_RESULTS)
    if not found:
        raise TrackNotFound(
            f"No track has all of {text!r} in title and artists: try fewer words, or describe "
            "the track with --title and --artist."
        )
    return [asked.stored(track) for track in found]


def predict_described(
    database: Database, track: TrackDescription, *, task: str = "main"
) -> TrackPrediction:
    """Return the answer for a track that is only described; nothing is stored.

    It is the champion's, or that of its refit, which knows more artists. Raise `NoChampion`.
    """
    return DescriptionPredictor(database, task).predict(track)


class DescriptionPredictor:
    """Answers about tracks that need not be in the database, one after another."""

    def __init__(self, database: Database, task: str) -> None:
        """Load who answers; raise `NoChampion`."""
        champion = stored_models.champion(database, task)
        server = serving.serving_model(database, champion)
        self._database = database
        self._asked = _Asked(database, server.model, server)
        self._champion = _Asked(database, champion)

    @property
    def uses_audio(self) -> bool:
        """Tell whether the model learned from descriptors or spectra that are heard in files."""
        model = self._asked.model
        described = any(name.startswith(_HEARD) for name in model.feature_schema["columns"])
        return described or MATRICES in TrainingConfig.from_model(model).features

    def predict(self, track: TrackDescription) -> TrackPrediction:
        """Return the answer for a track that is only described."""
        asked = self._asked
        known = dataset.tracks_of_artists(self._database, track.artists)
        seen = bool(np.isin(known, asked.champion.artifact.train_ids).any())
        top = asked.top(track.as_frame())
        regime = "seen_artist" if seen else "new_artist"
        found = dataset.StoredPrediction(top, regime, in_training=False)
        return asked.answer(None, track.title or "", track.artists, found)

    def predict_file(self, digest: str, track: TrackDescription) -> TrackPrediction:
        """Return the answer for a sound; that of its track where the database knows it."""
        known = dataset.find_track(self._database, digest)
        return self.predict(track) if known is None else self._champion.stored(known)


@dataclass(frozen=True)
class _Asked:
    """The champion, loaded when the stored answers do not do."""

    database: Database
    model: StoredModel
    loaded: serving.LoadedModel | None = None

    @cached_property
    def champion(self) -> serving.LoadedModel:
        return self.loaded or serving.load(self.database, self.model)

    @cached_property
    def credits(self) -> pd.DataFrame:
        return dataset.track_credits(self.database)

    def stored(self, track: int) -> TrackPrediction:
        found = dataset.stored_prediction(self.database, self.model, track)
        row = dataset.scoring_rows(self.database, np.array([track])).iloc[0]
        if found is None:
            found = self._fresh(track)
        return self.answer(track, str(row["title"]), (str(row["artists"]),), found)

    def answer(
        self,
        track: int | None,
        title: str,
        artists: Sequence[str],
        found: dataset.StoredPrediction,
    ) -> TrackPrediction:
        return TrackPrediction(
            track,
            title,
            "; ".join(artists),
            found.top,
            self.model.id,
            found.regime,
            found.in_training,
            self.model.origin,
        )

    def top(self, frame: pd.DataFrame) -> tuple[tuple[str, float], ...]:
        shares = self.champion.predict_proba(frame).iloc[0]
        ranked = shares.sort_values(ascending=False, kind="stable").head(serving.TOP_K)
        return tuple((str(genre), float(share)) for genre, share in ranked.items())

    def _fresh(self, track: int) -> dataset.StoredPrediction:
        ids, learned = np.array([track]), self.champion.artifact.train_ids
        seen = regimes.has_seen_artist(
            ids,
            self.credits["track_id"].to_numpy(dtype=np.int64),
            self.credits["artist_id"].to_numpy(dtype=np.int64),
            learned,
        )
        top = self.top(
            dataset.scoring_rows(self.database, ids, TrainingConfig.from_model(self.model))
        )
        regime = "seen_artist" if seen[0] else "new_artist"
        return dataset.StoredPrediction(top, regime, bool(np.isin(track, learned)))
