"""Sightings: in which genre a source returned a track, at which best rank, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from genrebase.store import bulk, tables

_COLUMNS: Final = (
    "track_id",
    "genre_id",
    "best_rank",
    "times",
    "first_seen_at",
    "last_seen_at",
)
_BETTER_RANK: Final = (
    "best_rank = CASE WHEN excluded.best_rank < sighting.best_rank"
    " THEN excluded.best_rank ELSE sighting.best_rank END"
)
_SEEN_AGAIN: Final = f"{_BETTER_RANK}, last_seen_at = excluded.last_seen_at"
_COUNTED_AGAIN: Final = f"{_SEEN_AGAIN}, times = sighting.times + excluded.times"
_MERGE: Final = f"""
    INSERT INTO sighting ({", ".join(_COLUMNS)})
    SELECT {{track}}, {{genre}}, best_rank, times, first_seen_at, last_seen_at
    FROM sighting WHERE {{of}}
    ON CONFLICT (track_id, genre_id) DO UPDATE SET {_BETTER_RANK},
        times = sighting.times + excluded.times,
        first_seen_at = CASE WHEN excluded.first_seen_at < sighting.first_seen_at
                        THEN excluded.first_seen_at ELSE sighting.first_seen_at END,
        last_seen_at = CASE WHEN excluded.last_seen_at > sighting.last_seen_at
                       THEN excluded.last_seen_at ELSE sighting.last_seen_at END
"""
_MERGE_TRACKS: Final = text(
    _MERGE.format(track=":older", genre="genre_id", of="track_id = :younger")
)
_MERGE_GENRES: Final = text(
    _MERGE.format(track="track_id", genre=":into", of="genre_id = :merged")
)


@dataclass(slots=True)
class BatchSighting:
    """A track in a genre, as one batch holds it."""

    rank: int
    """The best one."""
    times: int
    """0 if every row was counted before."""


def store(
    connection: Connection, sighted: Mapping[tuple[int, int], BatchSighting], now: datetime
) -> None:
    """Store the sightings of a batch, per (track id, genre id)."""
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    counted: list[bulk.Row] = []
    uncounted: list[bulk.Row] = []
    for (track_id, genre_id), seen in sighted.items():
        row = (track_id, genre_id, seen.rank, max(seen.times, 1), moment, moment)
        (counted if seen.times else uncounted).append(row)
    bulk.upsert(connection, tables.sighting, _COLUMNS, counted, update=_COUNTED_AGAIN)
    bulk.upsert(connection, tables.sighting, _COLUMNS, uncounted, update=_SEEN_AGAIN)


def merge_tracks(connection: Connection, older: int, younger: int) -> None:
    """Give the older track the younger's sightings, merged in genres of both."""
    connection.execute(_MERGE_TRACKS, {"older": older, "younger": younger})


def merge_genres(connection: Connection, merged: int, into: int) -> None:
    """Give a genre the sightings of another, merged for tracks of both."""
    connection.execute(_MERGE_GENRES, {"merged": merged, "into": into})
