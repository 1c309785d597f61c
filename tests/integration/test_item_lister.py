"""Items of audio files are listed by subject, resumably, and only as many as are needed."""

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from collector import composition_root
from collector.catalogue import audio_items, genres
from collector.cli import app
from collector.crawl.item_lister import after_page, tracks_lacking
from collector.curation import genres as genre_use
from collector.settings import CollectorSettings
from collector.shard import GenreProgress, Shard
from collector.sources.internet_archive import InternetArchive
from genrebase.errors import NothingToDo
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from sandbox.synthetic.catalogue import generate_catalogue
from sandbox.tracks.catalogue import SandboxCatalogue
from tests import factories as make
from tests import scripted_server
from tests.fakes import NOON, FakeClock

SOURCE = "internetarchive"


@pytest.fixture(scope="module")
def catalogue():
    return SandboxCatalogue(generate_catalogue(1, 60, 20))


@pytest.fixture
def sandbox(serving, catalogue):
    return serving(catalogue=catalogue).sandbox


def settings_for(sandbox, **more):
    return CollectorSettings(
        _env_file=None, sandbox_url=sandbox.url, sources=SOURCE, timeout=20, **more
    )


def harvest(engine, settings, max_requests=None):
    crawl = composition_root.open_crawl(engine, settings, FakeClock())
    return crawl.run(max_requests=max_requests), crawl


def items(engine):
    with read_transaction(engine) as connection:
        rows = connection.execute(
            select(tables.audio_item.c.item_id, tables.audio_item.c.licence, tables.genre.c.name)
            .join(
                tables.audio_item_genre,
                tables.audio_item_genre.c.item_id == tables.audio_item.c.item_id,
            )
            .join(tables.genre, tables.genre.c.id == tables.audio_item_genre.c.genre_id)
        )
        return sorted(map(tuple, rows))


def count(engine, table):
    with read_transaction(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_without_a_target_there_is_nothing_to_list(engine, sandbox):
    """A harvest of items alone says so, as one of searches does."""
    with pytest.raises(NothingToDo, match="No genre has a target: add one with"):
        harvest(engine, settings_for(sandbox))


def test_items_are_listed_with_their_licences_and_genres(engine, sandbox):
    """No track is recorded; an item counts for every genre of ours among its subjects."""
    for name in ("rock", "jazz", "blues"):
        genre_use.add(engine, FakeClock(), name, 10_000)
    outcome, crawl = harvest(engine, settings_for(sandbox))
    assert (outcome.stopped, outcome.recorded.tracks_new) == ("exhausted", 0)
    assert outcome.recorded.items_listed == count(engine, tables.audio_item) > 0
    assert {name for _, _, name in items(engine)} == {"rock", "jazz", "blues"}
    assert {"cc-by-4.0", "cc-by-nc-sa-3.0", "cc0", "unknown"} <= {one[1] for one in items(engine)}
    assert len(items(engine)) > count(engine, tables.audio_item), "some are of two genres"
    assert not crawl.has_work()
    assert count(engine, tables.track) == 0
    assert outcome.items_waiting == len(items(engine))
    assert outcome.unknown_genres == [], "listed, although no track is recorded"


def test_a_genre_that_the_archive_lacks_is_named(engine, sandbox):
    """As by the other sources: it may be misspelt."""
    for name in ("rock", "rokc"):
        genre_use.add(engine, FakeClock(), name, 10_000)
    outcome, _ = harvest(engine, settings_for(sandbox))
    assert outcome.unknown_genres == ["rokc"]


def test_the_command_points_to_waiting_items(sqlite_url, sandbox, monkeypatch):
    """And says in plain words that the searches are read."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.setenv("COLLECTOR_SANDBOX_URL", sandbox.url)
    monkeypatch.setenv("COLLECTOR_SOURCES", SOURCE)
    for line in (["genres", "add", "rock", "--target", "10000"], ["harvest"]):
        result = CliRunner().invoke(app, line)
        assert result.exit_code == 0, result.output
    assert "no further results" in result.output
    assert "Items are waiting to be downloaded: run `collector listen`." in result.output


def test_a_harvest_that_stops_after_each_request_lists_the_same(
    engine, other_engine, sandbox, monkeypatch
):
    """The cursor is stored with the items of its page."""
    monkeypatch.setattr(InternetArchive, "page_limits", (100,))
    for one in (engine, other_engine):
        genre_use.add(one, FakeClock(), "rock", 10_000)
        genre_use.add(one, FakeClock(), "r&b", 10_000)
    settings = settings_for(sandbox)
    undisturbed, _ = harvest(other_engine, settings)
    requests = 0
    for _ in range(100):
        outcome, _ = harvest(engine, settings, max_requests=1)
        requests += outcome.requests
        if outcome.stopped != "limit":
            break
    assert items(engine) == items(other_engine)
    assert requests == undisturbed.requests


def test_no_more_items_are_listed_than_lack_tracks(engine, sandbox, monkeypatch):
    """One page is enough for a target below its items; a satisfied genre needs none."""
    monkeypatch.setattr(InternetArchive, "page_limits", (100,))
    genre_use.add(engine, FakeClock(), "rock", 20)
    outcome, crawl = harvest(engine, settings_for(sandbox))
    assert (outcome.requests, outcome.stopped) == (1, "listed")
    assert outcome.exhausted_genres == []
    assert not crawl.has_work()
    again, _ = harvest(engine, settings_for(sandbox))
    assert again.requests == 0


def test_a_refused_cursor_closes_the_search(engine):
    """It is not requested again in every run; a later run begins the search anew."""
    with scripted_server.serving() as server:
        path = "/archive/services/search/v1/scrape"
        page = {"items": [{"identifier": "one", "subject": "ambient"}], "cursor": "old"}
        server.respond(path, scripted_server.ScriptedResponse.json(page))
        settings = CollectorSettings(
            _env_file=None,
            sources="internetarchive",
            archive_url=f"{server.url}/archive",
            archive_rate="1000/30s",
        )
        clock = FakeClock()
        genre_use.add(engine, clock, "ambient", 100)
        crawl = composition_root.open_crawl(engine, settings, clock)
        assert crawl.run(max_requests=1).stopped == "limit"
        server.respond(path, scripted_server.ScriptedResponse(400, b'{"error": "no cursor"}'))
        outcome = crawl.run()
        assert (outcome.stopped, outcome.requests) == ("exhausted", 1)
        assert not crawl.has_work()


def test_items_outside_the_wanted_licences_do_not_count(engine, serving, monkeypatch):
    """They are listed, and the search goes on for others."""
    monkeypatch.setattr(InternetArchive, "page_limits", (100,))
    sandbox = serving(catalogue=SandboxCatalogue(generate_catalogue(1, 200, 80))).sandbox
    genre_use.add(engine, FakeClock(), "rock", 80)
    all_licences, _ = harvest(engine, settings_for(sandbox))
    assert count(engine, tables.audio_item) == 100
    open_ones, crawl = harvest(engine, settings_for(sandbox, licence="open"))
    with read_transaction(engine) as connection:
        allowed = audio_items.allowed_licences(connection, SOURCE, "open")
    assert set(allowed) == {"cc-by-4.0", "cc-by-sa-3.0", "cc0"}
    assert (all_licences.requests, all_licences.stopped) == (1, "listed")
    assert open_ones.requests > 0
    assert count(engine, tables.audio_item) > 100
    assert not crawl.has_work()


def test_a_subject_that_only_holds_the_word_is_another_genre(engine, serving):
    """The archive's search finds words; the item is set aside, and counted."""
    table = generate_catalogue(1, 10, 5)
    at = table.columns.index("track_genre")
    rows = [
        tuple("indie rock" if i == at and cell == "rock" else cell for i, cell in enumerate(row))
        for row in table.rows
    ]
    served = SandboxCatalogue(type(table)(table.columns, rows, table.name, table.sha256))
    genre_use.add(engine, FakeClock(), "rock", 100)
    outcome, _ = harvest(engine, settings_for(serving(catalogue=served).sandbox))
    assert outcome.unusable_reasons == {"of another genre": outcome.unusable}
    assert outcome.unusable > 0
    assert count(engine, tables.audio_item) == 0


def test_merging_genres_moves_their_items(engine, sandbox):
    for name in ("rock", "jazz"):
        genre_use.add(engine, FakeClock(), name, 10_000)
    harvest(engine, settings_for(sandbox))
    n_items = count(engine, tables.audio_item)
    with transaction(engine) as connection:
        by_name = {one.name: one for one in genres.list_genres(connection)}
        genres.merge(connection, by_name["rock"], by_name["jazz"])
    assert {name for _, _, name in items(engine)} == {"jazz"}
    assert len(items(engine)) == n_items


def test_tracks_without_features_become_items(engine):
    """Each alias of the source once; analysed tracks are left out."""
    with transaction(engine) as connection:
        for number in range(3):
            track = make.add_track(connection, f"Song {number}", ["Band"])
            make.add_alias(connection, track, f"{number}", "jamendo")
        make.add_features(connection, track, "audio", energy=0.5)
        for _ in range(2):
            audio_items.add_tracks_without_features(connection, "jamendo", NOON)
        next_items = audio_items.next_items(connection, "jamendo", NOON, ["unknown"], limit=9)
    assert [(one.item_id, one.listed.title, one.listed.subjects) for one in next_items] == [
        ("0", "Song 0", ()),
        ("1", "Song 1", ()),
    ]


def test_an_item_of_several_ids_has_the_strictest_licence(engine):
    """Two tracks of the source were one recording, and their licences differ."""
    with transaction(engine) as connection:
        track = make.add_track(connection, "Song", ["Band"])
        for name, licence in (("rock", "cc-by-4.0"), ("jazz", "cc-by-nc-nd-3.0")):
            make.add_alias(connection, track, name, "jamendo")
            genre = make.add_genre(connection, name)
            make.add_sighting(connection, track, genre, source="jamendo", licence=licence)
        audio_items.add_tracks_without_features(connection, "jamendo", NOON)
        licences = connection.scalars(select(tables.audio_item.c.licence)).all()
    assert licences == ["cc-by-nc-nd-3.0"] * 2


def shard(**changed):
    values = {"id": 1, "genre_id": 1, "query": "q", "year_from": 0, "year_to": 9999}
    values |= {"first_rank": 0, "head": 0, "next_offset": 0, "end_offset": None, "status": "open"}
    values |= {"requests": 0, "tracks_new": 0, "dry_pages": 0, "empty_pages": 0, "promised": None}
    return Shard(**values | changed)


@pytest.mark.parametrize(
    ("before", "received", "cursor", "status", "after_cursor"),
    [
        ({}, 100, "b", "open", "b"),
        ({"cursor": "b"}, 50, None, "exhausted", None),
        ({}, 0, None, "open", None),
        ({"empty_pages": 1}, 0, None, "exhausted", None),
        ({"cursor": "b"}, 0, None, "open", "b"),
    ],
)
def test_a_search_ends_without_a_cursor(before, received, cursor, status, after_cursor):
    """An empty page is requested twice, with the same cursor."""
    after = after_page(shard(**before), received, received, cursor)
    assert (after.status, after.cursor, after.requests) == (status, after_cursor, 1)


def test_waiting_items_count_as_a_track_each():
    assert tracks_lacking(GenreProgress("rock", 100, 30), 50) == 20
    assert tracks_lacking(None, 0) == 0
