"""Delete tracks with their dependent rows, or strip those with verdicts to their identity."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, Self

from sqlalchemy import Connection, Table

from collector.catalogue import analysis_queue
from genrebase.store import bulk, features_provider, search_index, tables

STRIPPED_COLUMNS: Final = (
    "album",
    "release_date",
    "release_year",
    "explicit",
    "popularity",
    "split",
)
"""Columns to blank in a track that has a label. Duration and ISRC stay: they identify which of
several recordings of one name the label is about."""

BY_PROVIDER: Final = (
    tables.audio_features,
    tables.acousticbrainz_recording,
    tables.descriptor,
    *analysis_queue.ANALYSIS_TABLES,
)
"""Tables in which a kept track loses one provider's rows, and keeps those of others."""

_NOT_FORGOTTEN: Final = (
    tables.track_alias,
    tables.track_artist,
    tables.merged_track,
    tables.verdict,
    tables.feature_attempt,
    *BY_PROVIDER,
)
"""Tables whose rows about a kept track are not all deleted."""


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """Counts of rows that one batch, or all of them, removed."""

    tracks: int = 0
    kept_for_labels: int = 0
    """Tracks with a label by a person: they stay, without what else the origin delivered."""
    sightings: int = 0
    artists: int = 0
    """Orphan artists: those left without a track."""

    def __add__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


def emptied_tables() -> list[Table]:
    """Return the tables whose rows about a kept track are deleted, also those added later."""
    return [
        table
        for table in tables.metadata.sorted_tables
        if table not in _NOT_FORGOTTEN
        and any(key.column is tables.track.c.id for key in table.foreign_keys)
    ]


def delete_tracks(connection: Connection, track_ids: Sequence[int]) -> int:
    """Delete tracks and all rows that refer to them; return the number of deleted orphan artists.

    The caller updates the counters of the genres.
    """
    credited = bulk.rows_of(connection, "track_artist", "track_id", track_ids, ["artist_id"])
    bulk.execute_in(connection, "DELETE FROM track WHERE id", track_ids)
    search_index.remove(connection, track_ids)
    return delete_orphan_artists(connection, sorted({artist_id for (artist_id,) in credited}))


def strip_tracks(
    connection: Connection, track_ids: Sequence[int], provider: str, now: datetime
) -> None:
    """Strip tracks to their identity: name, credits, ids, duration, ISRC.

    Of their features, those of `provider` are deleted.
    """
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    blank = ", ".join(f"{name} = NULL" for name in STRIPPED_COLUMNS)
    statement = f"UPDATE track SET updated_at = {{mark}}, {blank} WHERE id"
    bulk.execute_in(connection, statement, track_ids, moment)
    for table in emptied_tables():
        bulk.execute_in(connection, f"DELETE FROM {table.name} WHERE track_id", track_ids)
    for table in BY_PROVIDER:
        by_provider = f"DELETE FROM {table.name} WHERE provider = {{mark}} AND track_id"
        bulk.execute_in(connection, by_provider, track_ids, provider)
    features_provider.choose(connection, track_ids)


def delete_orphan_artists(connection: Connection, artist_ids: Sequence[int]) -> int:
    """Delete those of these artists that have no track; return how many."""
    rows = bulk.select_in(
        connection,
        "SELECT listed.value FROM {values} WHERE NOT EXISTS"
        " (SELECT 1 FROM track_artist c WHERE c.artist_id = listed.value)",
        artist_ids,
    )
    orphans = [artist_id for (artist_id,) in rows]
    bulk.execute_in(connection, "DELETE FROM artist WHERE id", orphans)
    return len(orphans)


def tracks_with_rows(connection: Connection, table: str, track_ids: Sequence[int]) -> set[int]:
    rows = bulk.rows_of(connection, table, "track_id", track_ids, ["track_id"])
    return {track_id for (track_id,) in rows}
