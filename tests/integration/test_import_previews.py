"""A dry run of `collector import` counts what the import then does."""

from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from collector.imports.records import ImportResult
from genrebase.runtime.clock import SystemClock
from genrebase.store.engine import read_transaction
from tests.import_runs import run_dataset

COUNTS = (
    *("rows", "tracks_new", "duplicates", "rejected", "reasons", "unlabelled", "genres"),
    *("similar_genres", "unreadable", "out_of_range", "warnings", "columns", "corrects"),
)
STORED = "title,artist,genre,duration_ms\nOne,Ana,pop,180000\nTwo,Bo,rock,200000\n"


def imported(engine: Engine, path: Path, content: str, *, dry_run: bool = False) -> ImportResult:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return run_dataset(engine, path, clock=SystemClock(), dry_run=dry_run)


@pytest.mark.parametrize(
    ("table", "new"),
    [
        pytest.param(
            "title,artist,track_id,duration_ms\n"
            "Red,Cy,0aaaaaaaaaaaaaaaaaaaa1,180000\nRed,Cy,0aaaaaaaaaaaaaaaaaaaa2,181500\n"
            "Red,Cy,0aaaaaaaaaaaaaaaaaaaa3,240000\nRed (live),Cy,0aaaaaaaaaaaaaaaaaaaa3,1000\n",
            3,
            id="the same recording under two ids, one id of two titles",
        ),
        pytest.param(
            "title,artist,isrc,duration_ms\nRed,Cy,USABC1200001,180000\nRed,Cy,USABC1200001,\n"
            "Red,Cy,USABC1200001,300000\nRed,Cy,,250000\nRed,Cy,,\n",
            3,
            id="ISRC and durations",
        ),
        pytest.param(
            "title,artist,isrc,track_id,duration_ms\nRed,Cy,,0aaaaaaaaaaaaaaaaaaaa1,180000\n"
            "Red,Cy,,0aaaaaaaaaaaaaaaaaaaa1,181500\nRed,Cy,,0aaaaaaaaaaaaaaaaaaaa2,183000\n"
            "Tan,Cy,,0aaaaaaaaaaaaaaaaaaaa3,\nTan,Cy,,0aaaaaaaaaaaaaaaaaaaa3,200000\n"
            "Tan,Cy,,0aaaaaaaaaaaaaaaaaaaa4,201000\nTan,Cy,,0aaaaaaaaaaaaaaaaaaaa5,204000\n",
            3,
            id="another duration of an id extends the range",
        ),
        pytest.param(
            "title,artist,track_id,duration_ms\nRed,Cy,0aaaaaaaaaaaaaaaaaaaa1,180000\n"
            "Red,Cy,0aaaaaaaaaaaaaaaaaaaa2,183500\nRed,Cy,0aaaaaaaaaaaaaaaaaaaa1,182000\n"
            "Red,Cy,0aaaaaaaaaaaaaaaaaaaa2,185000\nRed,Cy,0aaaaaaaaaaaaaaaaaaaa6,187000\n",
            1,
            id="a duration joins two recordings",
        ),
        pytest.param(
            "title,artist,duration_ms\nTwo,Bo,201500\nTwo,Bo,203000\nTwo,Bo,204500\n",
            0,
            id="the range of a stored track grows",
        ),
        pytest.param(
            "title,artist,id,duration_ms\nRed,Cy,x7,180000\nTan,Cy,x7,180000\n"
            "Red,Cy,x9,181000\nRed,Cy,x7,90000\n",
            3,
            id="one id of several songs",
        ),
        pytest.param(
            "title,artist,genre,energy\nOne,Ana,Pop,0.5\nRed,Cy,pop,loud\nRed,Cy,,0.1\nNA,NA,,\n",
            1,
            id="stored tracks, spellings of a genre, rejected rows",
        ),
    ],
)
def test_a_dry_run_counts_as_the_import(engine: Engine, tmp_path: Path, table: str, new: int):
    """Rows of one recording are one new track, whatever identifies them."""
    imported(engine, tmp_path / "stored.csv", STORED)
    planned = imported(engine, tmp_path / "data.csv", table, dry_run=True)
    done = imported(engine, tmp_path / "data.csv", table)
    assert planned.tracks_new == new
    assert {name: asdict(planned)[name] for name in COUNTS} == {
        name: asdict(done)[name] for name in COUNTS
    }


def test_a_dry_run_of_a_new_version(engine: Engine, tmp_path: Path):
    """A track whose duration the new version corrects is no new one."""
    imported(engine, tmp_path / "a" / "data.csv", STORED)
    corrected = STORED.replace("180000", "190000")
    planned = imported(engine, tmp_path / "b" / "data.csv", corrected, dry_run=True)
    assert (planned.tracks_new, planned.duplicates, planned.corrects) == (0, 2, [1])
    assert imported(engine, tmp_path / "b" / "data.csv", corrected).tracks_new == 0


def test_rows_of_one_id_that_contradict_one_another(engine: Engine, tmp_path: Path):
    """The first row fills the duration of the stored track; the next one is another recording."""
    first = "title,artist,id,duration_ms\nOne,Ana,x4,\nTwo,Bo,x5,200000\n"
    imported(engine, tmp_path / "a" / "data.csv", first)
    table = "title,artist,id,duration_ms\nOne,Ana,x4,184000\nOne,Ana,x4,240000\n"
    done = imported(engine, tmp_path / "b" / "data.csv", table)
    assert (done.tracks_new, done.duplicates) == (1, 1)
    with read_transaction(engine) as connection:
        query = text("SELECT duration_ms FROM track WHERE title = 'One' ORDER BY id")
        assert connection.scalars(query).all() == [184_000, 240_000]
