"""Two workers of a cluster against one, for predictions, trials and audio files.

    python -m benchmarks.cluster_scaling FOLDER --postgresql URL [--rounds 3]

Starts a scheduler with one worker and another with two on this computer, warms them up, and runs
each kind of work alternately on one and on two. Prints the wall-clock seconds of every run, as
`job_run` has them (without the start of the command), the CPU seconds of the workers, and the
ratio of the medians. FOLDER is a new one, URL an empty database. On a computer with other work the
ratio depends on what the others leave.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil
from sqlalchemy import Engine, delete, select

from benchmarks import large_database
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import synthetic_audio
from tests.cluster_processes import DaskProcesses, dask_processes, run

FILES, GENRES = 24, 30


def last_run_seconds(engine: Engine) -> float:
    row = tables.job_run.c
    query = select(row.started_at, row.finished_at).order_by(row.id.desc()).limit(1)
    with read_transaction(engine) as connection:
        started, finished = connection.execute(query).one()
    return float((finished - started).total_seconds())


def cpu_seconds(dask: DaskProcesses) -> float:
    total = 0.0
    for worker in dask.worker_processes():
        for process in (worker, *worker.children(recursive=True)):
            times: psutil.pcputimes = process.cpu_times()
            total += times.user + times.system
    return total


def measure(
    name: str,
    engine: Engine,
    clusters: dict[int, DaskProcesses],
    work: Callable[[DaskProcesses], object],
    rounds: int,
) -> None:
    for dask in clusters.values():
        work(dask)  # workers import their libraries
    seconds: dict[int, list[float]] = {number: [] for number in clusters}
    for _ in range(rounds):
        for number, dask in clusters.items():
            before = cpu_seconds(dask)
            work(dask)
            seconds[number].append(last_run_seconds(engine))
            used = cpu_seconds(dask) - before
            print(f"{name}: {number} worker(s) {seconds[number][-1]:.1f} s, CPU {used:.1f} s")
    ratio = median(seconds[1]) / median(seconds[2])
    print(f"{name}: two workers are {ratio:.2f} times as fast as one", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--postgresql", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tracks", type=int, default=60_000)
    options = parser.parse_args()
    folder, url = options.folder, options.postgresql
    folder.mkdir()
    large_database.fill(url, options.tracks, genres=GENRES)
    engine = make_engine(url)
    inputs = ("--features", "audio,metadata", "--tracks-per-genre", "100")
    run(url, "classifier", "train", "--estimator", "gradient_boosting", *inputs)
    for number in range(FILES):
        path = folder / "music" / ("metal", "jazz")[number % 2] / f"{number:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        synthetic_audio.write(path, synthetic_audio.song(number % 12, number % 2, seconds=30.0))

    def predict(dask: DaskProcesses) -> None:
        with transaction(engine) as connection:
            table = tables.prediction
            connection.execute(delete(table).where(~table.c.in_training))
        run(url, "classifier", "predict", "--on", dask.address)

    def compare(dask: DaskProcesses) -> None:
        grid = ("--estimators", "gradient_boosting", "--rotations", "6")
        rows = ("--tracks-per-genre", "100")
        run(url, "classifier", "compare", *grid, *rows, "--again", "--on", dask.address)

    def import_audio(dask: DaskProcesses) -> None:
        with transaction(engine) as connection:
            connection.execute(delete(tables.sound_file))
            connection.execute(delete(tables.descriptor))
        run(url, "collector", "import-audio", str(folder / "music"), "--on", dask.address)

    with (
        dask_processes(folder / "one", url, 1) as one,
        dask_processes(folder / "two", url, 2) as two,
    ):
        clusters = {1: one, 2: two}
        measure("predictions", engine, clusters, predict, options.rounds)
        measure("trials", engine, clusters, compare, options.rounds)
        measure("audio files", engine, clusters, import_audio, options.rounds)
    engine.dispose()


if __name__ == "__main__":
    main()
