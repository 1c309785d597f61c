"""Engines, transactions and connection errors."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from genrebase.errors import UserError
from genrebase.store import bulk, connect, tables
from genrebase.store.engine import (
    MATH_FUNCTIONS,
    make_engine,
    open_connection,
    read_transaction,
    register_functions,
    transaction,
)
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable, SchemaMismatch
from genrebase.store.settings import StoreSettings
from tests import factories as make


class Failure(Exception):
    """Raised in the middle of a transaction."""


def genres(engine: Engine) -> int:
    with read_transaction(engine) as connection:
        return connection.execute(select(func.count()).select_from(tables.genre)).scalar_one()


def test_a_transaction_is_all_or_nothing(engine: Engine):
    """An error in the block leaves the database as it was."""
    with transaction(engine) as connection:
        make.add_genre(connection, "rock")
    with pytest.raises(Failure):
        _fail(engine)
    assert genres(engine) == 1


def _fail(engine: Engine) -> None:
    with transaction(engine) as connection:
        make.add_genre(connection, "jazz")
        raise Failure


def test_ctrl_c_in_a_statement_rolls_back_at_once(sqlite_engine: Engine):
    """Another connection can write while the exception is still referenced."""
    with pytest.raises(KeyboardInterrupt):
        _interrupt(sqlite_engine)
    assert genres(sqlite_engine) == 1


class Interrupting:
    """A value that raises KeyboardInterrupt when it is stored."""

    def __conform__(self, _protocol: object) -> None:
        raise KeyboardInterrupt


def _interrupt(engine: Engine) -> None:
    rows = [("rock",), (Interrupting(),)]
    try:
        with transaction(engine) as connection:
            connection.exec_driver_sql("CREATE TABLE scratch (name)")
            connection.exec_driver_sql("INSERT INTO scratch VALUES (?)", rows)
    except KeyboardInterrupt:
        other = make_engine(engine.url, settings=StoreSettings(busy_timeout=0.001))
        with transaction(other) as connection:
            make.add_genre(connection, "jazz")
        other.dispose()
        raise


def test_read_transactions_never_commit(engine: Engine):
    """A write in one is rolled back."""
    with read_transaction(engine) as connection:
        make.add_genre(connection, "rock")
    assert genres(engine) == 0


def test_read_transactions_see_one_snapshot(postgres_engine: Engine):
    """Later commits of others are invisible."""
    with read_transaction(postgres_engine) as connection:
        count = select(func.count()).select_from(tables.genre)
        assert connection.execute(count).scalar() == 0
        with transaction(postgres_engine) as other:
            make.add_genre(other, "rock")
        assert connection.execute(count).scalar() == 0


def test_foreign_keys_hold(engine: Engine):
    """A row that refers to a missing row is refused on both engines."""
    row = {"source": "spotify", "source_id": "x", "track_id": 404}
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(insert(tables.track_alias), row)


def test_writers_wait_for_each_other(sqlite_url: str, sqlite_engine: Engine):
    """A writing transaction takes the lock when it begins; a second one waits there."""
    impatient = make_engine(settings=StoreSettings(url=sqlite_url, busy_timeout=0.0011))
    with transaction(sqlite_engine):
        with read_transaction(impatient) as connection:
            assert connection.execute(text("SELECT count(*) FROM genre")).scalar() == 0
        with pytest.raises(DatabaseFailure, match="locked"), transaction(impatient):
            pass
    impatient.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is not a database URL.*sqlite:///FILE"),
        ("mysql://somewhere/x", "SQLite or PostgreSQL, not in 'mysql'"),
        ("postgresql://me:secret@127.0.0.1:abc/x", "is not a database URL"),
        ("sqlite://", "in-memory.*sqlite:///FILE"),
        ("sqlite:///:memory:", "in-memory.*sqlite:///FILE"),
    ],
)
def test_a_bad_url_is_refused_with_an_example(url: str, message: str):
    """The error for an unusable URL has a usable one."""
    with pytest.raises(UserError, match=message):
        make_engine(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:se@cret@127.0.0.1/x",
        "postgresql://me:se@cr/et@127.0.0.1/x",
        "postgresql://me:se@cret@127.0.0.1:abc/x",
        "postgresql://me:secret@127.0.0.1:abc/x",
        "me:secret@127.0.0.1/x",
    ],
)
def test_no_part_of_a_password_is_printed(url: str):
    """Also where the password makes the URL unreadable."""
    with pytest.raises(UserError) as refused:
        make_engine(url)
    assert "cr" not in str(refused.value)


def test_missing_sqlite_functions_are_registered():
    """They return what SQLite's own do: NULL for NULL, and a number for a number."""
    bare = sqlite3.connect(":memory:")
    register_functions(bare, MATH_FUNCTIONS)
    row = bare.execute("SELECT sqrt(6.25), floor(-1.5), sqrt(NULL), floor(NULL)").fetchone()
    bare.close()
    assert row == (2.5, -2.0, None, None)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_accepted(scheme: str):
    """All of them use the installed driver."""
    assert make_engine(f"{scheme}://u@h/d").url.drivername == "postgresql+psycopg"


def test_an_unreachable_database_is_named():
    """The error names the database and never its password."""
    with pytest.raises(DatabaseUnreachable, match="does not respond") as caught:
        connect("postgresql://u:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_a_file_in_a_missing_folder_is_refused(tmp_path: Path):
    """The folder is named, and nothing is created."""
    with pytest.raises(UserError, match=r"There is no folder .*absent for the database x\.db"):
        connect(f"sqlite:///{tmp_path}/absent/x.db")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named_instead_of_its_schema(tmp_path: Path):
    """A typo in the name is visible, and no empty file is left behind."""
    with pytest.raises(SchemaMismatch, match=r"There is no database .*genrebasse\.db"):
        connect(f"sqlite:///{tmp_path}/genrebasse.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database(tmp_path: Path):
    """Another file under that name is reported and unchanged."""
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 100)
    with pytest.raises(DatabaseUnreachable, match="is not a database"):
        connect(f"sqlite:///{path}")
    assert path.read_text().startswith("These")


def test_others_can_read_while_one_writes(sqlite_url: str, sqlite_engine: Engine):
    """A plain connection of another program reads while a transaction is open."""
    with transaction(sqlite_engine) as connection:
        make.add_genre(connection, "rock")
        path = create_engine(sqlite_url).url.database
        other = sqlite3.connect(str(path))
        assert other.execute("SELECT count(*) FROM genre_progress").fetchone() == (0,)
        other.close()


def test_a_read_only_database(sqlite_url: str):
    """The error has the database's message without our statement and its values."""
    path = sqlite_url.removeprefix("sqlite:///")
    engine = make_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with (
        pytest.raises(DatabaseFailure, match=r"readonly database.*run the same again") as caught,
        transaction(engine) as connection,
    ):
        make.add_genre(connection, "rock")
    engine.dispose()
    assert "INSERT" not in str(caught.value)


def test_a_connection_that_is_lost(postgres_engine: Engine):
    """A lost connection raises our error, and the next transaction works."""
    with (
        pytest.raises(DatabaseFailure, match="failed in the middle"),
        transaction(postgres_engine) as connection,
    ):
        mine = connection.scalar(text("SELECT pg_backend_pid()"))
        with postgres_engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        make.add_genre(connection, "rock")
    with transaction(postgres_engine) as connection:
        make.add_genre(connection, "rock")


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch):
    """The error names an invalid setting and its problem."""
    monkeypatch.setenv("STORE_BUSY_TIMEOUT", "abc")
    with pytest.raises(match=r"STORE_BUSY_TIMEOUT: .*number"):
        make_engine("sqlite:///x.db")


def test_a_file_that_is_moved_away_is_not_recreated(sqlite_engine: Engine, tmp_path: Path):
    """It is neither written at its new place nor recreated; moved back, it is used."""
    file, elsewhere = tmp_path / "genrebase.db", tmp_path / "elsewhere.db"
    assert genres(sqlite_engine) == 0
    file.rename(elsewhere)
    for use in (read_transaction, transaction):
        with pytest.raises(DatabaseUnreachable, match="put it back"), use(sqlite_engine):
            pass
    assert not file.exists()
    elsewhere.rename(file)
    assert genres(sqlite_engine) == 0


def test_a_replaced_file_is_used(sqlite_engine: Engine, tmp_path: Path):
    """A restored backup is read at once, also by a process that had the other file open."""
    file, saved = tmp_path / "genrebase.db", tmp_path / "saved.db"
    shutil.copyfile(file, saved)
    with transaction(sqlite_engine) as connection:
        make.add_genre(connection, "rock")
    saved.replace(file)
    assert genres(sqlite_engine) == 0


def test_a_connection_that_breaks_in_copy(postgres_engine: Engine):
    """COPY raises the driver's own errors, which are translated, too."""
    rows = [(f"genre {n}",) for n in range(200)]
    with (
        pytest.raises(DatabaseFailure, match="failed in the middle"),
        transaction(postgres_engine) as connection,
    ):
        driver = connection.connection.driver_connection
        with closing(make_engine(postgres_engine.url).raw_connection()) as other:
            end = "SELECT pg_terminate_backend(%s, 5000)"
            other.driver_connection.execute(end, (driver.info.backend_pid,))
            other.detach()
        bulk.insert(connection, tables.genre, ("name",), rows)
    assert genres(postgres_engine) == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """`os.access` stands in: root may write everywhere."""
    (tmp_path / "x.db").mkdir()
    monkeypatch.setattr("os.access", lambda *_: False)
    engine = make_engine(f"sqlite:///{tmp_path}/x.db")

    with (
        pytest.raises(UserError, match=r"the folder .* cannot be written") as caught,
        open_connection(engine),
    ):
        pass

    assert str(tmp_path) in str(caught.value)
