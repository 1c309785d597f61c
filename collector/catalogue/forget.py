"""Retention: delete tracks last seen long ago, strip those with labels, delete orphan artists."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, or_, select

from collector.catalogue import analysis_queue, primary_genre
from genrebase.store import bulk, tables

_track = tables.track

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

_BY_PROVIDER: Final = (tables.audio_features, tables.descriptor, *analysis_queue.ANALYSIS_TABLES)
"""Tables in which a kept track loses the origin's rows, and keeps those of other providers."""

_NOT_FORGOTTEN: Final = (
    tables.track_alias,
    tables.track_artist,
    tables.verdict,
    tables.feature_attempt,
    *_BY_PROVIDER,
)
"""Tables whose rows about a kept track are not all deleted."""


@dataclass(frozen=True, slots=True)
class OverdueTracks:
    """The tracks to forget: delivered by `origin`, last seen before `before`."""

    origin: str
    before: datetime

    @property
    def provider(self) -> str:
        """The provider name of features that came from the origin."""
        return self.origin.partition(":")[0]


@dataclass(frozen=True, slots=True)
class ForgetCounts:
    """Rows that one batch, or all of them, removed."""

    tracks: int = 0
    kept_for_labels: int = 0
    """Tracks with a label by a person: they stay, without the origin's metadata."""
    sightings: int = 0
    artists: int = 0
    """Orphan artists: those left without a track."""

    def __add__(self, other: "ForgetCounts") -> "ForgetCounts":
        """Add two batches up."""
        return ForgetCounts(
            self.tracks + other.tracks,
            self.kept_for_labels + other.kept_for_labels,
            self.sightings + other.sightings,
            self.artists + other.artists,
        )


def origins(connection: Connection) -> list[str]:
    """Return all origins of tracks."""
    query = select(_track.c.origin).distinct().order_by(_track.c.origin)
    return list(connection.scalars(query))


def count_overdue(connection: Connection, overdue: OverdueTracks) -> ForgetCounts:
    """Count what `forget_batch` would remove, without changing anything."""
    labelled, unlabelled = _labelled(overdue), _unlabelled(overdue)
    deleted = unlabelled.subquery()
    touched = select(tables.sighting.c.track_id).where(
        or_(
            tables.sighting.c.track_id.in_(select(deleted.c.id)),
            tables.sighting.c.track_id.in_(labelled),
        )
    )
    credit, other = tables.track_artist, tables.track_artist.alias("other")
    goes = credit.c.track_id.in_(select(deleted.c.id))
    stays = exists().where(
        other.c.artist_id == credit.c.artist_id, ~other.c.track_id.in_(select(deleted.c.id))
    )
    orphans = select(credit.c.artist_id).where(goes, ~stays).distinct()
    return ForgetCounts(
        *(
            connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            for query in (unlabelled, labelled, touched, orphans)
        )
    )


def forget_batch(
    connection: Connection, overdue: OverdueTracks, now: datetime, limit: int
) -> ForgetCounts:
    """Forget at most `limit` tracks; run inside a writing transaction, which the caller commits.

    Counters of the genres, claims and ties are updated. If nothing was forgotten, nothing is left
    to forget.
    """
    bulk.lock_identity_writers(connection)
    before = primary_genre.tie_break_keys(connection)
    deleted = _ids(connection, _unlabelled(overdue), limit)
    kept = _ids(connection, _labelled(overdue), limit - len(deleted))
    sighted = _sighting_counts(connection, [*deleted, *kept])
    artists = _credited(connection, deleted)
    _of(connection, "DELETE FROM track WHERE id", deleted)  # and all rows that refer to them
    orphans = _delete_orphan_artists(connection, artists)
    _strip(connection, kept, overdue, now)
    primary_genre.add_to_sighting_counts(connection, {genre: -n for genre, n in sighted.items()})
    primary_genre.recompute(connection, kept)
    if primary_genre.order_changed(before, primary_genre.tie_break_keys(connection)):
        primary_genre.recompute_tied(connection)
    return ForgetCounts(len(deleted), len(kept), sighted.total(), orphans)


def _overdue(overdue: OverdueTracks) -> Select[int]:
    return select(_track.c.id).where(
        _track.c.origin == overdue.origin, _track.c.last_seen_at < overdue.before
    )


def _has_verdict() -> ColumnElement[bool]:
    return exists().where(tables.verdict.c.track_id == _track.c.id)


def _unlabelled(overdue: OverdueTracks) -> Select[int]:
    return _overdue(overdue).where(~_has_verdict())


def _labelled(overdue: OverdueTracks) -> Select[int]:
    """Return the overdue tracks with a verdict that still have something to strip."""
    return _overdue(overdue).where(
        _has_verdict(),
        or_(
            *(_track.c[name].is_not(None) for name in STRIPPED_COLUMNS),
            *(exists().where(table.c.track_id == _track.c.id) for table in _emptied_tables()),
            *(
                exists().where(
                    table.c.track_id == _track.c.id, table.c.provider == overdue.provider
                )
                for table in _BY_PROVIDER
            ),
        ),
    )


def _emptied_tables() -> list[Table]:
    """Return the tables whose rows about a kept track are deleted, also those added later."""
    return [
        table
        for table in tables.metadata.sorted_tables
        if table not in _NOT_FORGOTTEN
        and any(key.column is _track.c.id for key in table.foreign_keys)
    ]


def _ids(connection: Connection, query: Select[int], limit: int) -> list[int]:
    return list(connection.scalars(query.order_by(_track.c.id).limit(limit)))


def _sighting_counts(connection: Connection, track_ids: Sequence[int]) -> Counter[int]:
    rows = bulk.select_in(
        connection,
        "SELECT s.genre_id, count(*) FROM {values} CROSS JOIN sighting s"
        " WHERE s.track_id = listed.value GROUP BY s.genre_id",
        track_ids,
        sql_type="bigint",
    )
    return Counter(dict(map(tuple, rows)))


def _credited(connection: Connection, track_ids: Sequence[int]) -> list[int]:
    rows = bulk.select_in(
        connection,
        "SELECT DISTINCT c.artist_id FROM {values} CROSS JOIN track_artist c"
        " WHERE c.track_id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    return [artist_id for (artist_id,) in rows]


def _delete_orphan_artists(connection: Connection, artist_ids: Sequence[int]) -> int:
    rows = bulk.select_in(
        connection,
        "SELECT listed.value FROM {values} WHERE NOT EXISTS"
        " (SELECT 1 FROM track_artist c WHERE c.artist_id = listed.value)",
        artist_ids,
        sql_type="bigint",
    )
    orphans = [artist_id for (artist_id,) in rows]
    _of(connection, "DELETE FROM artist WHERE id", orphans)
    return len(orphans)


def _strip(
    connection: Connection, track_ids: Sequence[int], overdue: OverdueTracks, now: datetime
) -> None:
    """Strip these tracks to what identifies them: name, credits, ids, duration, ISRC.

    Their features and analyses are not requested from the origin again.
    """
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    blank = ", ".join(f"{name} = NULL" for name in STRIPPED_COLUMNS)
    _of(connection, f"UPDATE track SET updated_at = {{mark}}, {blank} WHERE id", track_ids, moment)
    for table in _emptied_tables():
        _of(connection, f"DELETE FROM {table.name} WHERE track_id", track_ids)
    for table in _BY_PROVIDER:
        by_provider = f"DELETE FROM {table.name} WHERE provider = {{mark}} AND track_id"
        _of(connection, by_provider, track_ids, overdue.provider)
    if overdue.provider != overdue.origin:
        return  # features of a file are never requested
    names = (overdue.provider, analysis_queue.attempt_name(overdue.provider))
    attempts = [(track_id, name, 0, None, "unknown") for track_id in track_ids for name in names]
    bulk.upsert(
        connection,
        tables.feature_attempt,
        ("track_id", "provider", "attempts", "next_at", "outcome"),
        attempts,
        update="next_at = NULL, outcome = excluded.outcome",
    )


def _of(connection: Connection, statement: str, ids: Sequence[int], *first: object) -> None:
    bulk.execute_in(
        connection, f"{statement} IN (SELECT value FROM {{values}})", *first, values=ids
    )
