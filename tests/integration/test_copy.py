"""A copy is equal, resumes after a kill, and never overwrites other data."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from genrebase import store
from genrebase.errors import UserError
from genrebase.store import search_index, tables
from genrebase.store.copy import copy_database
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.errors import SchemaMismatch, StoreError
from tests import factories as make
from tests.consistency import assert_consistent, assert_indexed
from tests.fakes import NOON
from tests.filled_database import contents, fill
from tests.postgres import PostgresServer

MakeTarget = Callable[[], Engine]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of the source: a database of each kind."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def target(database_url: str, request: pytest.FixtureRequest) -> Engine:
    """Return an engine on an empty database of the other kind."""
    kind = "postgres_engine" if database_url.startswith("sqlite") else "other_engine"
    engine: Engine = request.getfixturevalue(kind)
    return engine


@pytest.fixture
def filled(engine: Engine) -> Engine:
    fill(engine)
    return engine


class Stopped(Exception):
    """Raised in the middle of a copy."""


def stop_after(rows: int) -> Callable[..., None]:
    def on_progress(done: float, *_: object, **__: object) -> None:
        if done >= rows:
            raise Stopped

    return on_progress


def test_every_table_is_filled(filled: Engine):
    """The source of the copies below has rows in every table."""
    empty = [name for name, rows in contents(filled).items() if not rows]
    assert empty == ["identity_lock"]  # its rows never outlive a transaction


def test_a_copy_is_equal(filled: Engine, bare_url: str):
    """All rows are copied with their keys into a database that had no schema, and compared."""
    target = make_engine(bare_url)
    copied = copy_database(filled, target)
    expected = contents(filled)
    assert contents(target) == expected
    assert copied.rows == sum(map(len, expected.values()))
    assert copied.written == copied.rows - len(expected["feature_order"])  # a migration's rows
    assert {one.table: one.rows for one in copied.tables} == {
        name: len(rows) for name, rows in expected.items()
    }
    assert not copied.resumed
    with read_transaction(target) as connection:
        assert_consistent(connection)
        assert connection.execute(text("SELECT count(*) FROM tracks")).scalar() == 30
    target.dispose()


def test_a_round_trip_is_equal(
    sqlite_engine: Engine, postgres_engine: Engine, other_engine: Engine
):
    """SQLite to PostgreSQL and back yields the first database."""
    fill(sqlite_engine)
    there = copy_database(sqlite_engine, postgres_engine)
    back = copy_database(postgres_engine, other_engine)
    assert contents(other_engine) == contents(sqlite_engine)
    assert there.tables == back.tables


def test_new_rows_get_new_keys(filled: Engine, target: Engine):
    """After a copy the next track's id follows the copied ones, also on PostgreSQL."""
    copy_database(filled, target)
    with transaction(target) as connection:
        highest = max(connection.scalars(select(tables.track.c.id)))
        assert make.add_track(connection, "New") > highest
        assert make.add_shard(connection, 1, "another") > 1


@pytest.mark.parametrize("rows", [1, 150])
def test_a_stopped_copy_resumes(filled: Engine, target: Engine, rows: int):
    """Whichever table it stopped in, the same command completes it, and writes nothing twice."""
    expected = contents(filled)
    with pytest.raises(Stopped):
        copy_database(filled, target, stop_after(rows))
    before = sum(len(result) for result in contents(target).values())
    copied = copy_database(filled, target)
    assert copied.resumed
    assert copied.written == copied.rows - before
    assert contents(target) == expected


def test_a_killed_copy_resumes(filled: Engine, database_url: str, target: Engine):
    """SIGKILL in the middle leaves a copy that the next run completes."""
    to = target.url.render_as_string(hide_password=False)
    script = (
        "import os, signal\n"
        "from genrebase.store.copy import copy_database\n"
        "from genrebase.store.engine import make_engine\n"
        "def kill(done, total, note):\n"
        "    if done > 100: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"copy_database(make_engine({database_url!r}), make_engine({to!r}), kill)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    with pytest.raises(UserError, match="run the same `genrebase copy` again"):
        store.connect(to)
    copy_database(filled, target)
    store.connect(to).dispose()
    assert contents(target) == contents(filled)


def change(engine: Engine) -> None:
    """Add, change and delete rows, and let two models exchange a unique value."""
    with transaction(engine) as connection:
        gone = connection.scalars(select(tables.verdict.c.track_id)).one()
        connection.execute(delete(tables.verdict))
        connection.execute(delete(tables.track).where(tables.track.c.id == gone))
        connection.execute(update(tables.track).values(album="Another"))
        champion, retired = connection.scalars(
            select(tables.model.c.id).order_by(tables.model.c.status)
        ).all()
        for model, status in ((champion, "candidate"), (retired, "champion")):
            chosen = update(tables.model).where(tables.model.c.id == model)
            connection.execute(chosen.values(status=status))
        genre = connection.scalar(select(tables.genre.c.id).limit(1))
        make.add_track(connection, "New", genres=[genre])


def test_a_copy_is_updated(filled: Engine, target: Engine):
    """Rows that were deleted, added and changed since are equal after the next run."""
    copy_database(filled, target)
    assert search_index.fill(target) > 0
    change(filled)
    copied = copy_database(filled, target)
    assert copied.resumed
    assert contents(target) == contents(filled)
    assert copy_database(filled, target).written == 0
    for engine in (filled, target):
        search_index.fill(engine)
        assert_indexed(engine)


def test_rows_that_exchanged_a_unique_value_are_copied(filled: Engine, target: Engine):
    """An earlier champion that is champion again conflicts with the stored one, and is copied."""
    with transaction(filled) as connection:
        connection.execute(update(tables.model).values(status="retired"))
        first = connection.scalar(select(tables.model.c.id).order_by(tables.model.c.id).limit(1))
        last = update(tables.model).where(tables.model.c.id != first)
        connection.execute(last.values(status="champion"))
    copy_database(filled, target)
    with transaction(filled) as connection:
        connection.execute(update(tables.model).values(status="retired"))
        chosen = update(tables.model).where(tables.model.c.id == first)
        connection.execute(chosen.values(status="champion"))
    copy_database(filled, target)
    assert contents(target) == contents(filled)


def test_other_data_is_not_touched(filled: Engine, target: Engine):
    """A database with rows of its own is refused before anything is written."""
    with transaction(target) as connection:
        make.add_genre(connection, "mine")
    before = contents(target)
    with pytest.raises(UserError, match="data of its own"):
        copy_database(filled, target)
    assert contents(target) == before


def test_a_changed_copy_is_not_overwritten(filled: Engine, target: Engine):
    """Rows written into a complete copy would be lost: the copy is refused and the table named."""
    copy_database(filled, target)
    with transaction(target) as connection:
        connection.execute(
            insert(tables.genre).values(name="mine", created_at=NOON, sightings=0, paused=False)
        )
    with pytest.raises(UserError, match=r"\(genre\)"):
        copy_database(filled, target)


def test_a_copy_of_another_database_is_refused(
    sqlite_engine: Engine, other_engine: Engine, postgres_engine: Engine
):
    """A target belongs to the source it was copied from."""
    fill(sqlite_engine, 2)
    copy_database(sqlite_engine, postgres_engine)
    with pytest.raises(UserError, match="holds a copy of"):
        copy_database(other_engine, postgres_engine)


def test_a_database_is_not_copied_into_itself(filled: Engine, database_url: str):
    """Not by another URL either."""
    other = make_engine(database_url.replace("sqlite:///", "sqlite:////./"))
    with pytest.raises(UserError, match="cannot be copied into itself"):
        copy_database(filled, other)
    other.dispose()


def test_a_missing_source_is_refused(tmp_path: Path, engine: Engine):
    """The message names the file, which is not created."""
    missing = make_engine(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(UserError, match=r"none\.db does not exist"):
        copy_database(missing, engine)
    assert not (tmp_path / "none.db").exists()


def test_another_schema_is_refused(filled: Engine, target: Engine):
    """Neither source nor target may have an unknown schema revision."""
    with transaction(target) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for source, into in ((filled, target), (target, filled)):
        with pytest.raises(SchemaMismatch, match="9999"):
            copy_database(source, into)


def test_writes_to_the_target_are_detected(filled: Engine, target: Engine):
    """Counts and checksums at the end equal those of the source, or the copy fails."""
    extra = {"mapping": "own", "fine": "stray", "broad": "rock"}

    def write_after_mappings(done: float, total: float, **_: object) -> None:
        if done == total // 2:
            with transaction(target) as connection:
                connection.execute(insert(tables.genre_mapping).values(extra))

    with pytest.raises(StoreError, match="genre_mapping"):
        copy_database(filled, target, write_after_mappings)
    copy_database(filled, target)
    assert contents(target) == contents(filled)


def test_a_source_may_be_written_to_meanwhile(filled: Engine, target: Engine):
    """A copy is one snapshot of the source; later writes are ignored."""
    expected = contents(filled)

    def write(*_: object, **__: object) -> None:
        with transaction(filled) as connection:
            connection.execute(update(tables.track).values(album="Meanwhile"))

    copy_database(filled, target, write)
    assert contents(target) == expected


def test_foreign_tables_are_unchanged(
    postgres_server: PostgresServer, bare_postgres_url: str, sqlite_engine: Engine
):
    """Tables of other software stay; a foreign table with one of our names is refused."""
    target = make_engine(bare_postgres_url)
    with transaction(target) as connection:
        connection.execute(text("CREATE TABLE guestbook (line text)"))
        connection.execute(text("CREATE TABLE artist (name text)"))
    with pytest.raises(UserError, match="artist"):
        copy_database(sqlite_engine, target)
    target.dispose()
