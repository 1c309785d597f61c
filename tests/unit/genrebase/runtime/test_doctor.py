"""Diagnostics of the database and the clock."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from genrebase.runtime import doctor
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.jobs import job_run
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, transaction
from tests import factories as make
from tests.fakes import NOON, FakeClock


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE_URL", "sqlite:///music.db")


@pytest.fixture
def engine(_elsewhere: None) -> Iterator[Engine]:
    made = make_engine()
    with transaction(made) as connection:
        tables.job_run.create(connection)
    yield made
    made.dispose()


def found_checks() -> dict[str, tuple[bool | None, str]]:
    return {one.name: (one.ok, one.sentence) for one in doctor.check_database(SystemClock())}


def test_a_sound_database_has_no_problem() -> None:
    """A migrated database with free disk space and a correct clock has no problem."""
    schema_upgrade.upgrade("sqlite:///music.db")
    assert {name: ok for name, (ok, _) in found_checks().items()} == {
        "disk": True,
        "database": True,
        "schema": True,
        "views": True,
        "search": True,
        "features": True,
        "clock": True,
    }


def test_a_missing_or_changed_view_is_reported(bare_url: str) -> None:
    """The line names the command that recreates it, or the object in its place."""
    schema_upgrade.upgrade(bare_url)
    made = make_engine(bare_url)
    try:
        _run(made, "DROP VIEW tracks")
        output = doctor._check_views(made)
        assert output.ok is False
        assert "genrebase migrate" in output.sentence
        schema_upgrade.upgrade(bare_url)
        assert doctor._check_views(made).ok is True
        _run(made, "DROP VIEW tracks", "CREATE VIEW tracks AS SELECT 1 AS track_id")
        assert doctor._check_views(made).ok is False
    finally:
        made.dispose()


def test_a_wrong_provider_of_features_is_reported(
    bare_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also an order that the database does not have yet; `migrate` and `--repair` mend them."""
    monkeypatch.setenv("STORE_URL", bare_url)
    schema_upgrade.upgrade(bare_url)
    made = make_engine(bare_url)
    try:
        with transaction(made) as connection:
            track = make.add_track(connection, "Song")
            make.add_features(connection, track, "csv")
            make.add_features(connection, track, "reccobeats")
        assert doctor._check_features_providers(made).ok is True
        _run(made, "DELETE FROM audio_features WHERE provider = 'csv'")
        output = doctor._check_features_providers(made)
        assert output.ok is False
        assert output.sentence.startswith("1 track ")
        schema_upgrade.migrate(repair=True)
        assert doctor._check_features_providers(made).ok is True
        monkeypatch.setenv("COLLECTOR_FEATURE_ORDER", "reccobeats,csv")
        assert doctor._check_features_providers(made).ok is False
        schema_upgrade.upgrade(bare_url)
        assert doctor._check_features_providers(made).ok is True
    finally:
        made.dispose()


def _run(engine: Engine, *statements: str) -> None:
    with transaction(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_a_database_without_a_schema(engine: Engine) -> None:
    """The line has the command that creates the schema."""
    engine.dispose()
    ok, sentence = found_checks()["schema"]
    assert ok is False
    assert "genrebase migrate" in sentence


def test_a_file_that_is_no_database() -> None:
    """Another file under that name is reported and unchanged."""
    Path("music.db").write_text("dear diary, " * 100)
    ok, sentence = found_checks()["database"]
    assert ok is False
    assert "not a database" in sentence
    assert Path("music.db").read_text().startswith("dear diary")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("nonsense", "sqlite:///FILE"),
        ("postgresql://me:hunter2@127.0.0.1:1/x", "does not respond"),
    ],
)
def test_a_database_that_cannot_be_used(
    url: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong URL or a stopped server is reported without the password."""
    monkeypatch.setenv("STORE_URL", url)
    ok, sentence = found_checks()["database"]
    assert ok is False
    assert word in sentence
    assert "hunter2" not in sentence


def test_a_folder_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The missing folder is named."""
    monkeypatch.setenv("STORE_URL", "sqlite:///nowhere/music.db")
    checks = found_checks()
    ok, sentence = checks["disk"]
    assert ok is False
    assert "nowhere" in sentence
    assert "genrebase migrate" not in checks["database"][1]  # it creates no folder


@pytest.mark.parametrize(("ahead", "fine"), [(0, True), (4, True), (3600, False)])
def test_a_clock_that_ran_backwards(engine: Engine, ahead: int, fine: bool) -> None:
    """A run that starts in the future means a wrong clock."""
    with job_run(engine, FakeClock(NOON + timedelta(seconds=ahead)), "harvest"):
        pass
    assert doctor.check_clocks(FakeClock(), engine).ok is fine
