"""The harvest: one step after another until nothing is missing, or nothing is left to ask.

A step plans a shard, takes a slot, fetches one page and records it; sightings and the cursor move
in one transaction, so that a crash loses nothing and repeats at most one request.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final, Literal

import structlog

from collector import planning
from collector.catalogue import shards, tracks
from collector.catalogue.leases import server_time
from collector.crawl.leasing import LeaseClock, LeaseManager, ShardLease
from collector.errors import Blocked, LeaseLost, RequestLimitReached, StopRequested
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, fetch_page
from collector.planning import GenreProgress, Shard
from collector.ports import Source
from collector.records import Page, PageQuery, Provenance, RecordResult, TrackObservation
from genrebase.errors import NothingToDo
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import RunRecorder
from genrebase.runtime.processes import ProcessIdentity
from genrebase.store.engine import Connection, Engine, read_transaction, transaction

StopReason = Literal["target", "exhausted", "blocked", "limit", "interrupted"]

_RUN_OUTCOMES: Final = {"blocked": "blocked", "interrupted": "interrupted"}

POLL_SECONDS: Final = 0.5
"""Seconds between two looks at shards that other processes are working on."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HarvestProgress:
    """How far all genres are together."""

    tracks: int
    """Unique tracks so far, counted up to each genre's target."""
    target: int
    requests: int
    genre: str
    """The one asked for last."""


@dataclass(slots=True)
class HarvestOutcome:
    """What a harvest brought, and why it ended."""

    recorded: RecordResult = field(default_factory=RecordResult)
    unusable_reasons: Counter[str] = field(default_factory=Counter)
    """Items that are no track, by the reason why."""
    requests: int = 0
    """Calls to the source, retries included."""
    stopped: StopReason = "exhausted"
    blocked: Blocked | None = None
    """The ban that ended it."""
    unknown_genres: list[str] = field(default_factory=list)
    """Genres of which the source never showed anything."""

    @property
    def unusable(self) -> int:
        """Return how many items were set aside."""
        return self.unusable_reasons.total()

    def write_to(self, run: RunRecorder) -> None:
        """Write what was done into the row of the run."""
        run.count(
            requests=self.requests,
            tracks_new=self.recorded.tracks_new,
            duplicates=self.recorded.duplicates,
            unusable=self.unusable,
        )
        run.set_facts(stopped=self.stopped)
        if self.unusable_reasons:
            run.set_facts(set_aside=dict(self.unusable_reasons))
        if self.blocked is not None:
            run.set_facts(blocked_until=self.blocked.until.isoformat())
        run.set_outcome(_RUN_OUTCOMES.get(self.stopped, "done"))


def run_steps(
    step: Callable[[HarvestOutcome, RequestLimit], StopReason | None],
    stop_requested: Callable[[], bool],
    max_requests: int | None,
) -> HarvestOutcome:
    """Take steps until one says why there is no other, or a stop, a ban or the limit ends it."""
    outcome, allowance = HarvestOutcome(), RequestLimit(max_requests)
    outcome.stopped = "interrupted"
    try:
        while not stop_requested():
            ended = step(outcome, allowance)
            if ended is not None:
                outcome.stopped = ended
                break
    except Blocked as ban:
        outcome.stopped, outcome.blocked = "blocked", ban
    except RequestLimitReached:
        outcome.stopped = "limit"
    except StopRequested:
        outcome.stopped = "interrupted"
    outcome.requests = allowance.used
    return outcome


@dataclass(frozen=True, slots=True)
class SearchHarvester:
    """Everything a harvest works with."""

    engine: Engine
    source: Source
    budget: RequestBudget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False
    owner: str = field(default_factory=lambda: str(ProcessIdentity.current()))
    """Under whose name shards are leased."""
    recrawl_after: timedelta = planning.RECRAWL_AFTER
    """After how long what was read to its end is read again."""
    lease_clock: LeaseClock = server_time
    pending_releases: list[ShardLease] = field(default_factory=list)

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """Harvest these genres (default: all with a target) until they are done.

        `max_requests` bounds the calls to the source. Raises `NothingToDo` where no genre has a
        target; a ban ends the run with `stopped="blocked"`.
        """
        if not self._needs(genres):
            raise NothingToDo(
                "No genre has a target: add one with `collector genres add NAME --target N`."
            )
        outcome = run_steps(
            partial(self._step, genres, advance), self.stop_requested, max_requests
        )
        with read_transaction(self.engine) as connection:
            outcome.unknown_genres = shards.unknown_genres(
                connection, self.source.name, self._needs(genres)
            )
        return outcome

    def has_work(self) -> bool:
        """Say whether something is missing that may be asked for now."""
        needs = self._needs(())
        missing = {key: need for key, need in needs.items() if need.missing_share}
        ban = self.budget.state().blocked_until
        if not missing or (ban is not None and ban > self.clock.now().timestamp()):
            return False
        return bool(self._open_shards(missing))

    def _step(
        self,
        genres: Sequence[str],
        advance: Callable[[HarvestProgress], None],
        outcome: HarvestOutcome,
        allowance: RequestLimit,
    ) -> StopReason | None:
        """Fetch and record one page; return why there is nothing left to do, if so."""
        needs = self._needs(genres)
        limit = self._page_limit()
        leasing = self._leasing()
        waiting = self._open_shards(needs)
        shard = planning.next_shard(leasing.available(waiting), needs, limit)
        if shard is None and planning.next_shard(waiting, needs, limit) is not None:
            self.clock.sleep(POLL_SECONDS)  # others read what is left; more may come of it
            return None
        if shard is None:
            return "exhausted" if any(need.missing_share for need in needs.values()) else "target"
        with suppress(LeaseLost), leasing.acquire(shard) as lease:
            self._read(shard, lease, needs, outcome, allowance, advance)
        return None

    def _leasing(self) -> LeaseManager:
        return LeaseManager(
            self.engine, self.clock, self.owner, self.lease_clock, self.pending_releases
        )

    def _read(
        self,
        shard: Shard,
        lease: ShardLease,
        needs: dict[int, GenreProgress],
        outcome: HarvestOutcome,
        allowance: RequestLimit,
        advance: Callable[[HarvestProgress], None],
    ) -> None:
        """Fetch and record the next page of a shard that is ours."""
        limit = self._page_limit()
        genre = needs[shard.genre_id].name
        query = PageQuery(
            genre, shard.query, shard.year_from, shard.year_to, shard.next_offset, limit
        )
        page = fetch_page(
            self.budget, self.clock, self.source, query, allowance, lease.renew_if_due
        )
        recorded = self._record(shard, lease, genre, page)
        outcome.recorded += recorded
        outcome.unusable_reasons.update(page.reject_reasons)
        _log.debug(
            "page recorded",
            genre=genre,
            years=(shard.year_from, shard.year_to),
            offset=shard.next_offset,
            received=page.received,
            tracks_new=recorded.tracks_new,
        )
        advance(_progress(needs, shard, recorded, allowance.used))

    def _page_limit(self) -> int:
        known, now = self.budget.capabilities, self.clock.now().timestamp()
        return known.page_limit(self.source.page_limits, now)

    def _needs(self, genres: Sequence[str]) -> dict[int, GenreProgress]:
        with read_transaction(self.engine) as connection:
            return shards.genre_progress(connection, genres)

    def _open_shards(self, needs: dict[int, GenreProgress]) -> list[Shard]:
        name = self.source.name
        self._look_back([key for key, need in needs.items() if need.missing_share])
        with read_transaction(self.engine) as connection:
            fresh = shards.genres_without_shards(connection, name, needs)
            if not fresh:
                return shards.open_shards(connection, name, needs)
        queries = [(key, self.source.query_for(needs[key].name)) for key in sorted(fresh)]
        with transaction(self.engine) as connection:
            shards.add_roots(connection, name, queries, self.clock.now())
            return shards.open_shards(connection, name, needs)

    def _record(self, shard: Shard, lease: ShardLease, genre: str, page: Page) -> RecordResult:
        """Write a page down and give its shard back: its sightings and the cursor, or neither."""
        now = self.clock.now()
        first = shard.first_rank + shard.next_offset
        seen = [TrackObservation(item.track, genre, first + item.position) for item in page.items]
        delivery = Provenance(self.source.origin, provider=None)
        with transaction(self.engine) as connection:
            lease.lock(connection)
            recorded = tracks.record(connection, seen, delivery, now)
            self._move(connection, shard, page, recorded, self._page_limit())
            lease.release(connection)
        return recorded

    def _move(
        self, connection: Connection, shard: Shard, page: Page, recorded: RecordResult, limit: int
    ) -> None:
        now, reach = self.clock.now(), self.source.max_results
        asked = min(limit, reach - shard.next_offset)
        after = planning.after_page(shard, page.received, recorded.tracks_new, asked, reach)
        if not shards.update_cursor(connection, shard, after, page.received, now):
            return
        if after.status == "split":
            seen = shards.sightings_by_year(connection, shard, shard.first_rank + reach)
            new = planning.split_shard(shard, seen, now.year, limit, reach)
            shards.add(connection, self.source.name, shard.genre_id, shard.query, new, now)

    def _look_back(self, genre_ids: Collection[int]) -> None:
        """Reopen what is due to be read again, and follow the years as they pass."""
        name, now = self.source.name, self.clock.now()
        with read_transaction(self.engine) as connection:
            due = shards.due_for_recrawl(connection, name, genre_ids, now, self.recrawl_after)
            later = shards.missing_years(connection, name, genre_ids, now.year)
        if not due and not later:
            return
        with transaction(self.engine) as connection:
            for shard in due:
                shards.reopen(connection, shard)
            for genre_id, query, part in shards.missing_years(
                connection, name, genre_ids, now.year
            ):
                shards.add(connection, name, genre_id, query, [part], now)


def _progress(
    needs: dict[int, GenreProgress], shard: Shard, recorded: RecordResult, requests: int
) -> HarvestProgress:
    have = sum(min(need.tracks, need.target) for need in needs.values())
    wanted = sum(need.target for need in needs.values())
    return HarvestProgress(
        min(have + recorded.tracks_new, wanted), wanted, requests, needs[shard.genre_id].name
    )
