"""MusicBrainz' search as a source: recordings by tag and years of first release, paginated.

Tags are indexed as text: a search for `rock` finds `indie rock`, too. Each result therefore comes
with all its tags and their votes, and the harvest counts it for the genres among them.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from collector.http.client import list_in
from collector.records import Page, PageItem, PageQuery
from collector.settings import CollectorSettings
from collector.shard import ALL_YEARS, FIRST_SPLIT_YEAR, UNDATED
from collector.sources import item_fields as fields
from collector.sources.item_fields import RejectReason
from collector.sources.musicbrainz_client import NAME, MusicBrainzClient, musicbrainz_account
from collector.sources.musicbrainz_items import Recording, parse_recording
from genrebase.runtime.clock import Clock

_ESCAPED: Final = re.compile(r'["\\]')
"""What ends a phrase in Lucene's syntax; all else in a phrase is text."""


class MusicBrainzSearch:
    """Searches recordings by tag and years."""

    name: Final = NAME
    origin: Final = NAME
    licence: Final = "cc-by-nc-sa-3.0"
    """Of tags and their votes; names, durations and ISRCs are CC0."""
    subject_kind: Final = "genre"
    page_limits: Final = (100, 25)
    max_results: Final = 5_000
    """The service sets no limit, but its work for a page grows with the offset."""
    has_undated: Final = True

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Raise `BadCredentials` for the public service without a contact."""
        self.account = musicbrainz_account(settings)
        self.base_url = settings.musicbrainz_base_url
        self.client = MusicBrainzClient(settings, clock)
        """Sends the requests."""
        self._clock = clock

    def query_for(self, genre: str) -> str:
        """Return the query for a genre, without years: a phrase of its tag, no videos."""
        return f'tag:"{escape(genre)}" AND video:false'

    def fetch(self, query: PageQuery) -> Page:
        text = add_years(query.query, query.year_from, query.year_to)
        document = self.client.search(text, limit=query.limit, offset=query.offset)
        recordings = list_in(document, "recordings", "MusicBrainz'")
        total = fields.get_integer(document.get("count"), 0, fields.MAX_INTEGER)
        return parse_page(recordings, query, total=total, last_year=self._clock.now().year + 1)


def escape(text: str) -> str:
    """Return text escaped for a quoted phrase of Lucene's syntax."""
    return _ESCAPED.sub(r"\\\g<0>", text)


def add_years(query: str, year_from: int, year_to: int) -> str:
    """Restrict a query to first releases of these years, inclusive.

    (0, 9999) is every year; (0, 0) is recordings without a date; 1900 includes all earlier years.
    """
    if (year_from, year_to) == ALL_YEARS:
        return query
    if (year_from, year_to) == UNDATED:
        return f"{query} AND -firstreleasedate:[* TO *]"
    low = "*" if year_from <= FIRST_SPLIT_YEAR else str(year_from)
    return f"{query} AND firstreleasedate:[{low} TO {year_to}]"


def parse_page(
    recordings: Sequence[Any], query: PageQuery, *, total: int | None, last_year: int
) -> Page:
    """Return the usable recordings of a page, and why others are rejected.

    The service replaces a limit that it does not accept, without an error. If a page has fewer
    items than requested although there are more, their number is the limit that was used.
    """
    items: list[PageItem] = []
    reject_reasons: list[str] = []
    for position, item in enumerate(recordings):
        if position >= query.limit:
            reject_reasons.append(RejectReason.NOT_REQUESTED.value)
            continue
        parsed = parse_recording(item, last_year)
        if isinstance(parsed, Recording):
            items.append(PageItem(parsed.track, position, parsed.genres))
        else:
            reject_reasons.append(parsed.value)
    received = min(len(recordings), query.limit)
    is_limited = 0 < received < query.limit and query.offset + received < (total or 0)
    return Page(
        tuple(items),
        received,
        tuple(reject_reasons),
        total=total,
        limit=received if is_limited else None,
    )
