"""List the items of a source of audio files: releases whose files hold the tracks.

A listed item waits for `collector listen`, which downloads its files; no track is recorded here. A
genre is therefore searched while it lacks more tracks than items are waiting for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from collector.catalogue import audio_items, shards
from collector.catalogue import genres as stored_genres
from collector.crawl.exhaustion import is_exhausted
from collector.crawl.harvest_loop import HarvestOutcome, HarvestProgress
from collector.crawl.repeated_pages import RepeatedPages
from collector.crawl.search_harvester import SearchHarvester
from collector.records import Page, PageQuery, RecordResult
from collector.shard import ALL_YEARS, GenreProgress, Shard
from collector.sources.subject_genres import match_subjects
from genrebase.store.engine import Connection, read_transaction

_MAX_UNUSABLE_PAGES: Final = 20
"""A search finds words of subjects: whole pages may be of other genres."""


@dataclass(frozen=True)
class ItemLister(SearchHarvester):
    """Lists items by subject, each search to its end by its cursor."""

    licence: str = "any"
    """Licences of the items that count as waiting, as in `genrebase.licences.is_allowed`."""
    repeated_pages: RepeatedPages = field(
        default_factory=lambda: RepeatedPages(max_unusable=_MAX_UNUSABLE_PAGES), kw_only=True
    )

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """List items as a search harvests; end with `listed` once enough are waiting."""
        outcome = super().run(genres, max_requests=max_requests, advance=advance)
        waiting, progress = self._waiting(), self._progress(genres)
        outcome.items_waiting = sum(waiting.get(genre_id, 0) for genre_id in progress)
        if outcome.stopped == "exhausted":
            outcome.exhausted_genres = [
                one
                for genre_id, one in progress.items()
                if tracks_lacking(one, waiting.get(genre_id, 0)) > 0
            ]
            outcome.stopped = "exhausted" if outcome.exhausted_genres else "listed"
        return outcome

    def has_work(self) -> bool:
        """Return whether items are needed and may be requested now."""
        if not super().has_work():
            return False
        progress = self._progress(())
        return self._choose(self._shards_to_read(progress), progress) is not None

    def _choose(
        self, candidates: Sequence[Shard], progress: Mapping[int, GenreProgress]
    ) -> Shard | None:
        """Return the search of the genre that lacks most tracks, minus its waiting items."""
        waiting = self._waiting()
        lacking = [
            shard
            for shard in candidates
            if tracks_lacking(progress.get(shard.genre_id), waiting.get(shard.genre_id, 0)) > 0
        ]
        return max(
            lacking,
            key=lambda shard: (progress[shard.genre_id].missing_share, -shard.id),
            default=None,
        )

    def _waiting(self) -> dict[int, int]:
        name = self.source.name
        with read_transaction(self.engine) as connection:
            allowed = audio_items.allowed_licences(connection, name, self.licence)
            return audio_items.waiting_per_genre(connection, name, allowed)

    def _query(self, shard: Shard, genre: str) -> PageQuery:
        limit = self.source.page_limits[0]
        return PageQuery(
            genre, shard.query, *ALL_YEARS, shard.next_offset, limit, cursor=shard.cursor
        )

    def _record_page(
        self, connection: Connection, shard: Shard, query: PageQuery, page: Page
    ) -> RecordResult:
        now = self.clock.now()
        genre_ids = stored_genres.ids_by_name(connection)
        listed = [
            (item, query.offset + position, [genre_ids[name] for name in names])
            for position, item in enumerate(page.listed)
            for names in [match_subjects(item.subjects, genre_ids).genres]
        ]
        new = audio_items.store_listed(connection, self.source.name, listed, now)
        after = after_page(shard, page.received, new, page.next_cursor)
        shards.update_cursor(connection, shard, after, page.received, now)
        return RecordResult(items_listed=new)


def tracks_lacking(progress: GenreProgress | None, waiting: int) -> int:
    """Return how many tracks a genre lacks, if each waiting item has one. Pure."""
    return 0 if progress is None else progress.target - progress.tracks - waiting


def after_page(shard: Shard, received: int, items_new: int, next_cursor: str | None) -> Shard:
    """Return the search after a page: it is at its end if the page has no cursor. Pure.

    An empty first page without a cursor is requested twice, because responses can be wrong.
    """
    empty = 0 if received else shard.empty_pages + 1
    is_end = next_cursor is None and (received > 0 or is_exhausted(empty))
    return replace(
        shard,
        next_offset=shard.next_offset + received,
        cursor=shard.cursor if next_cursor is None and not is_end else next_cursor,
        status="exhausted" if is_end else "open",
        requests=shard.requests + 1,
        dry_pages=0 if items_new else shard.dry_pages + 1,
        empty_pages=empty,
    )
