"""Two workers of a cluster against one, for predictions, trials and audio files.

    STORE_URL=URL python -m benchmarks.cluster_scaling KIND [--rounds 3]

KIND is `predictions` (of the database at URL, which has a champion; those of its first tracks are
made again), `trials` or `audio`. Starts `local:1` and `local:2`, lets the workers import their
libraries, and runs the same work alternately on one and on two. Prints the seconds of every run,
the CPU seconds of each worker, and how many times less CPU the busier of two workers needs than
one alone: on a computer with other work, wall-clock seconds depend on what the others leave.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import psutil
from sqlalchemy import delete

from classifier.experiments import compare
from classifier.experiments.runner import ExperimentContext
from classifier.registry import stored_models
from classifier.serving.cluster_predict import ClusterPrediction
from classifier.training_config import TrainingConfig
from collector.imports.cluster_audio import FileAnalyser
from genrebase.audio import scan
from genrebase.audio.records import ExtractionPlan
from genrebase.progress import no_progress
from genrebase.runtime import jobs
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.cluster import Cluster, open_cluster
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, transaction
from tests import synthetic_audio
from tests.synthetic_music import Music

CLOCK = SystemClock()
PREDICTED, RANGE_IDS, FILES, ROTATIONS = 40_000, 5_000, 8, 6
Work = Callable[[Cluster], object]


def predictions(_folder: Path) -> Work:
    engine = make_engine()
    model = stored_models.champion(engine, "main")

    def work(cluster: Cluster) -> object:
        row, tracks = tables.prediction.c, np.arange(1, PREDICTED)
        with transaction(engine) as connection:
            again = (row.track_id < PREDICTED) & ~row.in_training
            connection.execute(delete(tables.prediction).where(again))
        with jobs.job_run(engine, CLOCK, "predict") as job:
            prediction = ClusterPrediction(engine, cluster, CLOCK, no_progress, RANGE_IDS)
            return prediction.run(job, model, tracks, CLOCK.now())

    return work


def trials(folder: Path) -> Work:
    url, snapshot = f"sqlite:///{folder}/trials.db", Music().snapshot()
    schema_upgrade.upgrade(url)
    engine = make_engine(url)
    config = TrainingConfig(estimator="logistic", min_tracks=20)
    grid = compare.ComparisonGrid(("logistic",), rotations=tuple(range(ROTATIONS)))

    def work(cluster: Cluster) -> object:
        context = ExperimentContext(
            engine, CLOCK, no_progress, snapshot, again=True, cluster=cluster
        )
        return compare.run(context, config, grid)

    return work


def audio(folder: Path) -> Work:
    for number in range(FILES):
        song = synthetic_audio.song(number % 12, number % 2, seconds=20.0)
        synthetic_audio.write(folder / f"{number:02d}.wav", song)
    files = scan.find_audio_files(folder).files
    shared: dict[str, Any] = {}

    def work(cluster: Cluster) -> object:
        value = shared.setdefault(cluster.address, cluster.share(FileAnalyser(ExtractionPlan())))
        return list(cluster.results_in_order(FileAnalyser.analyse, files, value))

    return work


KINDS = {"predictions": predictions, "trials": trials, "audio": audio}


def worker_pid(_shared: None, _number: int) -> int:
    return psutil.Process().pid


def cpu_seconds(pid: int) -> float:
    worker = psutil.Process(pid)
    times = [process.cpu_times() for process in (worker, *worker.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_cluster("local:1") as one,
        open_cluster("local:2") as two,
    ):
        assert one is not None
        assert two is not None
        work = KINDS[given.kind](Path(folder))
        busiest: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(given.rounds + 1):  # the first imports the libraries
            for number, cluster in ((1, one), (2, two)):
                pids = {pid for _, pid in cluster.results(worker_pid, range(20))}
                before = {pid: cpu_seconds(pid) for pid in pids}
                began = perf_counter()
                work(cluster)
                seconds = perf_counter() - began
                used = sorted(cpu_seconds(pid) - before[pid] for pid in pids)
                listed = " and ".join(f"{one:.2f}" for one in used)
                print(f"{given.kind} {turn}: {seconds:.1f} s, CPU {listed} s", flush=True)
                if turn:
                    busiest[number].append(used[-1])
    ratio = median(busiest[1]) / median(busiest[2])
    print(f"{given.kind}: the busier of two workers needs {ratio:.2f} times less CPU than one")


if __name__ == "__main__":
    main()
