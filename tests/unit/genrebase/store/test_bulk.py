"""Bulk statements."""

import pytest
from sqlalchemy import Engine, select, update

from genrebase.store import bulk, tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.fakes import NOON

COLUMNS = ("mapping", "fine", "broad")
SIZES = pytest.mark.parametrize("size", [0, 1, 99, 100, 1_000])


def mapping_rows(size: int, broad: str = "b") -> list[tuple[str, str, str]]:
    return [("m", f"fine\t{number}\n\\", broad) for number in range(size)]


def stored(engine: Engine) -> set[tuple]:
    with read_transaction(engine) as connection:
        return {tuple(row) for row in connection.execute(select(tables.genre_mapping))}


@SIZES
def test_insert(engine: Engine, size: int):
    """Few or many rows are stored unchanged."""
    with transaction(engine) as connection:
        bulk.insert(connection, tables.genre_mapping, COLUMNS, mapping_rows(size))
    assert stored(engine) == set(mapping_rows(size))


@SIZES
def test_upsert_skips_existing_rows(engine: Engine, size: int):
    """Without `update` an existing row stays."""
    for broad in ("first", "second"):
        with transaction(engine) as connection:
            rows = mapping_rows(size, broad)
            bulk.upsert(connection, tables.genre_mapping, COLUMNS, rows)
    assert stored(engine) == set(mapping_rows(size, "first"))


@SIZES
def test_upsert_updates_existing_rows(engine: Engine, size: int):
    """With `update` an existing row changes, and a new one is inserted."""
    with transaction(engine) as connection:
        rows = mapping_rows(size // 2, "first")
        bulk.upsert(connection, tables.genre_mapping, COLUMNS, rows)
        bulk.upsert(
            connection,
            tables.genre_mapping,
            COLUMNS,
            mapping_rows(size, "second"),
            update="broad = excluded.broad",
        )
    assert stored(engine) == set(mapping_rows(size, "second"))


def test_update_by_id(engine: Engine):
    """Single rows change, the others stay."""
    with transaction(engine) as connection:
        rock, jazz = (make.add_genre(connection, name) for name in ("rock", "jazz"))
        bulk.update(connection, tables.genre, ("target", "paused"), [(5, True, jazz)])
    with read_transaction(engine) as connection:
        genre = tables.genre.c
        rows = connection.execute(select(genre.id, genre.target, genre.paused)).all()
    assert {tuple(row) for row in rows} == {(rock, None, False), (jazz, 5, True)}


@pytest.mark.parametrize("size", [0, 1, 5_000])
def test_select_in_a_long_list(engine: Engine, size: int):
    """A list of any length is one query, with further parameters after it."""
    with transaction(engine) as connection:
        bulk.insert(connection, tables.genre_mapping, COLUMNS, mapping_rows(10))
        fine = [row[1] for row in mapping_rows(size)]
        rows = bulk.select_in(
            connection,
            "SELECT fine FROM {values} JOIN genre_mapping ON fine = listed.value "
            "WHERE mapping = {mark}",
            fine,
            "m",
        )
    assert {row[0] for row in rows} == set(fine[:10])


def test_select_in_numbers(engine: Engine):
    """Numbers are compared as numbers."""
    with transaction(engine) as connection:
        keys = [make.add_genre(connection, f"genre {number}") for number in range(3)]
        rows = bulk.select_in(
            connection,
            "SELECT name FROM {values} JOIN genre ON genre.id = listed.value",
            keys[:2],
        )
    assert {row[0] for row in rows} == {"genre 0", "genre 1"}


def test_next_ids_are_unused(engine: Engine):
    """Allocated ids collide neither with existing nor with later ones."""
    with transaction(engine) as connection:
        used = {make.add_genre(connection, "rock")}
        ids = list(bulk.next_ids(connection, tables.genre, 3))
        assert len(set(ids)) == 3
        assert not used & set(ids)
        moment = tables.as_driver_datetime(NOON, connection.dialect.name)
        rows = [(key, f"genre {key}", moment) for key in ids]
        bulk.insert(connection, tables.genre, ("id", "name", "created_at"), rows)
        assert make.add_genre(connection, "after") not in {*used, *ids}
        assert list(bulk.next_ids(connection, tables.genre, 0)) == []


def test_a_compacted_row_frees_its_pages(engine: Engine):
    """SQLite merges the pages; ids, and rows that refer to them, stay on both engines."""
    with transaction(engine) as connection:
        long = {"x": "y" * 3000}
        numbers = [make.add_model(connection, "rejected", metrics=long) for _ in range(20)]
        refit = make.add_model(connection, "refit", parent_id=numbers[0])
    for number in numbers:
        with transaction(engine) as connection:
            shortened = update(tables.model).where(tables.model.c.id == number)
            connection.execute(shortened.values(metrics={}))
            bulk.compact_row(connection, tables.model, number)
    with read_transaction(engine) as connection:
        left = connection.execute(select(tables.model.c.id, tables.model.c.parent_id)).all()
        assert max(left) == (refit, numbers[0])
        assert {number for number, _ in left} == {*numbers, refit}
        if engine.dialect.name == "sqlite":
            pages = "SELECT count(*) FROM dbstat WHERE name = 'model'"
            assert connection.exec_driver_sql(pages).scalar_one() < 5
