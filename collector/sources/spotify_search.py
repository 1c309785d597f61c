"""Spotify's search as a source: tracks by genre and years, paginated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from collector.records import Page, PageItem, PageQuery, SourceTrack
from collector.sources.item_fields import RejectReason
from collector.sources.spotify_client import SpotifyService
from collector.sources.spotify_items import parse_track
from genrebase.store import source_ids
from genrebase.store.tables import ALL_YEARS


class SpotifySearch(SpotifyService):
    """Searches tracks by genre and years."""

    name: Final = source_ids.SPOTIFY
    origin: Final = source_ids.SPOTIFY
    subject_kind: Final = "genre"
    page_limits: Final = (50, 10)
    max_results: Final = 1_000

    def query_for(self, genre: str) -> str:
        """Return the query for a genre, without years."""
        return genre_query(genre)

    def fetch(self, query: PageQuery) -> Page:
        text = add_years(query.query, query.year_from, query.year_to)
        response = self._client.search(text, limit=query.limit, offset=query.offset)
        page = parse_page(response.items, query.limit, last_year=self._clock.now().year + 1)
        return replace(page, total=response.total)


def genre_query(genre: str) -> str:
    """Return the query for a genre, quoted so that it arrives unchanged."""
    return f'genre:"{genre}"'


def add_years(query: str, year_from: int, year_to: int) -> str:
    """Restrict a query to the years `year_from`..`year_to`, inclusive; (0, 9999) is every year."""
    if (year_from, year_to) == ALL_YEARS:
        return query
    years = str(year_from) if year_from == year_to else f"{year_from}-{year_to}"
    return f"{query} year:{years}"


def parse_page(
    items: Sequence[Any], limit: int, last_year: int, version: str | None = None
) -> Page:
    """Return the usable tracks of a page of at most `limit` items, and why others are rejected.

    Some responses repeat an item *in addition* to the `limit` items requested. The repetition has
    no position of its own: a cursor that counted it would skip another item. Other items after the
    first `limit` are rejected: a page would take as long to record as its source likes.
    """
    tracks: list[PageItem] = []
    reject_reasons: list[str] = []
    n_extra = len(items) - limit
    seen_ids: set[str] = set()
    position = 0
    for item in items:
        item_id = item.get("id") if isinstance(item, dict) else None
        if isinstance(item_id, str):
            if n_extra > 0 and item_id in seen_ids:
                n_extra -= 1
                continue
            seen_ids.add(item_id)
        if position >= limit:
            reject_reasons.append(RejectReason.NOT_REQUESTED.value)
            continue
        track = parse_track(item, last_year)
        if isinstance(track, SourceTrack):
            tracks.append(PageItem(track, position))
        else:
            reject_reasons.append(track.value)
        position += 1
    return Page(tuple(tracks), position, tuple(reject_reasons), version)
