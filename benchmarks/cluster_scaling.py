"""Two workers of a cluster against one, for predictions, trials and audio files.

    python -m benchmarks.cluster_scaling URL --tracks 60000
    python -m benchmarks.cluster_scaling URL --kind predictions [--rounds 3]

The first form fills an empty PostgreSQL database and trains a model. The second starts a scheduler
with one worker and then another with two, again and again, lets the workers import their
libraries, and runs the same work on both. Prints the wall-clock seconds of every run, as `job_run`
has them (without the start of the command), the CPU seconds of the workers, and the ratio of the
medians. On a computer with other work the ratio depends on what the others leave.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, delete, select

from benchmarks import large_database
from genrebase.runtime.cluster import open_cluster
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import synthetic_audio
from tests.cluster_processes import DaskProcesses, dask_processes, run

GENRES, FILES, PREDICTED = 30, 20, 30_000
KINDS = {
    "predictions": ("classifier", "predict"),
    "trials": (
        *("classifier", "compare", "--estimators", "gradient_boosting", "--again"),
        *("--tracks-per-genre", "60", "--rotations", "4"),
    ),
    "audio": ("collector", "import-audio"),
}


def fill(url: str, tracks: int) -> None:
    large_database.fill(url, tracks, genres=GENRES)
    inputs = ("--features", "audio,metadata", "--tracks-per-genre", "100")
    run(url, "classifier", "train", "--estimator", "gradient_boosting", *inputs)
    run(url, "classifier", "predict")


def write_audio(folder: Path) -> None:
    for number in range(FILES):
        song = synthetic_audio.song(number % 12, number % 2, seconds=30.0)
        synthetic_audio.write(folder / f"{number:02d}.wav", song)


def undo(engine: Engine) -> None:
    """Delete what the last run has stored, but for trials."""
    row = tables.prediction.c
    with transaction(engine) as connection:
        again = (row.track_id <= PREDICTED) & ~row.in_training
        connection.execute(delete(tables.prediction).where(again))
        for table in (tables.sound_file, tables.descriptor):
            connection.execute(delete(table))


def import_libraries(_shared: None, _number: int) -> None:
    from classifier.experiments import fitting  # noqa: F401 - what tasks need
    from classifier.serving import cluster_predict  # noqa: F401 - likewise


def cpu_seconds(dask: DaskProcesses) -> float:
    total = 0.0
    for worker in dask.worker_processes():
        for process in (worker, *worker.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def measure(engine: Engine, url: str, command: tuple[str, ...], n_workers: int) -> float:
    undo(engine)
    with (
        tempfile.TemporaryDirectory() as folder,
        dask_processes(Path(folder), url, n_workers) as dask,
    ):
        with open_cluster(dask.address) as cluster:
            assert cluster is not None
            while cluster.n_threads < n_workers:
                cluster.submit(import_libraries, 0).result()
            list(cluster.results(import_libraries, range(4 * n_workers)))
        before = cpu_seconds(dask)
        run(url, *command, "--on", dask.address)
        used = cpu_seconds(dask) - before
    row = tables.job_run.c
    query = select(row.started_at, row.finished_at).where(row.job == command[1])
    query = query.order_by(row.id.desc()).limit(1)
    with read_transaction(engine) as connection:
        started, finished = connection.execute(query).one()
    seconds = float((finished - started).total_seconds())
    print(f"{command[1]}: {n_workers} worker(s) {seconds:.1f} s, CPU {used:.1f} s", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--tracks", type=int)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.tracks is not None:
        fill(given.url, given.tracks)
    if given.kind is None:
        return
    engine, command = make_engine(given.url), KINDS[given.kind]
    with tempfile.TemporaryDirectory() as folder:
        if given.kind == "audio":
            write_audio(Path(folder))
            command = (*command, folder)
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(given.rounds):
            for n_workers, times in seconds.items():
                times.append(measure(engine, given.url, command, n_workers))
    ratio = median(seconds[1]) / median(seconds[2])
    print(f"{given.kind}: two workers are {ratio:.2f} times as fast as one")
    engine.dispose()


if __name__ == "__main__":
    main()
