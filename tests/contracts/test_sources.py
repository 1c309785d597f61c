"""Contract of all registered sources, over HTTP against the sandbox."""

import pytest

from collector.composition_root import SOURCES_GROUP, make_source
from collector.errors import AccessDenied, InvalidLimit, RateLimited, SourceUnavailable
from collector.ports import Source
from collector.rate_limits import Rate
from collector.records import Page, PageQuery
from collector.settings import CollectorSettings
from genrebase.errors import UserError
from genrebase.runtime import plugins
from genrebase.store.tables import ALL_YEARS
from sandbox import ids
from tests.contracts.conftest import GENRES, PER_GENRE, Serve, settings_for, stats_of
from tests.fakes import FakeClock

REGISTERED = plugins.registered_names(SOURCES_GROUP)
every_registered_source = pytest.mark.parametrize("name", REGISTERED)
NAMES = [name for name in REGISTERED if name != "internetarchive"]
"""Sources that list tracks: it lists items (see below)."""
every_source = pytest.mark.parametrize("name", NAMES)
by_genre = pytest.mark.parametrize(
    "name", [name for name in NAMES if plugins.load(SOURCES_GROUP, name).subject_kind == "genre"]
)
by_spotify = pytest.mark.parametrize("name", ["spotify", "spotify_playlists"])
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


@every_registered_source
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
    source = make(name, serve(musicbrainz_ties=0).url)
    limit = source.page_limits[0]
    result: list[tuple[str, int]] = []
    offset = 0
    while not (page := fetch(source, offset=offset, limit=limit)).is_empty:
        result += [(item.track.source_id, offset + item.position) for item in page.items]
        offset += page.received
    ranks = [rank for _, rank in result]
    assert len({source_id for source_id, _ in result}) == len(result)
    assert ranks == sorted(set(ranks))
    holes = sorted(set(range(offset)) - set(ranks))
    if source.subject_kind == "playlist":
        assert (len(result), holes) == (PER_GENRE // 2, [25, 51])
    else:
        assert holes == []
        assert len(result) == PER_GENRE or name == "musicbrainz"  # its tags are its own


@every_source
def test_one_fetch_is_one_request(name: str, serve: Serve) -> None:
    """A page costs one request; the source neither retries nor waits."""
    running = serve()
    source = make(name, running.url)
    fetch(source)
    fetch(source, offset=10)
    assert stats_of(running)["apis"][source.account.source]["requests"] == 2


@by_spotify
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
    for years in ((1950, 1952), (1951, 1951), *[(0, 0)] * source.has_undated):
        page = fetch(source, years=years, limit=source.page_limits[0])
        wanted = {None} if years == (0, 0) else set(range(years[0], years[1] + 1))
        assert {item.track.release_year for item in page.items} == wanted


@by_genre
@pytest.mark.parametrize("genre", GENRES)
def test_genres_arrive_unchanged(name: str, serve: Serve, genre: str) -> None:
    """Any genre name is requested unchanged."""
    running = serve()
    source = make(name, running.url)
    assert fetch(source, genre).received == 10
    queries = stats_of(running)["apis"][source.account.source]["queries"]
    assert queries == [source.query_for(genre)]
    assert f':"{genre}"' in queries[0] or name == "jamendo"  # its tags are single words


@by_genre
def test_an_unknown_genre_is_an_empty_page(name: str, serve: Serve) -> None:
    """An unknown genre is no error."""
    assert fetch(make(name, serve().url), "no such genre").is_empty


def test_a_too_large_page_limit_is_named(serve: Serve) -> None:
    """If only small pages are allowed, the error names the limit, and the next size works."""
    source = make("spotify", serve(mode="development").url)
    with pytest.raises(InvalidLimit) as caught:
        fetch(source, limit=source.page_limits[0])
    assert caught.value.limit == source.page_limits[0]
    assert fetch(source, limit=source.page_limits[-1]).received == source.page_limits[-1]


@every_source
def test_raises_a_ban_at_once(name: str, serve: Serve) -> None:
    """A refused request is raised at once, with its Retry-After where the service sends one."""
    rates = dict.fromkeys(("rate", "musicbrainz_rate", "jamendo_rate"), Rate(1, 30))
    source = make(name, serve(**rates, retry_after=20_000).url)
    fetch(source)
    with pytest.raises(RateLimited) as caught:
        fetch(source)
    if name in {"musicbrainz", "jamendo"}:
        assert (caught.value.retry_after, caught.value.reason) == (None, None)
    else:
        assert caught.value.retry_after
        assert 19_000 < caught.value.retry_after <= 20_000


@by_spotify
def test_replaces_an_expired_token(name: str, serve: Serve) -> None:
    """Tokens that expire during a run do not stop it."""
    source = make(name, serve(token_seconds=1.0).url)
    assert not fetch(source).is_empty
    assert fetch(source, offset=10).received == 10


def test_a_recording_is_complete(serve: Serve) -> None:
    """A recording has its MBID, its artists' MBIDs, its metadata, and its tags with votes."""
    running = serve(musicbrainz_ties=0)
    source = make("musicbrainz", running.url)
    items = fetch(source, limit=100).items
    track = next(item.track for item in items if item.track.duration_ms is not None)
    number = int(track.title.removeprefix("Song "))
    assert (track.source, len(track.source_id), track.album) == ("musicbrainz", 36, "Album")
    assert [credit.name for credit in track.artists] == [f"Band {number % 9}", "Guest"]
    assert {len(credit.source_id or "") for credit in track.artists} == {36}
    assert track.release_year in {None, 1950 + number % 60}
    assert abs((track.duration_ms or 0) - 180_000 - number) <= 1_500
    assert track.isrc == f"GBAAA0{number:06}"
    named = [{vote.name for vote in item.genres or ()} for item in items]
    assert sum("rock" in names for names in named) > PER_GENRE // 2
    assert any("rock" not in names for names in named), "tags are found by their words"


def test_musicbrainz_refuses_a_nameless_program(serve: Serve) -> None:
    """The message says which setting is missing."""
    source = make("musicbrainz", serve().url)
    source.client._session.headers["User-Agent"] = "python-requests/2.32"  # type: ignore[attr-defined]
    with pytest.raises(AccessDenied, match="COLLECTOR_CONTACT"):
        fetch(source)


def test_a_source_of_items_lists_each_once(serve: Serve) -> None:
    """All pages together are the items of a subject; the last page has no cursor."""
    source = make("internetarchive", serve().url)
    page = fetch(source, limit=100)
    listed = list(page.listed)
    while page.next_cursor is not None:
        query = source.query_for("rock")
        page = source.fetch(PageQuery("rock", query, 0, 9999, 0, 100, cursor=page.next_cursor))
        listed += page.listed
    assert len({item.item_id for item in listed}) == len(listed) == page.total
    assert {item.artist for item in listed} <= {f"Band {number}" for number in range(9)}
    assert page.items == ()


def test_jamendos_tracks_have_licences_and_tags(serve: Serve) -> None:
    """Each track has its own licence, and all tags with one vote each."""
    items = fetch(make("jamendo", serve().url), "drum & bass").items
    assert {item.track.licence for item in items} > {"cc-by-4.0"}
    assert {vote.name for item in items for vote in item.genres or ()} == {"drum & bass"}
    assert {vote.votes for item in items for vote in item.genres or ()} == {1}


@every_registered_source
def test_an_unreachable_source_is_transient(name: str) -> None:
    """An address without a server is a transient error."""
    with pytest.raises(SourceUnavailable):
        fetch(make(name, "http://127.0.0.1:9"))


@every_registered_source
def test_requires_credentials(name: str) -> None:
    """A missing setting is refused with a sentence, before any request."""
    bare = CollectorSettings(_env_file=None, spotify_client_id=None, spotify_client_secret=None)
    with pytest.raises(UserError, match=r"[sS]et "):
        make_source(name, bare, FakeClock())
