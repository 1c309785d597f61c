"""Synthetic tracks of separable genres, as database rows or as frames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine, func, insert, select

from classifier.data.raw_dataset import SIGHTING_COLUMNS, RawDataset
from collector.catalogue import genre_counters
from genrebase.store import features_provider, names, tables
from genrebase.store.engine import transaction
from genrebase.store.split import assign_side
from tests.database_states import filled_once
from tests.fakes import NOON

GENRES = ("blues", "metal", "techno")


@dataclass(frozen=True)
class Song:
    """One track, all that the tables want to know of it."""

    id: int
    title: str
    artists: tuple[int, ...]
    genre: int
    features: dict[str, float | int | None]
    year: int | None
    popularity: int


@dataclass
class Music:
    """A small catalogue."""

    genres: Sequence[str] = GENRES
    artists: int = 60
    songs_each: int = 8
    seed: int = 0
    guests: float = 0.1
    silent: float = 0.05
    shuffled: bool = False
    songs: list[Song] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        middle = random.uniform(0.2, 0.8, size=(len(self.genres), 9))
        for artist in range(self.artists):
            genre = artist % len(self.genres)
            style = middle[genre] + random.normal(0, 0.05, 9)
            for _ in range(self.songs_each):
                number = len(self.songs) + 1
                guest = int(random.integers(self.artists))
                credited = (artist,) if random.random() > self.guests else (artist, guest)
                self.songs.append(
                    Song(
                        id=number,
                        title=f"Song {number}",
                        artists=tuple(dict.fromkeys(credited)),
                        genre=genre,
                        features=self._features(style, random),
                        year=None if random.random() < self.silent else 1990 + genre * 10,
                        popularity=int(random.integers(0, 101)),
                    )
                )
        if self.shuffled:
            labels = random.permutation([song.genre for song in self.songs])
            self.songs = [
                Song(**{**song.__dict__, "genre": int(genre), "year": None})
                for song, genre in zip(self.songs, labels, strict=True)
            ]

    def _features(
        self, style: np.ndarray[Any, Any], random: np.random.Generator
    ) -> dict[str, float | int | None]:
        if random.random() < self.silent:
            return dict.fromkeys(tables.FEATURES)
        value = np.clip(style + random.normal(0, 0.06, 9), 0, 1)
        return {
            "danceability": value[0],
            "energy": value[1],
            "key": int(random.integers(12)),
            "loudness": -30 * value[2],
            "mode": int(random.integers(2)),
            "speechiness": value[3],
            "acousticness": value[4],
            "instrumentalness": value[5],
            "liveness": value[6],
            "valence": value[7],
            "tempo": 60 + 120 * value[8],
            "time_signature": 4,
        }

    def name(self, artist: int) -> str:
        return f"Artist {artist} of {self.seed}"

    def track(self, song: Song) -> dict[str, Any]:
        """Return the song as a row of `track`."""
        key = names.name_key(song.title, self.name(song.artists[0]))
        fold = names.hash_fold(key)
        return {
            "id": song.id,
            "identity": key,
            "name_key": key,
            "genre_id": song.genre + 1,
            "title": song.title,
            "artists": "; ".join(self.name(artist) for artist in song.artists),
            "release_year": song.year,
            "duration_ms": 180_000,
            "explicit": False,
            "popularity": song.popularity,
            "origin": "csv:music",
            "track_fold": fold,
            "side": assign_side(
                fold, [names.hash_fold(self.name(artist)) for artist in song.artists]
            ),
        }

    def fill(
        self, engine: Engine, at: datetime = NOON, songs: Sequence[Song] | None = None
    ) -> None:
        """Write everything, or only these songs, into a database."""
        if songs is None:
            filled_once(engine, (self._key(), at), lambda: self._fill(engine, at, songs))
        else:
            self._fill(engine, at, songs)

    def _key(self) -> tuple[object, ...]:
        """Return all that the rows depend on."""
        songs = (
            (song.id, song.title, song.artists, song.genre, song.year, song.popularity)
            for song in self.songs
        )
        features = (tuple(song.features.items()) for song in self.songs)
        return (type(self), tuple(self.genres), self.artists, self.seed, *songs, *features)

    def _fill(self, engine: Engine, at: datetime, songs: Sequence[Song] | None) -> None:
        chosen = self.songs if songs is None else songs
        with transaction(engine) as connection:
            if songs is None:
                connection.execute(
                    insert(tables.genre),
                    [
                        {"id": place, "name": name, "created_at": at}
                        for place, name in enumerate(self.genres, start=1)
                    ],
                )
                if engine.dialect.name == "postgresql":
                    connection.execute(select(func.setval("genre_id_seq", len(self.genres))))
                connection.execute(
                    insert(tables.artist),
                    [
                        {
                            "id": artist + 1,
                            "source": "name",
                            "source_id": names.normalise(self.name(artist)),
                            "name": self.name(artist),
                            "name_key": names.normalise(self.name(artist)),
                            "fold": names.hash_fold(self.name(artist)),
                        }
                        for artist in range(self.artists)
                    ],
                )
            seen = {"first_seen_at": at, "last_seen_at": at}
            connection.execute(
                insert(tables.track),
                [{**self.track(song), **seen, "updated_at": at} for song in chosen],
            )
            connection.execute(
                insert(tables.track_alias),
                [
                    {"source": "spotify", "source_id": spotify_id(song.id), "track_id": song.id}
                    for song in chosen
                ],
            )
            connection.execute(
                insert(tables.track_artist),
                [
                    {"track_id": song.id, "artist_id": artist + 1, "position": place}
                    for song in chosen
                    for place, artist in enumerate(song.artists)
                ],
            )
            connection.execute(
                insert(tables.sighting),
                [
                    {
                        "track_id": song.id,
                        "genre_id": song.genre + 1,
                        "source": "csv:music",
                        "best_rank": 0,
                        **seen,
                    }
                    for song in chosen
                ],
            )
            analysed = [song for song in chosen if song.features["energy"] is not None]
            connection.execute(
                insert(tables.audio_features),
                [
                    {"track_id": song.id, "provider": "csv", "fetched_at": at, **song.features}
                    for song in analysed
                ],
            )
            features_provider.choose_all(connection)
            genre_counters.recount(connection)

    def snapshot(self) -> RawDataset:
        """Return everything as the trainer reads it, without a database."""
        rows = [
            {
                "track_id": song.id,
                **{
                    name: value
                    for name, value in self.track(song).items()
                    if name not in {"id", "identity", "name_key", "genre_id", "origin"}
                },
                "album": None,
                "provider": "csv",
                "features_licence": None,
                **song.features,
                "claim": self.genres[song.genre],
                "verdict": None,
                "label": self.genres[song.genre],
                "genres_sighted": 1,
                "split": None,
            }
            for song in self.songs
        ]
        text = dict.fromkeys(
            (
                *("title", "artists", "album", "provider", "features_licence"),
                *("claim", "verdict", "label", "side"),
            ),
            "string",
        )
        whole = dict.fromkeys(("release_year", *tables.CATEGORICAL_FEATURES), "Int64")
        credit = [
            (song.id, artist + 1, place, names.hash_fold(self.name(artist)))
            for song in self.songs
            for place, artist in enumerate(song.artists)
        ]
        return RawDataset(
            tracks=pd.DataFrame(rows).astype({**text, **whole}),
            credits=pd.DataFrame(credit, columns=["track_id", "artist_id", "position", "fold"]),
            sightings=pd.DataFrame(
                {
                    "track_id": [song.id for song in self.songs],
                    "genre": [self.genres[song.genre] for song in self.songs],
                    "best_rank": range(len(self.songs)),
                },
                columns=SIGHTING_COLUMNS,
            ),
            genre_ids={name: place for place, name in enumerate(self.genres, start=1)},
            origin=None,
        )


def spotify_id(number: int) -> str:
    """Return 22 base-62 characters that stand for a number."""
    return f"{number:022d}"
