"""What scoring costs: `python -m benchmarks.scoring DATABASE.db [--postgresql URL]`.

Takes a SQLite file in which a model is champion, copies it into a throw-away one (or, with
`--postgresql`, into an empty database), throws the champion's answers away and lets it answer for
every track: also for those it learned from, which have answers of refits otherwise, so that the
figures are of all tracks. Prints the seconds for reading, answering and storing by themselves,
those that this process computed (beside other work they tell more; what PostgreSQL's own processes
compute is not among them), and what they come to for 90,000 tracks.
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
from classifier.data import dataset, regimes
from classifier.registry import model_store, stored_models
from classifier.serving import champion as serving
from classifier.training_config import DEFAULT_TASK, TrainingConfig
from genrebase.runtime.clock import SystemClock
from genrebase.store import copy, schema, tables
from genrebase.store.engine import make_engine, transaction

PROMISED = 90_000


class Stopwatch:
    """Adds up seconds by what they were spent on."""

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
    if engine.dialect.name == "postgresql":  # what autovacuum does meanwhile
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    with spent("loading"):
        champion = serving.load(engine, model)
    with spent("reading"):
        tracks = dataset.tracks_to_predict(engine, model)
        credit = dataset.track_credits(engine)
        chunks = dataset.scoring_chunks(engine, tracks, TrainingConfig.from_model(model))
        frame = next(chunks, None)
    owners, credited = (
        credit[name].to_numpy(dtype=np.int64) for name in ("track_id", "artist_id")
    )
    scored = written = 0
    while frame is not None:
        with spent("answering"), threads.limit_threads(cores or threads.idle_cores()):
            ids = frame["track_id"].to_numpy(dtype=np.int64)
            seen = regimes.has_seen_artist(ids, owners, credited, champion.artifact.train_ids)
            shares = champion.artifact.estimator.predict_proba(frame)
            genres, probabilities = serving.top_k(shares, champion.genre_ids)
        answers = model_store.PredictionBatch(ids, genres, probabilities, seen, in_training=False)
        with spent("storing"):
            for some, rows in model_store.write_predictions(
                engine, model.id, answers, clock.now()
            ):
                scored, written = scored + some, written + rows
        with spent("reading"):
            frame = next(chunks, None)
    return scored, written, spent


def measure(source: str, target: str, cores: int | None) -> None:
    """Copy a database, score all of it, and say how long that took."""
    schema.upgrade(target)
    origin, engine = make_engine(source), make_engine(target)
    began = perf_counter()
    copy.copy(origin, engine)
    print(f"{engine.dialect.name}: copied in {perf_counter() - began:.1f} s", flush=True)
    scored, written, spent = score(engine, cores)
    engine.dispose()
    origin.dispose()
    for what, seconds in spent.seconds.items():
        print(
            f"  {what:<10}{seconds:>7.1f} s for {scored:,} tracks "
            f"({spent.computing[what]:.1f} s of computing)"
            f"{seconds / scored * PROMISED:>8.1f} s for {PROMISED:,}"
        )
    around = (spent.seconds["reading"] + spent.seconds["storing"]) / scored * PROMISED
    whole = sum(spent.seconds.values()) / scored * PROMISED
    print(
        f"  {written:,} rows; {PROMISED:,} tracks: {whole:.1f} s, of which reading and storing "
        f"{around:.1f} s"
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
