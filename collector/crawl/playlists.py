"""The playlists bound to genres, read one after another while their genres lack tracks.

A playlist is read from its first item to its end, which is asked for twice. Its version is
remembered: one that was read whole is looked at again after a while, and read again where it has
changed. Each page and the place it leads to are written together, so that a crash loses nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from collector.catalogue import playlists, shards, tracks
from collector.catalogue.leases import server_time
from collector.crawl.harvest import (
    POLL_SECONDS,
    HarvestOutcome,
    HarvestProgress,
    StopReason,
    run_steps,
)
from collector.crawl.leasing import LeaseClock, LeaseManager, ShardLease
from collector.errors import LeaseLost, NotAccessible
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, fetch_page
from collector.planning import ALL_YEARS, EMPTY_PAGES_TO_EXHAUST, GenreProgress, Shard
from collector.ports import Source
from collector.records import Page, PageQuery, Provenance, RecordResult, TrackObservation
from genrebase.runtime.clock import Clock
from genrebase.runtime.processes import ProcessIdentity
from genrebase.store.engine import Engine, read_transaction, transaction

RECHECK_AFTER: Final = timedelta(days=7)
"""A playlist that was read, or was not shown to us, is looked at again after this time."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlaylistHarvester:
    """Everything the reading of playlists works with."""

    engine: Engine
    source: Source
    budget: RequestBudget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False
    owner: str = field(default_factory=lambda: str(ProcessIdentity.current()))
    """Under whose name shards are leased."""
    lease_clock: LeaseClock = server_time
    pending_releases: list[ShardLease] = field(default_factory=list)

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """Read the playlists of these genres (default: all) while they lack tracks."""
        return run_steps(partial(self._step, genres, advance), self.stop_requested, max_requests)

    def has_work(self) -> bool:
        """Say whether a genre lacks tracks and has a playlist that may be read now."""
        ban = self.budget.state().blocked_until
        if ban is not None and ban > self.clock.now().timestamp():
            return False
        return bool(self._due(self._lacking(())))

    def _step(
        self,
        genres: Sequence[str],
        advance: Callable[[HarvestProgress], None],
        outcome: HarvestOutcome,
        allowance: RequestLimit,
    ) -> StopReason | None:
        """Read and record one page; return why there is nothing left to do, if so."""
        needs = self._lacking(genres)
        if not needs:
            return "target"
        leasing = self._leasing()
        due = self._due(needs)
        free = leasing.available(due)
        if not due:
            return "exhausted"
        if not free:
            self.clock.sleep(POLL_SECONDS)  # others read what is left, and may leave some of it
            return None
        shard = free[0]
        with suppress(LeaseLost), leasing.acquire(shard) as lease:
            recorded = self._read(shard, lease, needs[shard.genre_id], outcome, allowance)
            outcome.recorded += recorded
            advance(_progress(needs, shard, recorded, allowance.used))
        return None

    def _leasing(self) -> LeaseManager:
        return LeaseManager(
            self.engine, self.clock, self.owner, self.lease_clock, self.pending_releases
        )

    def _read(
        self,
        shard: Shard,
        lease: ShardLease,
        need: GenreProgress,
        outcome: HarvestOutcome,
        allowance: RequestLimit,
    ) -> RecordResult:
        """Read the next page of a playlist that is ours for now, or see that it is unchanged."""
        offset = 0 if shard.status == "exhausted" else shard.next_offset
        limit = self.source.page_limits[0]
        query = PageQuery(need.name, shard.query, *ALL_YEARS, offset, limit)
        try:
            page = fetch_page(
                self.budget, self.clock, self.source, query, allowance, lease.renew_if_due
            )
        except NotAccessible as error:
            _log.warning("playlist not read", genre=need.name, why=str(error))
            self._leave(shard, lease)
            return RecordResult()
        outcome.unusable_reasons.update(page.reject_reasons)
        return self._record(shard, lease, need.name, offset, page)

    def _record(
        self, shard: Shard, lease: ShardLease, genre: str, offset: int, page: Page
    ) -> RecordResult:
        """Write a page down with the place it leads to, and give the playlist back."""
        now = self.clock.now()
        seen = [TrackObservation(item.track, genre, offset + item.position) for item in page.items]
        delivery = Provenance(self.source.origin, provider=None)
        recorded = RecordResult()
        with transaction(self.engine) as connection:
            lease.lock(connection)
            known = playlists.stored_version(connection, shard.genre_id, shard.query)
            if is_unchanged(shard, page, known):
                after = replace(shard, requests=shard.requests + 1)
            else:
                recorded = tracks.record(connection, seen, delivery, now)
                after = after_page(shard, offset, page.received, recorded.tracks_new)
                if page.version is not None:
                    playlists.set_version(connection, shard.genre_id, shard.query, page.version)
            shards.update_cursor(connection, shard, after, page.received, now)
            lease.release(connection)
        return recorded

    def _leave(self, shard: Shard, lease: ShardLease) -> None:
        """Write down that a playlist is not shown to us."""
        after = replace(shard, status="exhausted", requests=shard.requests + 1)
        with transaction(self.engine) as connection:
            lease.lock(connection)
            shards.update_cursor(connection, shard, after, 0, self.clock.now())
            lease.release(connection)

    def _lacking(self, genres: Sequence[str]) -> dict[int, GenreProgress]:
        with read_transaction(self.engine) as connection:
            needs = shards.genre_progress(connection, genres)
        return {genre_id: need for genre_id, need in needs.items() if need.missing_share}

    def _due(self, needs: dict[int, GenreProgress]) -> list[Shard]:
        """Return the playlists to read, each as its shard."""
        name, now = self.source.name, self.clock.now()
        with read_transaction(self.engine) as connection:
            if not playlists.without_shard(connection, name, needs.keys()):
                return playlists.due(connection, name, needs.keys(), now - RECHECK_AFTER)
        with transaction(self.engine) as connection:
            playlists.add_shards(connection, name, needs.keys(), now)
            return playlists.due(connection, name, needs.keys(), now - RECHECK_AFTER)


def is_unchanged(shard: Shard, page: Page, known: str | None) -> bool:
    """Tell whether a playlist that was read to its end is still what it was. Pure."""
    return shard.status == "exhausted" and page.version is not None and page.version == known


def after_page(shard: Shard, offset: int, received: int, tracks_new: int) -> Shard:
    """Return the shard as a page of `received` items from `offset` on leaves it. Pure."""
    empty = 0 if received else shard.empty_pages % EMPTY_PAGES_TO_EXHAUST + 1
    return replace(
        shard,
        next_offset=offset + received,
        status="exhausted" if empty >= EMPTY_PAGES_TO_EXHAUST else "open",
        requests=shard.requests + 1,
        tracks_new=shard.tracks_new + tracks_new,
        empty_pages=empty,
    )


def _progress(
    needs: dict[int, GenreProgress], shard: Shard, recorded: RecordResult, requests: int
) -> HarvestProgress:
    have = sum(need.tracks for need in needs.values())
    wanted = sum(need.target for need in needs.values())
    genre = needs[shard.genre_id].name
    return HarvestProgress(min(have + recorded.tracks_new, wanted), wanted, requests, genre)
