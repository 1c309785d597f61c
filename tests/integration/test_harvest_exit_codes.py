"""What a cron job gets from `collector harvest` that requests nothing."""

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from collector.cli import app
from genrebase.errors import NothingToDo
from genrebase.store.engine import make_engine, transaction
from tests import factories as make


@pytest.fixture
def engine(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.setenv("COLLECTOR_SOURCES", "musicbrainz")
    monkeypatch.setenv("COLLECTOR_CONTACT", "ann@example.org")
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "0")
    engine = make_engine(sqlite_url)
    yield engine
    engine.dispose()


def harvest(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["harvest", *arguments])


def test_targets_that_are_reached_or_0(engine: Engine):
    with transaction(engine) as connection:
        make.add_genre(connection, "rock", target=0)
        make.add_genre(connection, "jazz", target=1, tracks=1)
        make.add_genre(connection, "pop", target=5, paused=True)
    for arguments in ((), ("--genre", "rock")):
        done = harvest(*arguments)
        assert (done.exit_code, done.exception) == (0, None)
        assert "Every genre has its target." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "pop is paused: `collector genres resume NAME` ends that."),
        (("--genre", "pop"), "pop is paused:"),
        (("--genre", "folk"), "folk has no target: add one with `collector genres add NAME"),
    ],
)
def test_nothing_to_harvest(engine: Engine, arguments, sentence):
    with transaction(engine) as connection:
        make.add_genre(connection, "folk")
        make.add_genre(connection, "pop", target=5, paused=True)
    failed = harvest(*arguments).exception
    assert isinstance(failed, NothingToDo)
    assert failed.exit_code == 3
    assert str(failed).startswith(sentence)
