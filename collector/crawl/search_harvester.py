"""Harvest genres by search: add, split and recrawl shards, and record pages of search results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from collector.catalogue import shards
from collector.crawl import planning
from collector.crawl.harvest_loop import HarvestOutcome, HarvestProgress, ShardHarvester
from collector.records import Page, PageQuery, RecordResult
from collector.shard import RECRAWL_AFTER, GenreProgress, Shard
from collector.sources.item_fields import RejectReason
from genrebase.counts import agree
from genrebase.errors import NothingToDo
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Connection, read_transaction

MAX_PAGES_OF_OTHER_GENRES: Final = 5
"""Pages of a search without any item of its genre, after which it is closed."""

_MAX_NAMED: Final = 5
"""Genres named in a sentence."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SearchHarvester(ShardHarvester):
    """Harvests the shards of searches."""

    recrawl_after: timedelta = RECRAWL_AFTER
    """Age from which a shard that was read to its end is read again."""

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """Harvest as the base class does; raise `NothingToDo` if no genre has a target.

        A genre that is paused counts as one without a target.
        """
        if not self._progress(genres):
            raise NothingToDo(self._why_nothing(genres))
        return super().run(genres, max_requests=max_requests, advance=advance)

    def _why_nothing(self, genres: Sequence[str]) -> str:
        """Return why none of these genres (default: all) is harvested."""
        with read_transaction(self.engine) as connection:
            paused = shards.paused_genres(connection, genres)
        if paused:
            which = ", ".join(paused[:_MAX_NAMED]) + (", ..." if len(paused) > _MAX_NAMED else "")
            verb = agree(len(paused), "is", "are")
            return f"{which} {verb} paused: `collector genres resume NAME` ends that."
        named = "No genre has a target"
        if genres:
            named = f"{', '.join(genres)} {agree(len(genres), 'has', 'have')} no target"
        return f"{named}: add one with `collector genres add NAME --target N`."

    def _shards_to_read(self, progress: Mapping[int, GenreProgress]) -> list[Shard]:
        """Return the open shards, after those that are due, and of new years, were opened."""
        name, now = self.source.name, self.clock.now()
        missing = [genre_id for genre_id, one in progress.items() if one.missing_share]
        with read_transaction(self.engine) as connection:
            due = shards.due_for_recrawl(connection, name, missing, now, self.recrawl_after)
            new_years = shards.missing_years(connection, name, missing, now.year)
            new = shards.genres_without_shards(connection, name, progress)
            if not due and not new_years and not new:
                return shards.open_shards(connection, name, progress)
        with exclusive_transaction(self.engine) as connection:
            for shard in due:
                shards.reopen(connection, shard)
            new_years = shards.missing_years(connection, name, missing, now.year)
            for genre_id, query, shard_of_years in new_years:
                shards.add(connection, name, genre_id, query, [shard_of_years], now)
            shards.add_roots(connection, name, new, self.source.query_for, now)
            return shards.open_shards(connection, name, progress)

    def _choose(
        self, candidates: Sequence[Shard], progress: Mapping[int, GenreProgress]
    ) -> Shard | None:
        return planning.next_shard(candidates, progress, self._page_limit())

    def _query(self, shard: Shard, genre: str) -> PageQuery:
        limit = self._page_limit()
        offset = planning.page_offset(shard, limit, self.source.max_results)
        return PageQuery(genre, shard.query, *shard.years, offset, limit)

    def _record_page(
        self, connection: Connection, shard: Shard, query: PageQuery, page: Page
    ) -> RecordResult:
        now, max_results, limit = self.clock.now(), self.source.max_results, self._page_limit()
        first_rank = shard.first_rank + query.offset
        recorded = self._record_tracks(connection, page, query.genre, first_rank)
        after = planning.after_page(
            shard,
            page.received,
            recorded.tracks_new,
            min(page.limit or limit, limit, max_results - query.offset),
            max_results,
            offset=query.offset,
            total=page.total,
        )
        if self._finds_other_genres(connection, after, page):
            _log.warning("no result has the genre: search closed", query=shard.query)
            after = replace(after, status="exhausted")
        moved = shards.update_cursor(connection, shard, after, page.received, now)
        if moved and after.status == "split":
            below_rank = shard.first_rank + max_results
            seen = shards.sightings_by_year(connection, shard, self.source.origin, below_rank)
            new = planning.split_shard(
                shard,
                seen,
                now.year,
                limit,
                max_results,
                undated=self.source.has_undated,
                has_set_aside=RejectReason.OTHER_GENRE in page.reject_reasons,
            )
            shards.add(connection, self.source.name, shard.genre_id, shard.query, new, now)
        return recorded

    def _finds_other_genres(self, connection: Connection, after: Shard, page: Page) -> bool:
        """Return whether several pages of a search had items of other genres only.

        A search for words finds other names with the same words: `r & b` finds `r&b`.
        """
        return (
            after.status == "open"
            and after.requests >= MAX_PAGES_OF_OTHER_GENRES
            and not page.items
            and RejectReason.OTHER_GENRE in page.reject_reasons
            and not shards.is_sighted(connection, after.genre_id, self.source.origin)
        )

    def _page_limit(self) -> int:
        now = self.clock.now().timestamp()
        return self.budget.capabilities.page_limit(self.source.page_limits, now)
