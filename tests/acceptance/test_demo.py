"""`genrebase demo`, as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGET = 40
"""Enough for a genre not to be left out of the training."""
SECONDS = 170


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
def first(folder: Path) -> Any:
    """Return the JSON document of the first demo."""
    done = demo(folder, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_genre_has_its_target(first: Any) -> None:
    """Ten genres, each with as many unique tracks as were wanted, and nearly all with features."""
    assert len(first["genres"]) == 10
    assert all(genre["tracks"] >= TARGET for genre in first["genres"])
    assert first["with_features"] >= 0.9 * first["tracks"]
    assert first["sightings"] >= first["tracks"]
    assert first["requests"] > 0


def test_a_champion_is_trained_and_beats_the_baseline(first: Any) -> None:
    """The model is measured in both regimes and beats the majority baseline in at least one."""
    metrics = first["champion"]["metrics"]
    measured = [metrics[regime] for regime in ("seen_artist", "new_artist")]
    assert any(result["n"] and result["accuracy"] > result["baseline"] for result in measured)


def test_the_summary_names_the_catalogue_synthetic(first: Any) -> None:
    """The summary says that the catalogue is synthetic."""
    assert first["invented"] is True


def test_the_sample_queries_return_rows(first: Any) -> None:
    """The three SQL queries of the summary were run and returned rows."""
    assert len(first["questions"]) == 3
    for requested in first["questions"]:
        assert requested["sql"].startswith("SELECT")
        assert requested["answer"]["rows"], requested["question"]


def test_a_second_demo_resumes(first: Any, folder: Path) -> None:
    """On the same database nothing is fetched or trained again; the summary is printed again."""
    again = demo(folder)
    assert again.returncode == 0, again.stderr
    assert f"{first['tracks']:,} unique tracks" in again.stdout
    assert f"{first['requests']:,} requests" in again.stdout
    assert f"Champion: model {first['champion']['id']}," in again.stdout
    assert "made up" in again.stdout
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
