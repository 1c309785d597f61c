"""The view `imports`: what was imported, and what is left of it."""

from pathlib import Path

from sqlalchemy import Engine, text

from collector.curation import imports
from genrebase.store.engine import read_transaction
from tests.fakes import FakeClock
from tests.import_runs import run_dataset

HEADER = "track_name,artist_name,genre\n"


def rows(engine: Engine) -> list[tuple[object, ...]]:
    query = text(
        "SELECT import_id, name, origin, rows, tracks, tracks_new, undone FROM imports"
        " ORDER BY import_id"
    )
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_imports(engine: Engine, tmp_path: Path):
    """A version of a file shares its origin; an undone import keeps its rows."""
    clock, file = FakeClock(), tmp_path / "data.csv"
    assert rows(engine) == []
    file.write_text(HEADER + "Blue,Ana,pop\nRed,Bo,rock\nBlue,Ana,pop\n")
    run_dataset(engine, file, clock=clock)
    assert rows(engine) == [(1, "data.csv", "csv:data.csv", 3, 2, 2, False)]
    file.write_text(HEADER + "Blue,Ana,pop\nRed,Bo,rock\nGreen,Cy,jazz\n")
    run_dataset(engine, file, clock=clock)
    imports.undo(engine, clock, 1)
    assert rows(engine) == [
        (1, "data.csv", "csv:data.csv", 3, 0, 2, True),
        (2, "data.csv", "csv:data.csv", 3, 3, 1, False),
    ]
