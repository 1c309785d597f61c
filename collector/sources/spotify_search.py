"""Spotify's search as a source: tracks by genre and years."""

from collections.abc import Sequence
from typing import Any, Final, Self

from collector.records import Account, Page, PageItem, PageQuery, SourceTrack
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from collector.sources.spotify_items import parse_track
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids
from genrebase.store.tables import ALL_YEARS


class SpotifySearch:
    """Searches tracks by genre and years, through one client."""

    name: Final = source_ids.SPOTIFY
    origin: Final = source_ids.SPOTIFY
    subject_kind: Final = "genre"
    page_limits: Final = (50, 10)
    max_results: Final = 1_000

    def __init__(self, client: SpotifyClient, account: Account, clock: Clock) -> None:
        """Search through `client`, at the expense of `account`."""
        self.account = account
        self._client = client
        self._clock = clock

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Make it; raise `BadCredentials` where there are none."""
        return cls(SpotifyClient(settings, clock), spotify_client.spotify_account(settings), clock)

    def query_for(self, genre: str) -> str:
        """Return what is asked for `genre`, without years."""
        return genre_query(genre)

    def fetch(self, query: PageQuery) -> Page:
        """Fetch one page of tracks."""
        text = add_years(query.query, query.year_from, query.year_to)
        items = self._client.search(text, limit=query.limit, offset=query.offset)
        return parse_page(items, query.limit, last_year=self._clock.now().year + 1)


def genre_query(genre: str) -> str:
    """Return the query for a genre, quoted so that it arrives byte for byte."""
    return f'genre:"{genre}"'


def add_years(query: str, year_from: int, year_to: int) -> str:
    """Narrow a query to the years `year_from`..`year_to`, inclusive."""
    if (year_from, year_to) == ALL_YEARS:
        return query
    years = str(year_from) if year_from == year_to else f"{year_from}-{year_to}"
    return f"{query} year:{years}"


def build_query(genre: str, year_from: int, year_to: int) -> str:
    """Return what is asked for a genre and a range of years; (0, 9999) is every year."""
    return add_years(genre_query(genre), year_from, year_to)


def parse_page(
    items: Sequence[Any], limit: int, last_year: int, version: str | None = None
) -> Page:
    """Return the usable tracks of an answer of at most `limit`, and why others were set aside.

    Some answers repeat an item *in addition* to the `limit` asked for. It has no place of its
    own: a cursor that moved past it would skip another one.
    """
    found: list[PageItem] = []
    unusable: list[str] = []
    additional = len(items) - limit
    seen: set[str] = set()
    position = 0
    for item in items:
        known_as = item.get("id") if isinstance(item, dict) else None
        if isinstance(known_as, str):
            if additional > 0 and known_as in seen:
                additional -= 1
                continue
            seen.add(known_as)
        parsed = parse_track(item, last_year)
        if isinstance(parsed, SourceTrack):
            found.append(PageItem(parsed, position))
        else:
            unusable.append(parsed.value)
        position += 1
    return Page(tuple(found), position, tuple(unusable), version)
