"""Speed and memory of batch prediction.

    python -m benchmarks.batch_prediction DATABASE.db [--postgresql URL]
    python -m benchmarks.batch_prediction DATABASE.db --train 20 [--limit 200000]

Copies a SQLite file with a champion into a temporary one (or, with `--postgresql`, into an empty
database), deletes the champion's predictions and predicts every track, including training tracks
(which otherwise get out-of-fold predictions), so that all tracks are measured. Prints the
wall-clock seconds of reading, predicting and storing, the CPU seconds of this process and of the
one that reads SQLite (more meaningful on a busy machine; PostgreSQL's processes are not included),
both scaled to 90,000 tracks and to ten million, and the resident memory on the way.

With `--train N` a `blend` is trained first, on N tracks of each genre, and becomes champion: for
databases of `benchmarks.large_database`, which have no model. `--limit` ends after so many tracks,
and `--in-place` saves the copy: the database is changed.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from sqlalchemy import Engine, delete

from benchmarks.measuring import cpu_seconds, peak_mib, resident_mib
from classifier import threads
from classifier.data import rows_to_predict
from classifier.registry import prediction_store, stored_models
from classifier.serving import champion as serving
from classifier.serving.track_scorer import BATCH_SIZE, TrackScorer
from classifier.training import promote, train
from classifier.training_config import DEFAULT_TASK, TrainingConfig
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade, tables
from genrebase.store.copy.copy import copy_database
from genrebase.store.engine import make_engine, transaction

REFERENCE_TRACKS = 90_000
TEN_MILLION = 10_000_000
REPORTED_TRACKS = 50_000


class Stopwatch:
    """Adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.computing: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Count the block's time."""
        began, computed = perf_counter(), cpu_seconds()
        try:
            yield
        finally:
            self.seconds[what] += perf_counter() - began
            self.computing[what] += cpu_seconds() - computed


def score(engine: Engine, cores: int | None, limit: int | None) -> tuple[int, int, Stopwatch]:
    """Predict tracks as `serving.track_scorer` does; return tracks, rows and seconds."""
    spent, clock = Stopwatch(), SystemClock()
    model = stored_models.champion(engine, DEFAULT_TASK)
    with transaction(engine) as connection:
        connection.execute(delete(tables.prediction))
    if engine.dialect.name == "postgresql":  # as autovacuum would
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    with spent("loading"):
        champion = serving.load(engine, model)
    scorer = TrackScorer(engine, champion, clock.now(), cores)
    with spent("finding"):
        tracks = rows_to_predict.tracks_to_predict(engine, model)[:limit]
    with spent("reading"):
        batches = scorer.batches(tracks)
        rows = next(batches, None)
    scored = written = 0
    while rows is not None:
        with spent("predicting"), threads.limit_threads(cores or threads.idle_cores()):
            batch = scorer.predict(*rows)
        with spent("storing"):
            for some, stored in prediction_store.write_predictions(
                engine, model.id, batch, clock.now()
            ):
                scored, written = scored + some, written + stored
        if scored % REPORTED_TRACKS < BATCH_SIZE:
            print(f"  {scored:>10,} tracks: {resident_mib():,} MiB", flush=True)
        with spent("reading"):
            rows = next(batches, None)
    return scored, written, spent


def train_champion(engine: Engine, per_genre: int) -> None:
    """Train a `blend` on so many tracks of each genre, and make it champion."""
    config = TrainingConfig(estimator="blend", tracks_per_genre=per_genre, min_tracks=per_genre)
    clock = SystemClock()
    with transaction(engine) as connection:  # made by `large_database`, without an artifact
        connection.execute(delete(tables.model))
    model = train.run(engine, config, clock, log=print, cores=1).model
    if model.status != "champion":
        promote.run(engine, model.id, clock, log=print, cores=1)
    print(f"trained on {model.trained_rows:,} tracks of {len(model.classes)} genres", flush=True)


def measure(source: str, target: str, given: argparse.Namespace) -> None:
    """Copy a database, predict all its tracks, and print the durations."""
    engine = make_engine(target)
    if source != target:
        schema_upgrade.upgrade(target)
        origin, began = make_engine(source), perf_counter()
        copy_database(origin, engine)
        origin.dispose()
        print(f"{engine.dialect.name}: copied in {perf_counter() - began:.1f} s", flush=True)
    if given.train is not None:
        train_champion(engine, given.train)
    scored, written, spent = score(engine, given.cores, given.limit)
    engine.dispose()
    for what, seconds in spent.seconds.items():
        print(
            f"  {what:<10}{seconds:>7.1f} s for {scored:,} tracks "
            f"({spent.computing[what]:.1f} s of CPU)"
            f"{seconds / scored * REFERENCE_TRACKS:>8.1f} s for {REFERENCE_TRACKS:,}"
        )
    whole, computed = sum(spent.seconds.values()), sum(spent.computing.values())
    whole, computed = (
        sum(values.values()) / scored for values in (spent.seconds, spent.computing)
    )
    overhead = whole - spent.seconds["predicting"] / scored
    print(
        f"  {written:,} rows; {REFERENCE_TRACKS:,} tracks: {whole * REFERENCE_TRACKS:.1f} s, "
        f"{overhead * REFERENCE_TRACKS:.1f} s of it not predicting; {TEN_MILLION:,} tracks: "
        f"{computed * TEN_MILLION / 3600:.1f} h of CPU; at most {peak_mib():,} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database")
    parser.add_argument("--in-place", action="store_true", help="change DATABASE itself")
    parser.add_argument("--cores", type=int)
    parser.add_argument("--train", type=int, metavar="N", help="train a blend on N per genre")
    parser.add_argument("--limit", type=int, metavar="TRACKS")
    given = parser.parse_args()
    source = f"sqlite:///{given.database.resolve()}"
    if given.in_place:
        measure(source, source, given)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(source, given.postgresql or f"sqlite:///{folder}/copy.db", given)


if __name__ == "__main__":
    main()
