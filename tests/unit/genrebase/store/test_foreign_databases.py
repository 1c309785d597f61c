"""A database of another program gets no schema."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from genrebase.errors import UserError
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine, transaction


def foreign_file(folder: Path, *statements: str) -> Path:
    file = folder / "other.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return file


ALEMBIC = "CREATE TABLE alembic_version (version_num TEXT)"


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["CREATE TABLE moz_places (url TEXT)"], "moz_places"),
        (["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE VIEW c AS SELECT * FROM a"], "a, b"),
        ([f"CREATE TABLE t{number} (x)" for number in range(8)], "t0, t1, t2, t3, t4 and 3 more"),
        (
            ["CREATE TABLE notes (x)", ALEMBIC, "INSERT INTO alembic_version VALUES ('abc')"],
            "notes",
        ),
        (
            ["CREATE TABLE notes (x)", ALEMBIC, "INSERT INTO alembic_version VALUES ('0001')"],
            "notes",
        ),
        (
            ["CREATE TABLE notes (x)", ALEMBIC]
            + [f"INSERT INTO alembic_version VALUES ('{revision}')" for revision in "ab"],
            "notes",
        ),
    ],
    ids=["browser", "two tables", "many tables", "alembic", "alembic, our number", "two heads"],
)
def test_a_foreign_file_stays_as_it_is(tmp_path: Path, statements: list[str], named: str) -> None:
    """The message names its tables; not a byte changes."""
    file = foreign_file(tmp_path, *statements)
    before = file.read_bytes()
    with pytest.raises(UserError, match=f"another program's tables: {named}\\."):
        schema_upgrade.upgrade(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_tables_that_are_added_later_are_no_hindrance(tmp_path: Path) -> None:
    """People keep tables of their own beside ours; also after a downgrade to nothing."""
    url = f"sqlite:///{tmp_path / 'ours.db'}"
    schema_upgrade.upgrade(url, "0006")
    engine = make_engine(url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE mine (x)"))
    schema_upgrade.upgrade(url)
    with engine.connect() as connection:
        assert {"mine", "track"} <= set(inspect(connection).get_table_names())
    assert schema_upgrade.current_revision(engine) == schema_upgrade.EXPECTED_REVISION
    engine.dispose()


def test_an_empty_file_is_ours(tmp_path: Path) -> None:
    """`sqlite3 new.db` and `touch` make such files."""
    file = tmp_path / "new.db"
    file.touch()
    schema_upgrade.upgrade(f"sqlite:///{file}")


def test_a_schema_with_a_foreign_table_is_refused_on_postgresql(bare_postgres_url: str) -> None:
    """As a file is; a table of an extension is not counted."""
    engine = make_engine(bare_postgres_url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE guestbook (line text)"))
    with pytest.raises(UserError, match="guestbook"):
        schema_upgrade.upgrade(bare_postgres_url)
    with transaction(engine) as connection:
        assert inspect(connection).get_table_names() == ["guestbook"]
    engine.dispose()
