"""The harvest loop over pages: choose a shard, lease it, fetch a page, record it, until the end.

Sightings and the shard's cursor (pagination offset) are written in one transaction, so that a
crash loses nothing and repeats at most one request. `search_harvester` and `playlist_harvester`
say which shards there are, and what a page does to its shard.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from collector.catalogue import genres as stored_genres
from collector.catalogue import shards, tracks
from collector.catalogue.lease import POLL_SECONDS, Lease
from collector.catalogue.shard_leases import LeasedShard
from collector.crawl import page_genres
from collector.crawl.lease_manager import LeaseManager
from collector.crawl.repeated_pages import RepeatedPages
from collector.errors import LeaseLost, NotAccessible
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, fetch_page
from collector.ports import Source
from collector.records import Page, PageQuery, Provenance, RecordResult
from collector.run_outcome import RunOutcome, StopReason
from collector.shard import GenreProgress, Shard
from genrebase.runtime.clock import Clock
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import name_locks
from genrebase.store.engine import Connection, Engine, read_transaction

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HarvestProgress:
    """Progress of all genres together."""

    tracks: int
    """Unique tracks so far, counted up to each genre's target."""
    target: int
    requests: int
    genre: str
    """The genre requested last."""


@dataclass
class HarvestOutcome(RunOutcome):
    """What a harvest recorded, and why it stopped."""

    recorded: RecordResult = field(default_factory=RecordResult)
    unusable_reasons: Counter[str] = field(default_factory=Counter)
    """Items that are not tracks, by reason."""
    stopped: StopReason = "exhausted"
    unknown_genres: list[str] = field(default_factory=list)
    """Genres for which the source has nothing."""
    repeating_genres: list[str] = field(default_factory=list)
    """Genres for which it returned the same items, or none that is usable, at every offset."""
    items_waiting: int = 0
    """Listed items that are not downloaded; one of several genres counts in each."""
    exhausted_genres: Sequence[GenreProgress] = ()
    """Genres that lack tracks and for which this source has nothing left."""
    _unfinished: frozenset[int] = frozenset()
    """Genres that lacked tracks at the last step."""

    def log_finished(self, progress: Mapping[int, GenreProgress]) -> None:
        """Log the genres that reached their target since the last call."""
        missing = {genre_id for genre_id, one in progress.items() if one.missing_share}
        for genre_id in sorted(self._unfinished & progress.keys() - missing):
            one = progress[genre_id]
            _log.info("genre finished", genre=one.name, tracks=one.tracks, target=one.target)
        self._unfinished = frozenset(missing)

    def log_exhausted(self) -> None:
        """Log the genres for which there is nothing left, after the last source."""
        for one in self.exhausted_genres:
            _log.info("genre exhausted", genre=one.name, tracks=one.tracks, target=one.target)

    @property
    def unusable(self) -> int:
        """The number of items that are not tracks."""
        return self.unusable_reasons.total()

    def counts(self) -> dict[str, int]:
        listed = self.recorded.items_listed
        return {
            "tracks_new": self.recorded.tracks_new,
            "duplicates": self.recorded.duplicates,
            **({"items_listed": listed} if listed else {}),
            "unusable": self.unusable,
        }

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"stopped": self.stopped}
        if self.unusable_reasons:
            facts["set_aside"] = dict(self.unusable_reasons)
        if self.repeating_genres:
            facts["repeating"] = self.repeating_genres
        if self.blocked_until is not None:
            facts["blocked_until"] = self.blocked_until.isoformat()
        return facts


@dataclass(frozen=True)
class ShardHarvester(ABC):
    """Harvests the shards of one source."""

    engine: Engine
    source: Source
    budget: RequestBudget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False
    owner: str = field(default_factory=lambda: str(ProcessIdentity.current()), kw_only=True)
    """The name under which shards are leased."""
    repeated_pages: RepeatedPages = field(default_factory=RepeatedPages, kw_only=True)

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """Harvest these genres (default: all with a target) until nothing is missing or left.

        `max_requests` limits the requests to the source. A ban ends the run with
        `stopped="blocked"`.
        """
        outcome, limit = HarvestOutcome(stopped="interrupted"), RequestLimit(max_requests)
        with outcome.until_stopped(limit):
            while not self.stop_requested():
                ended = self._step(genres, outcome, limit, advance)
                if ended is not None:
                    outcome.stopped = ended
                    break
        progress = self._progress(genres)
        outcome.log_finished(progress)
        if self.source.subject_kind == "genre":
            with read_transaction(self.engine) as connection:
                outcome.unknown_genres = shards.unknown_genres(
                    connection, self.source.name, progress
                )
        return outcome

    def has_work(self) -> bool:
        """Return whether tracks are missing that may be requested now."""
        missing = {id_: one for id_, one in self._progress(()).items() if one.missing_share}
        if not missing or self.budget.state().is_blocked(self.clock.now().timestamp()):
            return False
        return bool(self._shards_to_read(missing))

    @abstractmethod
    def _shards_to_read(self, progress: Mapping[int, GenreProgress]) -> list[Shard]:
        """Return the shards that can be read, also those that others are reading."""

    @abstractmethod
    def _choose(
        self, candidates: Sequence[Shard], progress: Mapping[int, GenreProgress]
    ) -> Shard | None:
        """Return the shard to read next, None if none needs to be read."""

    @abstractmethod
    def _query(self, shard: Shard, genre: str) -> PageQuery:
        """Return the request for a shard's next page."""

    @abstractmethod
    def _record_page(
        self, connection: Connection, shard: Shard, query: PageQuery, page: Page
    ) -> RecordResult:
        """Record the page of a query and move the shard's cursor."""

    def _step(
        self,
        genre_names: Sequence[str],
        outcome: HarvestOutcome,
        limit: RequestLimit,
        advance: Callable[[HarvestProgress], None],
    ) -> StopReason | None:
        """Fetch and record one page; return the reason to stop if nothing is left to do."""
        progress = self._progress(genre_names)
        outcome.log_finished(progress)
        leases = LeaseManager(self.engine, self.clock, self.owner)
        candidates = self._shards_to_read(progress)
        shard = self._choose(leases.available(candidates), progress)
        if shard is None and self._choose(candidates, progress) is not None:
            self.clock.sleep(POLL_SECONDS)  # others read what is left, and may leave some of it
            return None
        if shard is None:
            missing = [genre for genre in progress.values() if genre.missing_share]
            outcome.exhausted_genres = missing
            return "exhausted" if missing else "target"
        with suppress(LeaseLost), leases.acquire(shard) as lease:
            name = progress[shard.genre_id].name
            recorded = self._read(shard, lease, name, outcome, limit)
            outcome.recorded += recorded
            target = sum(genre.target for genre in progress.values())
            so_far = sum(min(genre.tracks, genre.target) for genre in progress.values())
            tracks_now = min(so_far + recorded.tracks_new, target)
            advance(HarvestProgress(tracks_now, target, limit.used, name))
        return None

    def _read(
        self,
        shard: Shard,
        lease: Lease[LeasedShard],
        genre: str,
        outcome: HarvestOutcome,
        limit: RequestLimit,
    ) -> RecordResult:
        """Fetch and record the next page of a leased shard, and release it."""
        page: Page | None = None
        query = self._query(shard, genre)
        try:
            page = fetch_page(
                self.budget, self.clock, self.source, query, limit, lease.renew_if_due
            )
            ids = [item.track.source_id for item in page.items]
            ids += [item.item_id for item in page.listed]
            page = page_genres.without_other_genres(page, genre)
            outcome.unusable_reasons.update(page.reject_reasons)
            if self.repeated_pages.add(shard.id, query.offset, ids, page.received):
                _log.warning(
                    "the source repeats itself: shard closed", genre=genre, query=shard.query
                )
                outcome.repeating_genres.append(genre)
                page = None
        except NotAccessible as error:
            _log.warning("shard not accessible", genre=genre, query=shard.query, why=str(error))

        def record(connection: Connection) -> RecordResult:
            lease.rows.lock(connection)
            if page is None:
                recorded = RecordResult()
                closed = replace(shard, status="exhausted", requests=shard.requests + 1)
                shards.update_cursor(connection, shard, closed, 0, self.clock.now())
            else:
                recorded = self._record_page(connection, shard, query, page)
            lease.rows.release(connection)
            return recorded

        recorded = name_locks.run_beside_others(self.engine, record)
        _log.debug(
            "page recorded",
            genre=genre,
            years=(shard.year_from, shard.year_to),
            offset=query.offset,
            received=page.received if page else 0,
            tracks_new=recorded.tracks_new,
        )
        return recorded

    def _record_tracks(
        self,
        connection: Connection,
        page: Page,
        genre: str,
        first_rank: int,
        playlist: str | None = None,
    ) -> RecordResult:
        collected = stored_genres.by_normalised_name(connection)
        observations = list(page_genres.observations(page, genre, first_rank, collected, playlist))
        provenance = Provenance(self.source.origin, provider=None, licence=self.source.licence)
        recorded = tracks.record(connection, observations, provenance, self.clock.now())
        return replace(recorded, duplicates=len(page.items) - recorded.tracks_new)

    def _progress(self, genre_names: Sequence[str]) -> dict[int, GenreProgress]:
        with read_transaction(self.engine) as connection:
            return shards.genre_progress(connection, genre_names)
