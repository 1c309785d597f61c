"""Retention: delete tracks last seen long ago, strip those with labels, delete orphan artists.

This module chooses the tracks; `deletion` deletes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from collector.catalogue import analysis_queue, deletion, genre_counters, track_claims
from collector.catalogue.deletion import RemovedRows
from genrebase.digests import store as digests
from genrebase.store import bulk, tables

_track = tables.track


@dataclass(frozen=True, slots=True)
class OverdueTracks:
    """The tracks to forget: delivered by `origin`, last seen before `before`."""

    origin: str
    before: datetime

    @property
    def provider(self) -> str:
        """The provider name of features that came from the origin."""
        return self.origin.partition(":")[0]


def origins(connection: Connection) -> list[str]:
    """Return all origins of tracks."""
    query = select(_track.c.origin).distinct().order_by(_track.c.origin)
    return list(connection.scalars(query))


def count_overdue(connection: Connection, overdue: OverdueTracks) -> RemovedRows:
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
    return RemovedRows(
        *(
            connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            for query in (unlabelled, labelled, touched, orphans)
        )
    )


def forget_batch(
    connection: Connection, overdue: OverdueTracks, now: datetime, limit: int
) -> RemovedRows:
    """Forget at most `limit` tracks.

    Counters of the genres, claims and ties are updated. If nothing was forgotten, nothing is left
    to forget.
    """
    bulk.lock_identity_writers(connection)
    before = track_claims.tie_break_keys(connection)
    deleted = _ids(connection, _unlabelled(overdue), limit)
    kept = _ids(connection, _labelled(overdue), limit - len(deleted))
    sighted = genre_counters.count_sightings(connection, [*deleted, *kept])
    claimed = genre_counters.count_claims(connection, deleted)
    orphans = deletion.delete_tracks(connection, deleted)
    deletion.strip_tracks(connection, kept, overdue.provider, now)
    _stop_requests(connection, kept, overdue)
    genre_counters.add(connection, *map(genre_counters.negated, (sighted, claimed)))
    digests.discard(connection, naming_tracks=True)
    track_claims.recompute(connection, kept)
    after = track_claims.tie_break_keys(connection)
    track_claims.recompute_overtaken(connection, before, after)
    return RemovedRows(len(deleted), len(kept), sighted.total(), orphans)


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
            *(_track.c[name].is_not(None) for name in deletion.STRIPPED_COLUMNS),
            *(
                exists().where(table.c.track_id == _track.c.id)
                for table in deletion.emptied_tables()
            ),
            *(
                exists().where(
                    table.c.track_id == _track.c.id, table.c.provider == overdue.provider
                )
                for table in deletion.BY_PROVIDER
            ),
        ),
    )


def _ids(connection: Connection, query: Select[int], limit: int) -> list[int]:
    return list(connection.scalars(query.order_by(_track.c.id).limit(limit)))


def _stop_requests(
    connection: Connection, track_ids: Sequence[int], overdue: OverdueTracks
) -> None:
    """Keep the features and analyses of tracks from being requested from the origin again."""
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
