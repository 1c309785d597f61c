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
from collector.crawl.harvest import LOOK_AGAIN, Outcome, Progress, Stopped, step_by_step
from collector.crawl.leasing import Lease, Leasing, Time
from collector.errors import LeaseLost, Unreadable
from collector.http.rate_limiter import Budget
from collector.http.retry import Allowance, fetch_page
from collector.planning import ALL_YEARS, EMPTY_PAGES_TO_EXHAUST, Need, Shard
from collector.ports import Source
from collector.records import Delivery, Page, PageQuery, Recorded, Seen
from genrebase.runtime.clock import Clock
from genrebase.runtime.processes import Process
from genrebase.store.engine import Engine, reading, transaction

LOOK_BACK: Final = timedelta(days=7)
"""A playlist that was read, or was not shown to us, is looked at again after this time."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlaylistHarvester:
    """Everything the reading of playlists works with."""

    engine: Engine
    source: Source
    budget: Budget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False
    owner: str = field(default_factory=lambda: str(Process.current()))
    """Under whose name shards are leased."""
    lease_time: Time = server_time
    unreturned: list[Lease] = field(default_factory=list)

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[Progress], None] = lambda _: None,
    ) -> Outcome:
        """Read the playlists of these genres (default: all) while they lack tracks."""
        return step_by_step(
            partial(self._step, genres, advance), self.stop_requested, max_requests
        )

    def has_work(self) -> bool:
        """Say whether a genre lacks tracks and has a playlist that may be read now."""
        ban = self.budget.state().blocked_until
        if ban is not None and ban > self.clock.now().timestamp():
            return False
        return bool(self._due(self._lacking(())))

    def _step(
        self,
        genres: Sequence[str],
        advance: Callable[[Progress], None],
        outcome: Outcome,
        allowance: Allowance,
    ) -> Stopped | None:
        """Read and record one page; return why there is nothing left to do, if so."""
        needs = self._lacking(genres)
        if not needs:
            return "target"
        leasing = self._leasing()
        due = self._due(needs)
        free = leasing.free(due)
        if not due:
            return "exhausted"
        if not free:
            self.clock.sleep(LOOK_AGAIN)  # others read what is left, and may leave some of it
            return None
        shard = free[0]
        with suppress(LeaseLost), leasing.hold(shard) as lease:
            recorded = self._read(shard, lease, needs[shard.genre_id], outcome, allowance)
            outcome.recorded += recorded
            advance(_progress(needs, shard, recorded, allowance.spent))
        return None

    def _leasing(self) -> Leasing:
        return Leasing(self.engine, self.clock, self.owner, self.lease_time, self.unreturned)

    def _read(
        self, shard: Shard, lease: Lease, need: Need, outcome: Outcome, allowance: Allowance
    ) -> Recorded:
        """Read the next page of a playlist that is ours for now, or see that it is unchanged."""
        offset = 0 if shard.status == "exhausted" else shard.next_offset
        limit = self.source.page_limits[0]
        query = PageQuery(need.name, shard.query, *ALL_YEARS, offset, limit)
        try:
            page = fetch_page(self.budget, self.clock, self.source, query, allowance, lease.keep)
        except Unreadable as error:
            _log.warning("playlist not read", genre=need.name, why=str(error))
            self._leave(shard, lease)
            return Recorded()
        outcome.set_aside.update(page.unusable)
        return self._record(shard, lease, need.name, offset, page)

    def _record(self, shard: Shard, lease: Lease, genre: str, offset: int, page: Page) -> Recorded:
        """Write a page down with the place it leads to, and give the playlist back."""
        now = self.clock.now()
        seen = [Seen(item.track, genre, offset + item.position) for item in page.items]
        delivery = Delivery(self.source.origin, provider=None)
        recorded = Recorded()
        with transaction(self.engine) as connection:
            lease.guard(connection)
            known = playlists.version(connection, shard.genre_id, shard.query)
            if is_unchanged(shard, page, known):
                after = replace(shard, requests=shard.requests + 1)
            else:
                recorded = tracks.record(connection, seen, delivery, now)
                after = after_page(shard, offset, page.received, recorded.tracks_new)
                if page.version is not None:
                    playlists.begin(connection, shard.genre_id, shard.query, page.version)
            shards.move(connection, shard, after, page.received, now)
            lease.release(connection)
        return recorded

    def _leave(self, shard: Shard, lease: Lease) -> None:
        """Write down that a playlist is not shown to us."""
        after = replace(shard, status="exhausted", requests=shard.requests + 1)
        with transaction(self.engine) as connection:
            lease.guard(connection)
            shards.move(connection, shard, after, 0, self.clock.now())
            lease.release(connection)

    def _lacking(self, genres: Sequence[str]) -> dict[int, Need]:
        with reading(self.engine) as connection:
            needs = shards.needs(connection, genres)
        return {genre_id: need for genre_id, need in needs.items() if need.missing}

    def _due(self, needs: dict[int, Need]) -> list[Shard]:
        """Return the playlists to read, each as its shard."""
        name, now = self.source.name, self.clock.now()
        with reading(self.engine) as connection:
            if not playlists.unread(connection, name, needs.keys()):
                return playlists.due(connection, name, needs.keys(), now - LOOK_BACK)
        with transaction(self.engine) as connection:
            playlists.add_unread(connection, name, needs.keys(), now)
            return playlists.due(connection, name, needs.keys(), now - LOOK_BACK)


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


def _progress(needs: dict[int, Need], shard: Shard, recorded: Recorded, requests: int) -> Progress:
    have = sum(need.tracks for need in needs.values())
    wanted = sum(need.target for need in needs.values())
    genre = needs[shard.genre_id].name
    return Progress(min(have + recorded.tracks_new, wanted), wanted, requests, genre)
