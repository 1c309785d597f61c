"""Fakes are classes; time is a value."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from collector.crawl.forecast_limits import SourceLimits
from collector.rate_limits import Account, Rate
from collector.records import ArtistCredit, Page, PageItem, SourceTrack

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SPOTIFY_LIMITS = SourceLimits("spotify", page_limits=(50, 10))


class FakeClock:
    """A clock that advances by sleeping only."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds


class FakeSource:
    """A source over rows in memory, in search order: (source id, title, artist, year)."""

    name = "spotify"
    origin = "spotify"
    subject_kind = "genre"
    page_limits = (10, 5)
    account = Account("spotify", "fake", Rate(1_000, 30.0))
    licence = "terms"
    base_url = None
    has_undated = False

    def __init__(self, rows, max_results=40, *, holes=(), total=None):
        """Return nothing at the offsets `holes`; state `total`, `"rows"` for the right one."""
        self.rows = rows
        self.max_results = max_results
        self.queries = []
        self.holes, self.total = holes, total

    def query_for(self, genre):
        return f'genre:"{genre}"'

    def fetch(self, query):
        self.queries.append(query)
        rows = [
            row for row in self.rows[query.genre] if query.year_from <= row[3] <= query.year_to
        ]
        total = len(rows) if self.total == "rows" else self.total
        page = rows[: self.max_results][query.offset : query.offset + query.limit]
        return replace(page_of([] if query.offset in self.holes else page), total=total)


class FakePlaylists:
    """A source of playlists in memory, by id; rows as in `FakeSource`."""

    name = "spotify_playlists"
    origin = "spotify"
    subject_kind = "playlist"
    page_limits = (10,)
    account = FakeSource.account
    licence = "terms"
    base_url = None
    has_undated = False
    max_results = 10_000

    def __init__(self, rows, *, holes=()):
        self.rows = rows
        self.queries = []
        self.holes = holes

    def query_for(self, playlist):
        return playlist

    def fetch(self, query):
        self.queries.append(query)
        rows = self.rows[query.query]
        version = None if query.offset else f"{len(rows)} items"
        page = (
            [] if query.offset in self.holes else rows[query.offset : query.offset + query.limit]
        )
        return replace(page_of(page, version), total=len(rows))


def page_of(rows, version=None):
    """Return rows as a source's page."""
    items = tuple(
        PageItem(
            SourceTrack(
                "spotify",
                source_id,
                title,
                (ArtistCredit(artist, f"id {artist}"),),
                release_year=year,
            ),
            position,
        )
        for position, (source_id, title, artist, year) in enumerate(rows)
    )
    return Page(items, len(items), version=version)
