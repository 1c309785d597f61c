"""`genrebase demo`, as a user runs it."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.synthetic.catalogue import generate_catalogue
from sandbox.tracks.catalogue_file import write_table

ROOT = Path(__file__).resolve().parents[2]
TARGET = 100
"""Enough for a genre not to be left out of the training."""
ROWS = 400
"""Of each genre of the catalogue, which is small: Discogs' dump has all of its tracks."""
SECONDS = 600

pytestmark = pytest.mark.timeout(SECONDS)


def demo(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the demo in `folder`, with nothing set but what is given."""
    command = [sys.executable, "-m", "genrebase", "demo", "--target", str(TARGET), *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2", "COLUMNS": "200", **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def catalogue(folder: Path) -> str:
    """Write the first rows of each genre of the synthetic catalogue; return the path."""
    table = generate_catalogue(seed=1)
    at, kept = table.columns.index("track_genre"), Counter[str]()
    rows = []
    for row in table.rows:
        kept[row[at]] += 1
        if kept[row[at]] <= ROWS:
            rows.append(row)
    write_table(replace(table, rows=rows), folder / "catalogue.csv")
    return str(folder / "catalogue.csv")


@pytest.fixture(scope="module")
def first(folder: Path, catalogue: str) -> Any:
    """Return the JSON document of the first demo."""
    done = demo(folder, "--json", "--catalogue", catalogue)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_genre_has_its_target(first: Any) -> None:
    """Ten genres, each with as many unique tracks as were wanted, and most with features."""
    assert len(first["genres"]) == 10
    assert all(genre["tracks"] >= TARGET for genre in first["genres"])
    assert first["with_features"] >= 0.7 * first["tracks"]
    assert first["sightings"] >= first["tracks"]
    assert first["requests"] > 0


def test_a_champion_is_trained_and_beats_the_baseline(first: Any) -> None:
    """The model is measured in both regimes and beats the majority baseline in at least one."""
    metrics = first["champion"]["metrics"]
    measured = [metrics[regime] for regime in ("seen_artist", "new_artist")]
    assert any(result["n"] and result["accuracy"] > result["baseline"] for result in measured)


def test_the_model_is_made_of_open_licences(first: Any) -> None:
    """Two sources of labels are in the database; the model learned from the open one only."""
    assert first["champion"]["licence_class"] == "open"
    steps = {one["name"]: one["answer"] for one in first["steps"]}
    assert steps["harvest"]["tracks_new"] == first["tracks"]
    assert steps["import"]["tracks_new"] == 0
    assert steps["import"]["duplicates"] > 0


def test_the_sample_queries_return_rows(first: Any) -> None:
    """The three SQL queries of the summary were run and returned rows."""
    assert len(first["questions"]) == 3
    for requested in first["questions"]:
        assert requested["sql"].startswith("SELECT")
        assert requested["answer"]["rows"], requested["question"]


def test_a_second_demo_resumes(first: Any, folder: Path, catalogue: str) -> None:
    """On the same database nothing is fetched or trained again; the summary is printed again."""
    again = demo(folder, "--catalogue", catalogue)
    assert again.returncode == 0, again.stderr
    assert f"{first['tracks']:,} unique tracks" in again.stdout
    assert f"{first['requests']:,} requests" in again.stdout
    assert f"Champion: model {first['champion']['id']}," in again.stdout
    assert f"the catalogue {catalogue}" in again.stdout
    for line in first["open"].values():
        assert line in again.stdout


def test_the_pandas_line_works(first: Any, folder: Path) -> None:
    """The printed line runs unchanged and prints the predictions."""
    completed = subprocess.run(
        first["open"]["pandas"],
        shell=True,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert completed.returncode == 0, completed.stderr
    assert f"{first['tracks']} rows" in completed.stdout


def test_a_missing_catalogue_is_refused(tmp_path: Path) -> None:
    """A catalogue that is not there ends the demo with exit code 2 and its sentence."""
    done = demo(tmp_path, "--json", "--catalogue", "nowhere.csv")
    assert done.returncode == 2
    assert "nowhere.csv" in done.stderr
    assert "The sandbox did not start" in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 2
