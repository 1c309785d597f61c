from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Engine, select

from collector.catalogue import tracks
from collector.records import (
    ArtistCredit,
    AudioFeatures,
    Provenance,
    SourceTrack,
    TrackObservation,
)
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON

Store = Callable[..., dict[str, int]]


def spotify_id(name: str) -> str:
    """Return an id that looks like Spotify's."""
    return name.ljust(22, "0")


def _found(name: str, features: AudioFeatures | None, source: str) -> SourceTrack:
    credit = ArtistCredit(f"The {name}s")
    return SourceTrack(source, spotify_id(name), name, (credit,), features=features)


@pytest.fixture
def store(engine: Engine) -> Store:
    """Return a function that stores tracks by name, and returns their ids by name."""

    def stored(
        names: Sequence[str],
        *,
        features: AudioFeatures | None = None,
        source: str = "spotify",
        origin: str = "spotify",
    ) -> dict[str, int]:
        seen = [
            TrackObservation(_found(name, features, source), "rock", rank)
            for rank, name in enumerate(names)
        ]
        track = tables.track
        with transaction(engine) as connection:
            tracks.record(connection, seen, Provenance(origin, provider="csv"), NOON)
        with read_transaction(engine) as connection:
            rows = connection.execute(select(track.c.title, track.c.id)).all()
        return {title: track_id for title, track_id in rows if title in names}

    return stored
