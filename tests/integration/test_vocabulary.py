"""Vocabularies of genres: imported from MusicBrainz and from files, on both databases."""

import json

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from collector.catalogue import vocabulary as stored
from collector.cli import app
from collector.curation import vocabulary
from genrebase.errors import NothingToDo
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests.scripted_server import ScriptedResponse, serving

LIST = "rock\nhip hop\ndrum and bass\nシティポップ\n"


@pytest.fixture
def service(sqlite_url, monkeypatch):
    """MusicBrainz' list of genres, over HTTP."""
    with serving() as server:
        server.respond("/ws/2/genre/all", ScriptedResponse(body=LIST.encode()))
        monkeypatch.setenv("STORE_URL", sqlite_url)
        monkeypatch.setenv("COLLECTOR_MUSICBRAINZ_URL", server.url)
        yield server


@pytest.fixture
def sqlite(sqlite_url):
    engine = make_engine(sqlite_url)
    yield engine
    engine.dispose()


def run(*arguments):
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None:
        raise result.exception
    return result


def names(engine, source=None):
    with read_transaction(engine) as connection:
        return stored.names(connection, source)


def test_imports_the_list_of_genres(service, sqlite):
    """One counted request; the names are known, and none of them is a genre to collect."""
    result = run("genres", "import", "musicbrainz", "--json")
    assert json.loads(result.stdout)["vocabulary"] == "musicbrainz"
    assert names(sqlite, "musicbrainz") == ["drum and bass", "hip hop", "rock", "シティポップ"]
    assert service.requests("/ws/2/genre/all") == 1
    with read_transaction(sqlite) as connection:
        assert connection.execute(select(tables.genre)).all() == []
        assert connection.scalar(select(tables.source_budget.c.requests)) == 1


def test_waits_where_the_service_is_busy(service, sqlite):
    """A 503 is waited out."""
    busy = ScriptedResponse.json({"error": "busy"}, 502)
    service.respond("/ws/2/genre/all", busy, ScriptedResponse(body=b"rock"))
    run("genres", "import", "musicbrainz")
    assert names(sqlite) == ["rock"]


def test_add_compares_with_the_list(service):
    """A genre that is not in the list is added, with a hint at the names nearest to it."""
    assert "MusicBrainz" not in run("genres", "add", "hip-hop", "--target", "5").stderr
    run("genres", "import", "musicbrainz")
    assert "'hip hop'" in run("genres", "add", "hip-hop", "--target", "5").stderr
    assert "'drum and bass'" in run("genres", "add", "drum & bass", "--target", "5").stderr
    assert "nearest" not in run("genres", "add", "zouk", "--target", "5").stderr
    assert "MusicBrainz" not in run("genres", "add", "Rock", "--target", "5").stderr


def test_a_file_is_a_vocabulary_of_its_own(service, sqlite, tmp_path):
    """Without a target a file's names are known; with one they are collected."""
    path = tmp_path / "words.txt"
    path.write_text("Zouk\nrock\nzouk\nunknown\n")
    assert "2 names" in run("genres", "import", str(path)).stdout
    run("genres", "import", "musicbrainz")
    assert names(sqlite, "words.txt") == ["rock", "zouk"]
    assert names(sqlite) == ["drum and bass", "hip hop", "rock", "zouk", "シティポップ"]
    path.write_text("soca\n")
    run("genres", "import", str(path))
    assert names(sqlite, "words.txt") == ["soca"]
    run("genres", "import", str(path), "--target", "7")
    with read_transaction(sqlite) as connection:
        row = tables.genre.c
        assert connection.execute(select(row.name, row.target)).all() == [("soca", 7)]


def test_is_stored_on_both_databases(engine):
    """Replacing a vocabulary leaves the others."""
    vocabulary.replace(engine, "one", ["b", "A"])
    vocabulary.replace(engine, "other", ["c"])
    assert vocabulary.replace(engine, "one", ["d"]) == ["d"]
    assert names(engine) == ["c", "d"]


def test_refuses_what_is_no_vocabulary(engine):
    """An empty list, or one of more names than there are genres, changes nothing."""
    vocabulary.replace(engine, "one", ["a"])
    for listed in ([], ["?"], map(str, range(1, vocabulary.MAX_NAMES + 2))):
        with pytest.raises(NothingToDo):
            vocabulary.replace(engine, "one", listed)
    assert names(engine) == ["a"]
