"""Tables and views read as Arrow batches, from one state of the database."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Engine,
    Text,
    create_engine,
    delete,
    func,
    insert,
    select,
    text,
)

from genrebase.lake.arrow_types import arrow_type
from genrebase.lake.sqlite_process import SqliteProcess, open_sqlite
from genrebase.lake.tables_to_arrow import arrow_reader, arrow_readers
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, postgresql_options, read_transaction, transaction
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable, StoreError
from tests import factories as make
from tests.fakes import NOON
from tests.filled_database import fill

RELATIONS = {**tables.metadata.tables, **{name: view.table for name, view in views.ALL.items()}}


def stored(engine, relation):
    """Return all rows of a table or view as Arrow should deliver them."""
    with read_transaction(engine) as connection:
        rows = connection.execute(select(relation)).mappings().all()
    documents = [column.name for column in relation.columns if isinstance(column.type, JSON)]
    return [
        {name: _plain(value, name in documents) for name, value in row.items()} for row in rows
    ]


def _plain(value, is_document):
    if is_document and value is not None:
        return value
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def in_order(rows):
    return sorted(rows, key=repr)


def as_rows(reader: pa.RecordBatchReader, relation):
    rows = reader.read_all().to_pylist()
    for column in relation.columns:
        if isinstance(column.type, JSON):
            for row in rows:
                row[column.name] = row[column.name] and json.loads(row[column.name])
    return rows


def test_every_table_and_view_is_read_exactly(engine: Engine):
    """Values and types are SQLAlchemy's, on both engines: times in UTC, booleans, documents."""
    fill(engine)
    with arrow_reader(engine) as reader:
        for name, relation in RELATIONS.items():
            rows = reader.query(select(relation))
            types = [arrow_type(column.type) for column in relation.columns]
            assert rows.schema.types == types, name
            assert in_order(as_rows(rows, relation)) == in_order(stored(engine, relation)), name


def test_the_first_rows_do_not_decide_the_type(engine: Engine):
    """A column that is NULL for longer than a batch still holds text, times and numbers."""
    with transaction(engine) as connection:
        rows = [
            {"id": number, "name": f"{number}", "paused": False, "created_at": NOON}
            for number in range(1, 70_000)
        ]
        connection.execute(insert(tables.genre), rows)
        last = {"id": 70_000, "name": "x", "target": 5, "paused": True, "created_at": NOON}
        connection.execute(insert(tables.genre), last)
    with arrow_reader(engine) as reader:
        read = reader.query(
            select(tables.genre.c.target, tables.genre.c.name, tables.genre.c.paused)
        ).read_all()
        assert read.num_rows == 70_000
        assert [row for row in read.to_pylist() if row["paused"]] == [
            {"target": 5, "name": "x", "paused": True}
        ]
        ordered = select(tables.genre.c.id).order_by(tables.genre.c.id.desc())
        assert reader.query(ordered).read_all()["id"].to_pylist() == list(range(70_000, 0, -1))


def test_an_empty_table_has_its_types(engine: Engine):
    """No row, but the schema."""
    with arrow_reader(engine) as reader:
        empty = reader.query(select(tables.verdict)).read_all()
        assert reader.key_ranges(tables.verdict) == []
    assert empty.num_rows == 0
    assert empty.schema.field("labelled_at").type == pa.timestamp("us", tz="UTC")


def test_key_ranges_hold_all_rows_once(engine: Engine):
    """Ranges begin at multiples of their size, and no row is in two."""
    fill(engine)
    with arrow_reader(engine) as reader:
        ranges = reader.key_ranges(tables.track, 7)
        assert all(keys.start % 7 == 0 and len(keys) == 7 for keys in ranges)
        key = views.tracks.c.track_id
        queries = [select(key).where(key >= keys.start, key < keys.stop) for keys in ranges]
        parts = [reader.query(query).read_all() for query in queries]
    ids = [value for part in parts for value in part["track_id"].to_pylist()]
    assert sorted(ids) == sorted(row["id"] for row in stored(engine, tables.track))


@pytest.mark.parametrize("log", [True, False])
def test_all_queries_see_one_state(engine: Engine, *, log: bool):
    """What others commit while the reader is open is not in it, and they are not held up."""
    fill(engine)
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(engine.url.database or "") as connection:
            connection.execute(f"PRAGMA journal_mode={'WAL' if log else 'DELETE'}")
    before = stored(engine, tables.track_artist)
    with arrow_reader(engine) as reader:
        reader.query(select(func.count().label("tracks")).select_from(tables.track)).read_all()
        with transaction(engine) as connection:
            connection.execute(delete(tables.track_artist))
        rows = as_rows(reader.query(select(tables.track_artist)), tables.track_artist)
        assert in_order(rows) == in_order(before)
    assert stored(engine, tables.track_artist) == []


def test_read_in_place(sqlite_engine: Engine):
    """Without a copy, a writer of a file without a log waits until the reader is closed."""
    fill(sqlite_engine)
    busy = create_engine(sqlite_engine.url, connect_args={"timeout": 0.1})
    with sqlite3.connect(sqlite_engine.url.database or "") as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with arrow_reader(sqlite_engine, in_place=True) as reader:
        assert reader.query(select(tables.genre)).read_all().num_rows == 2
        with pytest.raises(Exception, match="database is locked"), busy.begin() as connection:
            connection.execute(delete(tables.genre_mapping))
    with busy.begin() as connection:
        connection.execute(delete(tables.genre_mapping))
    busy.dispose()


def test_text_as_in_the_database(engine: Engine):
    """Quotes, percent signs, backslashes and colons in a query and in values stay as they are."""
    odd = "50% 'off' \\n :name %s \" %(x)s"
    with transaction(engine) as connection:
        make.add_genre(connection, odd)
        make.add_genre(connection, "other")
    query = select(tables.genre.c.name).where(tables.genre.c.name == odd)
    with arrow_reader(engine) as reader:
        assert reader.query(query).read_all()["name"].to_pylist() == [odd]
        typed = text("SELECT count(*) AS n, 'x' AS x FROM genre").columns(
            Column("n", BigInteger), Column("x", Text)
        )
        assert reader.query(typed).read_all().to_pylist() == [{"n": 2, "x": "x"}]


def test_a_new_query_ends_the_last_one(engine: Engine):
    """The rest of a stream is dropped, and whoever reads on there is told so."""
    fill(engine)
    with arrow_reader(engine) as reader:
        unread = reader.query(select(tables.track))
        assert reader.query(select(tables.genre)).read_all().num_rows == 2
        with pytest.raises(RuntimeError, match="next query"):
            unread.read_all()


def test_a_query_that_fails_says_why(engine: Engine):
    """The database's message is in the error."""
    wrong = text("SELECT nothing FROM genre").columns(Column("nothing", Text))
    with arrow_reader(engine) as reader, pytest.raises(DatabaseFailure, match="nothing"):
        reader.query(wrong)


def test_a_fraction_is_no_integer(engine: Engine):
    """A value that its type cannot hold is an error, not another value."""
    with transaction(engine) as connection:
        make.add_genre(connection, "rock")
    wrong = text("SELECT 0.5 * 1e0 AS n FROM genre").columns(Column("n", BigInteger))
    with arrow_reader(engine) as reader, pytest.raises(StoreError):
        reader.query(wrong).read_all()


def test_a_reading_process_that_is_killed_is_an_error(sqlite_engine: Engine):
    """It is a sentence, and the next reader works."""
    fill(sqlite_engine)
    with arrow_reader(sqlite_engine) as reader:
        reader._source._process.kill()
        with pytest.raises(DatabaseFailure, match="ended with status"):
            reader.query(select(tables.genre)).read_all()
    with arrow_reader(sqlite_engine) as reader:
        assert reader.query(select(tables.genre)).read_all().num_rows == 2


def test_readers_of_one_state(engine: Engine):
    """Readers of several threads see the same rows, whatever is committed meanwhile."""
    fill(engine)
    with arrow_readers(engine, 3) as readers:
        first = readers[0].query(select(tables.genre)).read_all()
        if engine.dialect.name == "postgresql":  # on SQLite readers keep others from committing
            with transaction(engine) as connection:
                make.add_genre(connection, "new")
        assert [one.query(select(tables.genre)).read_all() for one in readers] == [first] * 3
        streams = [one.query(select(tables.track)) for one in readers]  # at the same time
        assert len({stream.read_all().num_rows for stream in streams}) == 1


def test_a_commit_between_the_starts_of_readers(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """With a write-ahead log, one that began earlier sees what the others see."""
    fill(sqlite_engine)
    sqlite_engine.dispose()
    with closing(sqlite3.connect(sqlite_engine.url.database or "")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    begin = SqliteProcess.wait_until_ready

    def commit_before(process: SqliteProcess) -> None:
        begin(process)
        with transaction(sqlite_engine) as connection:
            make.add_genre(connection, f"of {process._process.pid}")

    monkeypatch.setattr(SqliteProcess, "wait_until_ready", commit_before)
    with arrow_readers(sqlite_engine, 2) as readers:
        assert [one.query(select(tables.genre)).read_all().num_rows for one in readers] == [4, 4]


def test_processes_that_start_hold_no_lock(sqlite_engine: Engine):
    """Others can commit: a writer that waited for one reader would keep the next from starting."""
    fill(sqlite_engine)
    with (
        open_sqlite(sqlite_engine, in_place=True, processes=2),
        transaction(sqlite_engine) as connection,
    ):
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        make.add_genre(connection, "new")
    with arrow_readers(sqlite_engine, 2) as readers:
        assert [one.query(select(tables.genre)).read_all().num_rows for one in readers] == [3, 3]


def test_a_reading_process_that_cannot_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is a sentence, and none of its pipes stays open."""
    started = []
    popen = subprocess.Popen

    def start(*args, **options):
        started.append(popen(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(DatabaseUnreachable, match="cannot be read"):
        SqliteProcess(
            (tmp_path / "missing.db").as_uri() + "?mode=ro", "sqlite:///missing.db", 1.0
        ).wait_until_ready()
    (process,) = started
    assert all(pipe.closed for pipe in (process.stdin, process.stdout, process.stderr))


def test_a_file_in_a_folder_that_cannot_be_written(sqlite_url: str, tmp_path: Path):
    """A database on a read-only medium is read too, also one with a write-ahead log."""
    engine = make_engine(sqlite_url)
    fill(engine)
    engine.dispose()
    file = Path(engine.url.database or "")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    assert not Path(f"{file}-wal").exists()
    file.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with arrow_reader(engine) as reader:
            assert reader.query(select(tables.genre)).read_all().num_rows == 2
    finally:
        tmp_path.chmod(0o700)
        file.chmod(0o600)
        engine.dispose()
    assert os.access(file, os.W_OK)


def test_no_server(postgres_engine: Engine):
    """A server that does not respond is a sentence without the password."""
    url = postgres_engine.url.set(password="secret/@:%", database="no_such_database")
    engine = make_engine(url)
    with pytest.raises(DatabaseUnreachable) as error, arrow_reader(engine):
        pass
    assert "no_such_database" in str(error.value)
    assert "secret" not in str(error.value)


def test_a_url_reaches_the_driver_as_it_is():
    """Escaped passwords, sockets and options of a URL are those of SQLAlchemy's connections."""
    engine = make_engine("postgresql://me:p%40ss%2F%27x@db.example:6543/mine?sslmode=require")
    options = postgresql_options(engine)
    assert options["password"] == "p@ss/'x"
    assert (options["host"], options["port"], options["dbname"]) == ("db.example", 6543, "mine")
    assert options["sslmode"] == "require"
    engine.dispose()
    socket = make_engine("postgresql:///mine?host=/run/postgresql")
    assert postgresql_options(socket)["host"] == "/run/postgresql"
    socket.dispose()
