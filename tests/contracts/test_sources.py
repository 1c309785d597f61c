"""Contract of all registered sources, over HTTP against the sandbox."""

import pytest

from collector.bootstrap import SOURCES_GROUP, make_source
from collector.errors import InvalidLimit, RateLimited, SourceUnavailable
from collector.ports import Source
from collector.rate import Rate
from collector.records import Page, PageQuery
from collector.settings import CollectorSettings
from genrebase.errors import UserError
from genrebase.runtime import plugins
from genrebase.store.tables import ALL_YEARS
from sandbox import ids
from tests.contracts.conftest import GENRES, PER_GENRE, Serve, settings_for, stats_of
from tests.fakes import FakeClock

NAMES = [name for name in plugins.registered_names(SOURCES_GROUP) if name != "musicbrainz"]
"""Those that the sandbox serves."""
every_source = pytest.mark.parametrize("name", NAMES)
by_genre = pytest.mark.parametrize(
    "name", [name for name in NAMES if plugins.load(SOURCES_GROUP, name).subject_kind == "genre"]
)
PLAYLIST = ids.id_from_text("playlist|rock by sandbox")
"""Every other track of rock, with an episode and a local file among them."""


def make(name: str, url: str) -> Source:
    return make_source(name, settings_for(url), FakeClock())


def fetch(
    source: Source,
    genre: str | None = None,
    years: tuple[int, int] = ALL_YEARS,
    offset: int = 0,
    limit: int = 10,
) -> Page:
    subject = genre or ("rock" if source.subject_kind == "genre" else PLAYLIST)
    return source.fetch(PageQuery(subject, source.query_for(subject), *years, offset, limit))


@every_source
def test_has_the_required_attributes(name: str, serve: Serve) -> None:
    """It has its registered name, and the attributes that the planner needs."""
    source = make(name, serve().url)
    assert source.name == name
    assert list(source.page_limits) == sorted(source.page_limits, reverse=True)
    assert source.max_results >= source.page_limits[0]
    assert source.account.rate.requests > 0
    assert len(source.account.credential) == 16


@every_source
def test_pages_partition_the_results(name: str, serve: Serve) -> None:
    """All pages together are the result, in order, each position once, and then an empty page."""
    source = make(name, serve().url)
    limit = source.page_limits[0]
    result: list[tuple[str, int]] = []
    offset = 0
    while not (page := fetch(source, offset=offset, limit=limit)).is_empty:
        result += [(item.track.source_id, offset + item.position) for item in page.items]
        offset += page.received
    wanted = PER_GENRE if source.subject_kind == "genre" else PER_GENRE // 2
    assert len({source_id for source_id, _ in result}) == len(result) == wanted
    ranks = [rank for _, rank in result]
    assert ranks == sorted(set(ranks))
    if source.subject_kind == "genre":
        assert ranks == list(range(PER_GENRE))
    else:
        assert sorted(set(range(offset)) - set(ranks)) == [25, 51]


@every_source
def test_one_fetch_is_one_request(name: str, serve: Serve) -> None:
    """A page costs one request; the source neither retries nor waits."""
    running = serve()
    source = make(name, running.url)
    fetch(source)
    fetch(source, offset=10)
    assert stats_of(running)["apis"]["spotify"]["requests"] == 2


@every_source
def test_tracks_are_complete(name: str, serve: Serve) -> None:
    """A track has its source's id, its artists in order, and its metadata."""
    source = make(name, serve().url)
    track = fetch(source).items[7].track
    number = 7 if source.subject_kind == "genre" else 14
    assert (track.source, track.title, track.album) == ("spotify", f"Song {number}", "Album")
    assert [credit.name for credit in track.artists] == [f"Band {number % 9}", "Guest"]
    assert (track.release_year, track.duration_ms) == (1950 + number, 180_000 + number)
    assert track.isrc == f"GBAAA{number:07}"


@by_genre
def test_years_restrict_the_results(name: str, serve: Serve) -> None:
    """A range of years returns its tracks, a single year its own."""
    source = make(name, serve().url)
    for years in ((1950, 1952), (1951, 1951)):
        page = fetch(source, years=years)
        assert {item.track.release_year for item in page.items} == set(
            range(years[0], years[1] + 1)
        )


@by_genre
@pytest.mark.parametrize("genre", GENRES)
def test_genres_arrive_unchanged(name: str, serve: Serve, genre: str) -> None:
    """Any genre name is requested unchanged."""
    running = serve()
    source = make(name, running.url)
    assert fetch(source, genre).received == 10
    assert stats_of(running)["queries"] == [f'genre:"{genre}"']


@by_genre
def test_an_unknown_genre_is_an_empty_page(name: str, serve: Serve) -> None:
    """An unknown genre is no error."""
    assert fetch(make(name, serve().url), "no such genre").is_empty


@by_genre
def test_a_too_large_page_limit_is_named(name: str, serve: Serve) -> None:
    """If only small pages are allowed, the error names the limit, and the next size works."""
    source = make(name, serve(mode="development").url)
    with pytest.raises(InvalidLimit) as caught:
        fetch(source, limit=source.page_limits[0])
    assert caught.value.limit == source.page_limits[0]
    assert fetch(source, limit=source.page_limits[-1]).received == source.page_limits[-1]


@every_source
def test_raises_a_ban_at_once(name: str, serve: Serve) -> None:
    """A 429 is raised at once, with its Retry-After."""
    source = make(name, serve(rate=Rate(1, 30), retry_after=20_000).url)
    fetch(source)
    with pytest.raises(RateLimited) as caught:
        fetch(source)
    assert caught.value.retry_after
    assert 19_000 < caught.value.retry_after <= 20_000


@every_source
def test_replaces_an_expired_token(name: str, serve: Serve) -> None:
    """Tokens that expire during a run do not stop it."""
    source = make(name, serve(token_seconds=1.0).url)
    assert not fetch(source).is_empty
    assert fetch(source, offset=10).received == 10


@every_source
def test_an_unreachable_source_is_transient(name: str) -> None:
    """An address without a server is a transient error."""
    with pytest.raises(SourceUnavailable):
        fetch(make(name, "http://127.0.0.1:9"))


@every_source
def test_requires_credentials(name: str) -> None:
    """A missing setting is refused with a sentence, before any request."""
    bare = CollectorSettings(_env_file=None, spotify_client_id=None, spotify_client_secret=None)
    with pytest.raises(UserError, match="set "):
        make_source(name, bare, FakeClock())
