"""Searches of the sandbox over real HTTP: pages, result limit, years and queries."""

import logging

import pytest

from tests.sandbox_client import GENRES


@pytest.mark.parametrize("genre", list(GENRES))
@pytest.mark.parametrize("mode", ["extended", "development"])
def test_pagination_returns_all_rows_once(request, mode, genre):
    """Following `next` returns every row of a query, in order, none twice."""
    client = request.getfixturevalue(mode)
    page = client.search(f'genre:"{genre}"').json()["tracks"]
    assert page["total"] == GENRES[genre]
    assert page["previous"] is None
    result = [track["name"] for track in page["items"]]
    while page["next"]:
        assert page["next"].startswith(f"{client.sandbox.url}/v1/search?")
        page = client.session.get(page["next"], timeout=5).json()["tracks"]
        result += [track["name"] for track in page["items"]]
    assert result == [f"{genre} {number}" for number in range(min(GENRES[genre], 1_000))]


def test_previous_leads_back(extended):
    """`previous` is absolute and returns the page before."""
    page = extended.search("genre:rock", limit=10, offset=10).json()["tracks"]
    before = extended.session.get(page["previous"], timeout=5).json()["tracks"]
    assert before == extended.search("genre:rock", limit=10).json()["tracks"]


@pytest.mark.parametrize(
    ("mode", "default", "maximum"), [("development", 5, 10), ("extended", 20, 50)]
)
def test_page_limits_of_the_modes(request, mode, default, maximum):
    """Pages have the mode's maximum size; a larger limit is refused with Spotify's message."""
    client = request.getfixturevalue(mode)
    assert len(client.search("genre:techno").json()["tracks"]["items"]) == default
    assert len(client.search("genre:techno", limit=maximum).json()["tracks"]["items"]) == maximum
    refused = client.search("genre:techno", limit=maximum + 1)
    assert refused.status_code == 400
    assert refused.json() == {"error": {"status": 400, "message": "Invalid limit"}}
    assert client.search("genre:techno", limit=0).status_code == 400


def test_a_query_returns_at_most_1000_rows(extended):
    """Offset and limit together stay within 1,000; the last page has no `next`."""
    last = extended.search("genre:techno", limit=50, offset=950).json()["tracks"]
    assert (len(last["items"]), last["next"], last["total"]) == (50, None, 1_234)
    assert extended.search("genre:techno", limit=50, offset=951).status_code == 400
    assert extended.search("genre:techno", limit=1, offset=-1).status_code == 400


def test_year_ranges_return_all_rows(extended):
    """All rows of a genre with more than 1,000 are returned by year ranges."""
    totals = [
        extended.search(f"genre:techno year:{year}", limit=1).json()["tracks"]["total"]
        for year in range(1990, 2000)
    ]
    assert sum(totals) == GENRES["techno"]


def test_unknown_genre_is_an_empty_page(extended):
    """Spotify returns 200 without items."""
    page = extended.search('genre:"polka"').json()["tracks"]
    assert (page["items"], page["total"], page["next"]) == ([], 0, None)


def test_other_types_are_empty(extended):
    """Albums and artists may be requested with tracks."""
    document = extended.get("v1/search", q="genre:rock", type="track,album,artist").json()
    assert {kind: len(page["items"]) for kind, page in document.items()} == {
        "tracks": 20,
        "albums": 0,
        "artists": 0,
    }


@pytest.mark.parametrize(
    "params",
    [{"q": "genre:rock"}, {"q": "genre:rock", "type": "song"}, {"q": " ", "type": "track"},
     {"q": "genre:rock", "type": "track", "limit": "ten"}],
)  # fmt: skip
def test_nonsense_is_refused_with_an_error_object(extended, params):
    """Every refusal of the Web API is an object with status and message."""
    response = extended.get("v1/search", **params)
    assert response.status_code == response.json()["error"]["status"] == 400
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("genre", ["r&b", "drum & bass", "50's", "演歌"])
def test_queries_arrive_unchanged(extended, caplog, genre):
    """The log line and the list of queries have the exact query."""
    query = f'genre:"{genre}" year:1990-1999'
    with caplog.at_level(logging.INFO, "sandbox.middleware.rate_limit_middleware"):
        extended.search(query, limit=1)
    assert query in caplog.text
    assert query in extended.sandbox.stats()["queries"]
    assert extended.session.headers["Authorization"].split()[1] not in caplog.text
