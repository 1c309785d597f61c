"""Harvest the playlists bound to genres, one after another while their genres lack tracks.

A playlist is read from its first item to its end, which is requested twice; where the source
states more items, the page after it is requested, too. Its version is stored: a playlist that was
read completely is checked after a while, and read again if changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from collector.catalogue import playlists, shards
from collector.crawl.exhaustion import is_exhausted, looks_beyond_hole
from collector.crawl.harvest_loop import ShardHarvester
from collector.crawl.repeated_pages import RepeatedPages
from collector.records import Page, PageQuery, RecordResult
from collector.shard import ALL_YEARS, GenreProgress, Shard
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Connection, read_transaction

RECHECK_AFTER: Final = timedelta(days=7)
"""Age from which a playlist that was read, or was not accessible, is checked again."""


@dataclass(frozen=True)
class PlaylistHarvester(ShardHarvester):
    """Harvests playlists, each of which is a shard."""

    repeated_pages: RepeatedPages = field(
        default_factory=lambda: RepeatedPages(max_repeats=10, max_unusable=100), kw_only=True
    )
    """People repeat tracks, and list hundreds of episodes in a row."""

    def _shards_to_read(self, progress: Mapping[int, GenreProgress]) -> list[Shard]:
        name, now = self.source.name, self.clock.now()
        missing = [genre_id for genre_id, one in progress.items() if one.missing_share]
        with read_transaction(self.engine) as connection:
            if not playlists.without_shard(connection, name, missing):
                return playlists.due(connection, name, missing, now - RECHECK_AFTER)
        with exclusive_transaction(self.engine) as connection:
            playlists.add_shards(connection, name, missing, now)
            return playlists.due(connection, name, missing, now - RECHECK_AFTER)

    def _choose(
        self,
        candidates: Sequence[Shard],
        progress: Mapping[int, GenreProgress],  # noqa: ARG002 - searches choose by it
    ) -> Shard | None:
        return next(iter(candidates), None)

    def _query(self, shard: Shard, genre: str) -> PageQuery:
        limit = self.source.page_limits[0]
        return PageQuery(genre, shard.query, *ALL_YEARS, next_offset(shard, limit), limit)

    def _record_page(
        self, connection: Connection, shard: Shard, query: PageQuery, page: Page
    ) -> RecordResult:
        recorded = RecordResult()
        stored_version = playlists.stored_version(connection, shard.genre_id, shard.query)
        if is_unchanged(shard, page, stored_version):
            after = replace(shard, requests=shard.requests + 1)
        else:
            recorded = self._record_tracks(
                connection, page, query.genre, query.offset, shard.query
            )
            more = page.total is not None and page.total > query.offset + query.limit
            after = after_page(shard, query.offset, page.received, recorded.tracks_new, more=more)
            if page.version is not None:
                playlists.set_version(connection, shard.genre_id, shard.query, page.version)
        shards.update_cursor(connection, shard, after, page.received, self.clock.now())
        return recorded


def is_unchanged(shard: Shard, page: Page, stored_version: str | None) -> bool:
    """Return whether a playlist that was read to its end has its stored version still. Pure."""
    return (
        shard.status == "exhausted" and page.version is not None and page.version == stored_version
    )


def next_offset(shard: Shard, page_limit: int = 0) -> int:
    """Return the offset of a playlist's next page: one that was read is read again. Pure.

    With a `page_limit` a hole at the cursor is passed over.
    """
    if shard.status == "exhausted":
        return 0
    return shard.next_offset + (page_limit if looks_beyond_hole(shard) else 0)


def after_page(
    shard: Shard, offset: int, received: int, tracks_new: int, *, more: bool = False
) -> Shard:
    """Return the shard after a page of `received` items from `offset` on. Pure.

    `more` says whether the source has items after an empty page at `offset`.
    """
    before = 0 if shard.status == "exhausted" else shard.empty_pages
    empty = 0 if received else before + 1
    stays = looks_beyond_hole(shard) and not received
    return replace(
        shard,
        next_offset=shard.next_offset if stays else offset + received,
        status="exhausted" if is_exhausted(empty, more=more) else "open",
        requests=shard.requests + 1,
        tracks_new=shard.tracks_new + tracks_new,
        empty_pages=empty,
    )
