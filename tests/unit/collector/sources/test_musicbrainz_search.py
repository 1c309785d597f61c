"""MusicBrainz' search as a source: queries and pages."""

from typing import Any

import pytest

from collector.errors import InvalidResponse
from collector.records import GenreVote, Level, Page, PageQuery
from collector.settings import CollectorSettings
from collector.sources.musicbrainz_client import MusicBrainzClient
from collector.sources.musicbrainz_search import MusicBrainzSearch, add_years
from tests.fakes import FakeClock

QUERY = 'tag:"rock" AND video:false'


class Responses(MusicBrainzClient):
    """A client that returns one document and records the searches."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.searches: list[tuple[str, int, int]] = []

    def search(self, query: str, *, limit: int, offset: int) -> Any:
        self.searches.append((query, limit, offset))
        return self.document


def recording(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"5935ec91-8124-42ff-937f-{number:012}",
        "title": f"Song {number}",
        "artist-credit": [{"artist": {"name": "Band"}}],
        "tags": [{"name": "indie rock", "count": 3}],
        **more,
    }


def source(document: Any) -> MusicBrainzSearch:
    return source_of(Responses(document))


def source_of(client: MusicBrainzClient) -> MusicBrainzSearch:
    searched = MusicBrainzSearch(CollectorSettings(contact="me@example.org"), FakeClock())
    searched.client = client
    return searched


def fetch(recordings: Any, *, count: Any = None, limit: int = 100, offset: int = 0) -> Page:
    query = PageQuery("rock", QUERY, 0, 9999, offset, limit)
    return source({"count": count, "offset": offset, "recordings": recordings}).fetch(query)


@pytest.mark.parametrize(
    ("genre", "query"),
    [
        ("hip hop", 'tag:"hip hop" AND video:false'),
        ("r&b", 'tag:"r&b" AND video:false'),
        ("50's (rock) [live] *?~^:/+-!", 'tag:"50\'s (rock) [live] *?~^:/+-!" AND video:false'),
        ("a\\b", 'tag:"a\\\\b" AND video:false'),
        ('"x" OR tag:y', 'tag:"\\"x\\" OR tag:y" AND video:false'),
        ("シティポップ", 'tag:"シティポップ" AND video:false'),
    ],
)
def test_a_genre_is_a_phrase(genre: str, query: str) -> None:
    """A genre is searched for as a phrase; only what would end the phrase is escaped."""
    assert source({}).query_for(genre) == query


@pytest.mark.parametrize(
    ("years", "clause"),
    [
        ((0, 9999), ""),
        ((0, 0), " AND -firstreleasedate:[* TO *]"),
        ((1990, 1994), " AND firstreleasedate:[1990 TO 1994]"),
        ((1999, 1999), " AND firstreleasedate:[1999 TO 1999]"),
        ((1900, 1969), " AND firstreleasedate:[* TO 1969]"),
    ],
)
def test_years_are_a_range_of_dates(years: tuple[int, int], clause: str) -> None:
    """Years restrict the date of first release; recordings without one have a query, too."""
    assert add_years(QUERY, *years) == QUERY + clause


def test_requests_a_page() -> None:
    """A page is one search with the query's years, limit and offset."""
    client = Responses({"recordings": []})
    page = source_of(client).fetch(PageQuery("rock", QUERY, 1990, 1994, 200, 25))
    assert client.searches == [(f"{QUERY} AND firstreleasedate:[1990 TO 1994]", 25, 200)]
    assert page.is_empty


def test_parses_a_page() -> None:
    """Recordings keep their positions and all their genres; others are rejected by reason."""
    page = fetch([recording(0), recording(1, video=True), recording(2), None], count=4)
    assert [(item.track.title, item.position) for item in page.items] == [
        ("Song 0", 0),
        ("Song 2", 2),
    ]
    assert page.items[0].genres == (GenreVote("indie rock", 3, Level.RECORDING),)
    assert page.reject_reasons == ("a video", "nothing there")
    assert (page.received, page.total, page.limit) == (4, 4, None)


def test_an_item_without_tags_has_no_genre() -> None:
    """It is not an item of the requested genre, as a source without votes would have it."""
    assert fetch([recording(0, tags=[])]).items[0].genres == ()


def test_notices_a_limit_that_was_ignored() -> None:
    """A page with fewer items than requested, though there are more, shows the limit used."""
    some = [recording(number) for number in range(25)]
    assert fetch(some, count=700).limit == 25
    assert fetch(some, count=725, offset=700).limit is None
    assert fetch(some, count=None).limit is None
    assert fetch([], count=700).limit is None


def test_takes_no_more_than_it_requested() -> None:
    """A longer page is cut, and the rest counted."""
    page = fetch([recording(number) for number in range(4)], limit=3, count="x")
    assert (page.received, len(page.items), page.total) == (3, 3, None)
    assert page.reject_reasons == ("more than were requested",)


@pytest.mark.parametrize("document", [None, [], {}, {"recordings": None}, {"error": "x"}])
def test_a_response_without_recordings_is_invalid(document: Any) -> None:
    """It is retried."""
    with pytest.raises(InvalidResponse):
        source(document).fetch(PageQuery("rock", QUERY, 0, 9999, 0, 100))
