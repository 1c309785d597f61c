"""`classifier annotate-next` and `classifier verdicts`."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from classifier.data import dataset
from classifier.errors import NoChampion
from classifier.findings import annotation
from classifier.serving import batch_predict
from classifier.training import train
from classifier.training_config import TrainingConfig
from collector.cli import app
from genrebase.errors import NothingToDo
from genrebase.progress import no_progress
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.classifier_cli import refusal, run_json, run_text
from tests.fakes import NOON
from tests.synthetic_music import Music

MUSIC = Music(artists=60)


def predicted(engine: Engine) -> Engine:
    MUSIC.fill(engine)
    config = TrainingConfig(estimator="logistic", features=("audio",))
    train.run(engine, config, SystemClock(), log=lambda _: None, cores=1)
    batch_predict.run(engine, SystemClock(), progress=no_progress, cores=1)
    return engine


def annotate(engine: Engine, genre_by_track: dict[int, int]) -> None:
    rows = [
        {"track_id": track, "genre_id": genre, "labelled_by": "ann", "labelled_at": NOON}
        for track, genre in genre_by_track.items()
    ]
    with transaction(engine) as connection:
        connection.execute(insert(tables.verdict), rows)


def test_the_queue_has_one_track_of_each_artist(engine: Engine) -> None:
    """Sorted by the expected number of wrong labels; annotated tracks are gone from it."""
    predicted(engine)
    queue = annotation.queue(engine, task="main", limit=1000)
    first = {song.id: song.artists[0] for song in MUSIC.songs}
    artists = [first[one.track] for one in queue.candidates]
    assert len(artists) == len(set(artists)) == queue.artists == 60
    gains = [one.expected_gain for one in queue.candidates]
    assert gains == sorted(gains, reverse=True)
    rows = dataset.read_view("predictions", engine).set_index("track_id")
    best = queue.candidates[0]
    assert best.predicted == rows.loc[best.track, "genre"]
    assert best.probability == pytest.approx(rows.loc[best.track, "probability"])
    wrong = [one.claim != one.predicted for one in queue.candidates]
    assert np.mean(wrong[:15]) >= np.mean(wrong[15:])
    annotate(engine, {best.track: 1})
    again = annotation.queue(engine, task="main", limit=1000)
    assert best.track not in [one.track for one in again.candidates]
    assert len(annotation.queue(engine, task="main", limit=5).candidates) == 5


def test_random_candidates_are_drawn_by_the_seed(sqlite_engine: Engine) -> None:
    """Without regard to what the champion says."""
    predicted(sqlite_engine)
    one, two, other = (
        [
            candidate.track
            for candidate in annotation.queue(
                sqlite_engine, task="main", limit=20, random=True, seed=seed
            ).candidates
        ]
        for seed in (0, 0, 1)
    )
    assert one == two
    assert one != other


def test_verdicts_measure_claims_and_champion(engine: Engine) -> None:
    """A third of the claims are found to be wrong; the intervals hold that."""
    predicted(engine)
    tracks = [song for song in MUSIC.songs if song.id % 8 == 0]
    wrong = {song.id: (song.genre + 1) % 3 + 1 for song in tracks[::3]}
    annotate(engine, {song.id: wrong.get(song.id, song.genre + 1) for song in tracks})
    measured = {one.regime: one for one in annotation.measure(engine)}
    total = measured["all"]
    assert (total.n, total.artists) == (60, 60)
    assert total.claim_accuracy == pytest.approx(1 - len(wrong) / 60)
    assert total.claim_interval.low < total.claim_accuracy < total.claim_interval.high
    assert total.claim_interval.high - total.claim_interval.low < 0.3  # 60 verdicts are of use
    rows: pd.DataFrame = dataset.read_view("predictions", engine)
    rows = rows[rows["verdict"].notna()]
    agreed = float((rows["genre"] == rows["verdict"]).mean())
    assert total.predicted_accuracy == pytest.approx(agreed)
    assert total.gain == pytest.approx(agreed - total.claim_accuracy)
    assert measured["new_artist"].n + measured["seen_artist"].n == 60


def test_nothing_to_measure_is_a_sentence(sqlite_engine: Engine) -> None:
    """No verdict, no champion."""
    MUSIC.fill(sqlite_engine)
    with pytest.raises(NothingToDo, match="collector label"):
        annotation.measure(sqlite_engine)
    with pytest.raises(NoChampion):
        annotation.queue(sqlite_engine, task="main", limit=5)


def test_a_filled_file_is_imported(database: Engine, tmp_path: Path) -> None:
    """From the queue to the metrics."""
    run_json("train", "--estimator", "logistic", "--min-tracks", "20")
    run_json("predict")
    path = tmp_path / "to_label.csv"
    listed = run_json("annotate-next", "--limit", "12", "--random", "-o", str(path))
    assert len(listed["candidates"]) == 12
    assert refusal("annotate-next", "-o", str(path))[0] == 2  # never overwritten
    rows = list(csv.DictReader(path.read_text().splitlines()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "genre": row["claim"], "by": "ann"} for row in rows)
    ran = CliRunner().invoke(app, ["label", "--import", str(path)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    measured = run_json("verdicts")
    assert (measured[0]["n"], measured[0]["claim_accuracy"]) == (12, 1.0)
    assert "of use from 50 on" in " ".join(run_text("verdicts").split())
