"""The queue of tracks to request from a provider: which are due, leases, and recorded attempts.

A track is leased by writing into `feature_attempt` that it is due again when the lease expires. So
nothing has to be cleaned up after a process that dies: its tracks fall due by themselves.

What is due is looked up, not searched for among all tracks: new tracks by their ids, and repeated
requests by their time. A process looks at all tracks when it begins, and hourly
(`QueuePosition`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from collector.catalogue.lease import LEASE_SECONDS
from genrebase.store import bulk, tables
from genrebase.store.source_ids import SPOTIFY

LEASE_DURATION: Final = timedelta(seconds=LEASE_SECONDS)

RETRY_AFTER_DAYS: Final = (1, 7, 30, 90)
"""Days until the next request after the first, second, … miss; the last one repeats."""
LONGEST_WAIT: Final = timedelta(days=100)
"""More than any time between two attempts."""
FULL_LOOK_EVERY: Final = timedelta(hours=1)
"""Time after which all tracks are looked at again: an old one may have got an id of the provider,
or lost its features."""
RECENT_TRACKS: Final = 2_000
"""The newest ids that are always looked at: transactions may commit in another order than that of
their ids."""
_COLUMNS: Final = ("track_id", "provider", "attempts", "next_at", "outcome")
_attempt = tables.feature_attempt.c


def retry_at(attempts: int, now: datetime) -> datetime:
    """Return when to request a track again after `attempts` misses."""
    return now + timedelta(days=RETRY_AFTER_DAYS[min(attempts, len(RETRY_AFTER_DAYS)) - 1])


@dataclass(frozen=True, slots=True)
class LeasedTrack:
    """A track to request."""

    track_id: int
    source_ids: Sequence[str]
    """The ids to request in this round; most providers get those of a track in turn."""
    attempts: int
    """Earlier requests to this provider."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of a request for one track."""

    track_id: int
    attempts: int
    """This one included."""
    next_at: datetime | None
    """When to request it again, None for never."""
    found: bool


@dataclass(slots=True)
class QueuePosition:
    """Up to which track a process has looked at a queue: earlier ones need not be read again."""

    after: int = 0
    """The last id that was looked at."""
    began_at: datetime | None = None
    """When the look at all tracks began; None: never."""
    is_complete: bool = False
    """Whether that look reached the last track."""

    def begin(self, now: datetime) -> None:
        """Begin a look at all tracks, unless one is in progress or a recent one is complete."""
        is_recent = self.began_at is not None and abs(now - self.began_at) < FULL_LOOK_EVERY
        if self.began_at is None or (self.is_complete and not is_recent):
            self.after, self.began_at, self.is_complete = 0, now, False

    def advance(self, looked_at: int) -> None:
        """Continue a look at all tracks behind this id."""
        if not self.is_complete:
            self.after = looked_at

    def complete(self, newest: int) -> None:
        """Note that all tracks up to the id `newest` were looked at."""
        self.after, self.is_complete = max(0, newest - RECENT_TRACKS), True


@dataclass(slots=True)
class LeasedTracks:
    """Tracks that no other process requests from this provider until the lease expires."""

    queue: "AttemptQueue"
    now: Callable[[], datetime]
    tracks: list[LeasedTrack]
    until: datetime

    def renew(self, connection: Connection) -> bool:
        """Extend the lease; tracks that are no longer ours are dropped. False if none is left."""
        until = self.now() + LEASE_DURATION
        renewed = update(tables.feature_attempt).where(*self._ours()).values(next_at=until)
        ours = set(connection.scalars(renewed.returning(_attempt.track_id)))
        self.tracks = [track for track in self.tracks if track.track_id in ours]
        self.until = until
        return bool(ours)

    def release(self, connection: Connection) -> None:
        """Make the tracks due now."""
        connection.execute(
            update(tables.feature_attempt).where(*self._ours()).values(next_at=self.now())
        )

    def forget(self, connection: Connection) -> None:
        """Release the tracks, and delete what is stored of those that were never requested."""
        unrequested = delete(tables.feature_attempt).where(*self._ours(), _attempt.attempts == 0)
        connection.execute(unrequested)
        self.release(connection)

    def _ours(self) -> tuple[Any, ...]:
        return (
            _attempt.provider == self.queue.provider,
            _attempt.track_id.in_([track.track_id for track in self.tracks]),
            _attempt.next_at == self.until,
        )


@dataclass(frozen=True, slots=True)
class AttemptQueue:
    """The tracks that lack what a provider may have."""

    provider: str
    """The value of `feature_attempt.provider`."""
    results: Table
    """A track with a row here is not requested."""
    ids_of: str = SPOTIFY
    """The source whose ids the provider takes."""
    counted: tuple[ColumnElement[bool], ...] = ()
    """Conditions of the rows that count as results."""
    requests_once: bool = False
    """Whether the provider never changes: all ids of a track are requested at once, and one that
    is unknown is not requested again. `attempts` is then the number of ids requested."""

    def due(self, query: Select[Any], now: datetime, after: int = 0) -> Select[Any]:
        """Narrow a query of tracks to those above an id that are due, joined with their attempts.

        A track is due if it has no result, has an id for the provider, and this provider neither
        missed it lately nor has it requested right now.
        """
        track, alias, result = tables.track.c, tables.track_alias.c, self.results.c

        def of_track(track_id: ColumnElement[int]) -> ColumnElement[bool]:
            # each range by itself: PostgreSQL reads an index from its start to merge it
            return and_(track_id == track.id, track_id > after)

        own = and_(of_track(_attempt.track_id), _attempt.provider == self.provider)
        return query.select_from(tables.track.outerjoin(tables.feature_attempt, own)).where(
            ~exists().where(of_track(result.track_id), *self.counted),
            exists().where(of_track(alias.track_id), alias.source == self.ids_of),
            or_(_attempt.track_id.is_(None), self._is_due(now)),
            track.id > after,
        )

    def _is_due(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition of an attempt that may be repeated.

        It is its time, its result is gone or, of a provider that never changes, there is a new id.
        """
        at_its_time, is_last = or_(*_at_their_time(now)), _attempt.next_at.is_(None)
        if not self.requests_once:
            return or_(at_its_time, and_(is_last, _attempt.outcome == "known"))
        alias = tables.track_alias.alias("own_ids")
        ids = (
            select(func.count())
            .select_from(alias)
            .where(alias.c.track_id == _attempt.track_id, alias.c.source == self.ids_of)
            .scalar_subquery()
        )
        missed = and_(is_last, _attempt.outcome == "unknown")
        return or_(at_its_time, and_(missed, _attempt.attempts < ids))

    def next_due(self, now: datetime, *, after: int = 0, limit: int) -> Select[int]:
        """Return the query of the first due tracks with ids above `after`, by id."""
        track = tables.track.c
        return self.due(select(track.id), now, after).order_by(track.id).limit(limit)

    def has_due(
        self, connection: Connection, now: datetime, position: QueuePosition | None = None
    ) -> bool:
        """Return whether a track is due; `position` saves looking at all of them again."""
        position = position or QueuePosition()
        for query in self._looks(connection, now, position, 1):
            track_id = connection.scalars(query).first()
            if track_id is not None:
                position.advance(track_id - 1)
                return True
        return False

    def lease_next(
        self,
        connection: Connection,
        position: QueuePosition,
        now: Callable[[], datetime],
        limit: int,
    ) -> "LeasedTracks":
        """Lease the next due tracks, at most `limit`.

        Move the position behind them (`advance`) when it is committed.
        """
        for due in self._looks(connection, now(), position, limit):
            leased = self.lease(connection, due, now)
            if leased.tracks:
                return leased
        return LeasedTracks(self, now, [], now())

    def _looks(
        self, connection: Connection, now: datetime, position: QueuePosition, limit: int
    ) -> Iterator[Select[int]]:
        """Yield the queries of due tracks, the next one if the last one found none."""
        position.begin(now)
        track_id = tables.track.c.id
        last = select(track_id).where(track_id > 0).order_by(track_id.desc()).limit(1)
        newest = connection.scalar(last) or 0
        recent = max(0, newest - RECENT_TRACKS)
        after = min(position.after, recent) if position.is_complete else position.after
        yield self.next_due(now, after=after, limit=limit)
        position.complete(newest)
        for moment in _at_their_time(now):
            repeated = self.due(select(track_id), now)
            yield repeated.where(_attempt.provider == self.provider, moment).limit(limit)

    def lease(
        self, connection: Connection, due: Select[int], now: Callable[[], datetime]
    ) -> LeasedTracks:
        """Lease the tracks that `due` selects.

        Of two processes that lease at once, the later one gets what the earlier one left, also
        where both read the same tracks as due. Tracks that are being removed are skipped.
        """
        leased_at = now()
        until = leased_at + LEASE_DURATION
        rows = due.with_for_update(
            of=tables.track, read=True, key_share=True, skip_locked=True
        ).add_columns(
            literal(self.provider),
            literal(0),
            literal(until, _attempt.next_at.type),
            literal("unknown", _attempt.outcome.type),
        )
        from sqlalchemy.dialects import postgresql, sqlite  # slow; `collector status` needs none

        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        added = dialect.insert(tables.feature_attempt).from_select(list(_COLUMNS), rows)
        leased = added.on_conflict_do_update(
            index_elements=["track_id", "provider"],
            set_={"next_at": added.excluded.next_at},
            where=self._is_due(leased_at),
        ).returning(_attempt.track_id, _attempt.attempts)
        attempts = dict(sorted(map(tuple, connection.execute(leased))))
        ids = _ids_of_tracks(connection, list(attempts), self.ids_of)
        tracks = [
            LeasedTrack(track_id, self._next_ids(ids[track_id], count), count)
            for track_id, count in attempts.items()
        ]
        return LeasedTracks(self, now, tracks, until)

    def _next_ids(self, ids: Sequence[str], attempts: int) -> Sequence[str]:
        return ids if self.requests_once else [ids[attempts % len(ids)]]

    def expire_leases(self, connection: Connection, now: datetime) -> bool:
        """Make due what is leased, after all other processes died; return whether that is any."""
        leased = (
            _attempt.provider == self.provider,
            _attempt.next_at > now,
            _attempt.next_at <= now + LEASE_DURATION,
        )
        expired = update(tables.feature_attempt).where(*leased).values(next_at=now)
        return connection.execute(expired).rowcount > 0

    def record(self, connection: Connection, attempts: Iterable[Attempt]) -> None:
        """Store the results of requests, which ends the leases of their tracks."""
        dialect = connection.dialect.name
        rows = [
            (
                attempt.track_id,
                self.provider,
                attempt.attempts,
                attempt.next_at and tables.as_driver_datetime(attempt.next_at, dialect),
                "known" if attempt.found else "unknown",
            )
            for attempt in attempts
        ]
        update = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
        bulk.upsert(connection, tables.feature_attempt, _COLUMNS, rows, update=update)


def _at_their_time(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions of attempts whose time has come.

    A time beyond the longest wait comes from a clock that was set back since.
    """
    return _attempt.next_at <= now, _attempt.next_at > now + LONGEST_WAIT


def _ids_of_tracks(
    connection: Connection, track_ids: Sequence[int], source: str
) -> dict[int, list[str]]:
    rows = bulk.select_in(
        connection,
        "SELECT a.track_id, a.source_id FROM {values} CROSS JOIN track_alias a"
        " WHERE a.track_id = listed.value AND a.source = {mark} ORDER BY a.source_id",
        track_ids,
        source,
    )
    return bulk.grouped(rows)
