"""The queue of features still to fetch, and what came of asking."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, Select, and_, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collector.records import AudioFeatures
from genrebase.store import bulk, tables
from genrebase.store.source_ids import SPOTIFY

_values_of = attrgetter(*tables.FEATURES)


@dataclass(frozen=True, slots=True)
class QueuedTrack:
    """A track whose features nobody has given yet."""

    track_id: int
    source_id: str
    """The Spotify id to ask with."""
    attempts: int
    """How often this provider was asked before."""


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """What a provider said about a track."""

    track_id: int
    features: AudioFeatures | None
    attempts: int
    """This one included."""
    next_at: datetime | None
    """When to ask it again; None: not again."""


def due_tracks(
    connection: Connection, provider: str, now: datetime, *, after: int = 0, limit: int
) -> list[int]:
    """Return the next tracks to ask `provider` about: at most `limit`, with ids above `after`.

    A track is due while no provider has given its features, it carries a Spotify id, and this
    provider has not said lately that it does not know it, and is not being asked right now.
    """
    return list(connection.scalars(_due(provider, now, after, limit)))


def lease(
    connection: Connection,
    provider: str,
    now: datetime,
    *,
    until: datetime,
    after: int = 0,
    limit: int,
) -> list[QueuedTrack]:
    """Take the next tracks that are due: until then nobody else gets them.

    Run inside a writing transaction. Of two that take at once, the later one gets what the
    earlier one left, also where both read the same tracks as due. A track with several Spotify
    ids is asked with each of them in turn.
    """
    attempt = tables.feature_attempt
    next_at = literal(until, attempt.c.next_at.type)
    unlocked = _due(provider, now, after, limit).with_for_update(
        of=tables.track, read=True, key_share=True, skip_locked=True
    )  # a track that is being removed is left
    found = unlocked.add_columns(
        literal(provider), literal(0), next_at, literal("unknown", attempt.c.outcome.type)
    )
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(attempt).from_select(
        ["track_id", "provider", "attempts", "next_at", "outcome"], found
    )
    taken = added.on_conflict_do_update(
        index_elements=["track_id", "provider"],
        set_={"next_at": added.excluded.next_at},
        where=attempt.c.next_at <= now,
    ).returning(attempt.c.track_id, attempt.c.attempts)
    rows = sorted((track_id, count) for track_id, count in connection.execute(taken))
    attempts = dict(rows)
    ids = _spotify_ids(connection, list(attempts))
    return [
        QueuedTrack(track_id, ids[track_id][count % len(ids[track_id])], count)
        for track_id, count in attempts.items()
    ]


def reschedule(
    connection: Connection,
    provider: str,
    batch: Iterable[QueuedTrack],
    *,
    since: datetime,
    until: datetime,
) -> set[int]:
    """Let a batch that was taken until `since` be due at `until`; return the tracks still ours."""
    attempt = tables.feature_attempt
    ours = update(attempt).where(
        attempt.c.provider == provider,
        attempt.c.track_id.in_([waiting.track_id for waiting in batch]),
        attempt.c.next_at == since,
    )
    moved = ours.values(next_at=until).returning(attempt.c.track_id)
    return set(connection.scalars(moved))


def make_due(connection: Connection, provider: str, now: datetime, *, until: datetime) -> bool:
    """Let all that is due by `until` be due now; say whether that was anything."""
    attempt = tables.feature_attempt
    soon = update(attempt).where(
        attempt.c.provider == provider, attempt.c.next_at > now, attempt.c.next_at <= until
    )
    return connection.execute(soon.values(next_at=now)).rowcount > 0


def record_results(
    connection: Connection, provider: str, answers: Iterable[ProviderResult], now: datetime
) -> None:
    """Record what `provider` said; run inside a writing transaction, which the caller commits.

    Answers about tracks that are gone by now (merged, forgotten) are dropped.
    """
    by_track = {answer.track_id: answer for answer in answers}
    there = bulk.select_in(
        connection,
        "SELECT t.id FROM {values} CROSS JOIN track t WHERE t.id = listed.value",
        list(by_track),
        sql_type="bigint",
    )
    kept = [by_track[row[0]] for row in there]
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    _store_features(connection, provider, kept, moment)
    _store_attempts(connection, provider, kept)


def _due(provider: str, now: datetime, after: int, limit: int) -> Select[tuple[int]]:
    track, features, attempt, alias = (
        tables.track,
        tables.audio_features,
        tables.feature_attempt,
        tables.track_alias,
    )
    own_attempt = and_(attempt.c.track_id == track.c.id, attempt.c.provider == provider)
    return (
        select(track.c.id)
        .select_from(track.outerjoin(attempt, own_attempt))
        .where(
            track.c.id > after,
            ~select(features.c.track_id).where(features.c.track_id == track.c.id).exists(),
            select(alias.c.track_id)
            .where(alias.c.track_id == track.c.id, alias.c.source == SPOTIFY)
            .exists(),
            or_(attempt.c.track_id.is_(None), attempt.c.next_at <= now),
        )
        .order_by(track.c.id)
        .limit(limit)
    )


def _store_features(
    connection: Connection,
    provider: str,
    answers: Sequence[ProviderResult],
    moment: datetime | str,
) -> None:
    rows = [
        (answer.track_id, provider, *_values_of(answer.features), moment)
        for answer in answers
        if answer.features is not None
    ]
    columns = (*tables.FEATURES, "fetched_at")
    bulk.upsert(
        connection,
        tables.audio_features,
        ("track_id", "provider", *columns),
        rows,
        update=", ".join(f"{name} = excluded.{name}" for name in columns),
    )


def _store_attempts(
    connection: Connection, provider: str, answers: Sequence[ProviderResult]
) -> None:
    dialect = connection.dialect.name
    bulk.upsert(
        connection,
        tables.feature_attempt,
        ("track_id", "provider", "attempts", "next_at", "outcome"),
        [
            (
                answer.track_id,
                provider,
                answer.attempts,
                answer.next_at and tables.as_driver_datetime(answer.next_at, dialect),
                "unknown" if answer.features is None else "known",
            )
            for answer in answers
        ],
        update="attempts = excluded.attempts, next_at = excluded.next_at, "
        "outcome = excluded.outcome",
    )


def _spotify_ids(connection: Connection, track_ids: Sequence[int]) -> Mapping[int, list[str]]:
    rows = bulk.select_in(
        connection,
        "SELECT a.track_id, a.source_id FROM {values} CROSS JOIN track_alias a"
        " WHERE a.track_id = listed.value AND a.source = {mark} ORDER BY a.source_id",
        track_ids,
        SPOTIFY,
        sql_type="bigint",
    )
    ids: dict[int, list[str]] = {}
    for track_id, source_id in rows:
        ids.setdefault(track_id, []).append(source_id)
    return ids
