"""Speed of batch prediction.

    python -m benchmarks.batch_prediction DATABASE.db [--postgresql URL]

Copies a SQLite file with a champion into a temporary one (or, with `--postgresql`, into an empty
database), deletes the champion's predictions and predicts every track, including training tracks
(which otherwise get out-of-fold predictions), so that all tracks are measured. Prints the
wall-clock seconds of reading, predicting and storing, the CPU seconds of this process (more
meaningful on a busy machine; PostgreSQL's processes are not included), and both scaled to 90,000
tracks.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from sqlalchemy import Engine, delete

from classifier import threads
from classifier.data import dataset, regimes, scoring
from classifier.registry import prediction_store, stored_models
from classifier.serving import champion as serving
from classifier.training_config import DEFAULT_TASK, TrainingConfig
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_revision, tables
from genrebase.store.copy.copy import copy_database
from genrebase.store.engine import make_engine, transaction

REFERENCE_TRACKS = 90_000


class Stopwatch:
    """Adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.computing: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Count the block's time."""
        began, computed = perf_counter(), process_time()
        try:
            yield
        finally:
            self.seconds[what] += perf_counter() - began
            self.computing[what] += process_time() - computed


def score(engine: Engine, cores: int | None) -> tuple[int, int, Stopwatch]:
    """Predict every track as `serving.batch_predict` does; return tracks, rows and seconds."""
    spent, clock = Stopwatch(), SystemClock()
    model = stored_models.champion(engine, DEFAULT_TASK)
    with transaction(engine) as connection:
        connection.execute(delete(tables.prediction))
    if engine.dialect.name == "postgresql":  # as autovacuum would
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    with spent("loading"):
        champion = serving.load(engine, model)
    with spent("reading"):
        tracks = scoring.tracks_to_predict(engine, model)
        credit = dataset.track_credits(engine)
        chunks = dataset.scoring_chunks(engine, tracks, TrainingConfig.from_model(model))
        frame = next(chunks, None)
    scored = written = 0
    while frame is not None:
        with spent("predicting"), threads.limit_threads(cores or threads.idle_cores()):
            ids = frame["track_id"].to_numpy(dtype=np.int64)
            seen = regimes.has_seen_artist(ids, credit, champion.artifact.train_ids)
            distribution = champion.artifact.estimator.predict_proba(frame)
            genres, probabilities = serving.top_k(distribution, champion.genre_ids)
        batch = prediction_store.PredictionBatch(
            ids, genres, probabilities, seen, in_training=False
        )
        with spent("storing"):
            for some, rows in prediction_store.write_predictions(
                engine, model.id, batch, clock.now()
            ):
                scored, written = scored + some, written + rows
        with spent("reading"):
            frame = next(chunks, None)
    return scored, written, spent


def measure(source: str, target: str, cores: int | None) -> None:
    """Copy a database, predict all its tracks, and print the durations."""
    schema_revision.upgrade(target)
    origin, engine = make_engine(source), make_engine(target)
    began = perf_counter()
    copy_database(origin, engine, lambda _: None)
    print(f"{engine.dialect.name}: copied in {perf_counter() - began:.1f} s", flush=True)
    scored, written, spent = score(engine, cores)
    engine.dispose()
    origin.dispose()
    for what, seconds in spent.seconds.items():
        print(
            f"  {what:<10}{seconds:>7.1f} s for {scored:,} tracks "
            f"({spent.computing[what]:.1f} s of CPU)"
            f"{seconds / scored * REFERENCE_TRACKS:>8.1f} s for {REFERENCE_TRACKS:,}"
        )
    overhead = (spent.seconds["reading"] + spent.seconds["storing"]) / scored * REFERENCE_TRACKS
    whole = sum(spent.seconds.values()) / scored * REFERENCE_TRACKS
    print(
        f"  {written:,} rows; {REFERENCE_TRACKS:,} tracks: {whole:.1f} s, "
        f"{overhead:.1f} s of it reading and storing"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database")
    parser.add_argument("--cores", type=int)
    given = parser.parse_args()
    source = f"sqlite:///{given.database.resolve()}"
    with tempfile.TemporaryDirectory() as folder:
        measure(source, given.postgresql or f"sqlite:///{folder}/copy.db", given.cores)


if __name__ == "__main__":
    main()
