"""What each estimator costs and what it is worth, on one database.

    python -m benchmarks.estimators sqlite:///genrebase.db [--estimator NAME]… [--genres a,b]

Each learns in a process of its own, on one core: seconds of learning and of answering about the
test tracks, memory at its highest (of the whole process, and what the tracks alone took), size of
the artifact, accuracy on known and on new artists with 95% intervals over artists. Nothing is
written.
"""

import argparse
import multiprocessing
import resource
from collections.abc import Sequence

from classifier import threads
from classifier.commands.training_options import training_config
from classifier.settings import ClassifierSettings

threads.configure_openmp()  # before scikit-learn is imported

from classifier import estimators  # noqa: E402
from classifier.data import dataset  # noqa: E402
from classifier.data.training_data import split_dataset  # noqa: E402
from classifier.experiments import trials  # noqa: E402
from classifier.records import MetricRow  # noqa: E402
from genrebase.runtime.clock import SystemClock  # noqa: E402
from genrebase.store import connect  # noqa: E402

GB = 1024 * 1024
"""Kilobytes, as Linux counts memory."""


def main() -> None:
    """Measure one estimator after another."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("url")
    asked.add_argument("--estimator", action="append", choices=estimators.names())
    asked.add_argument("--genres", help="only these: a,b,c")
    asked.add_argument("--param", action="append", help="name=value, for all of them")
    told = asked.parse_args()
    print("| estimator | s | memory, GB | artifact, MB | known artists | new artists |")
    print("|---|---|---|---|---|---|", flush=True)
    alone = multiprocessing.get_context("spawn")
    for name in told.estimator or estimators.names():
        one = alone.Process(target=measure, args=(told.url, name, told.genres, told.param))
        one.start()
        one.join()


def measure(url: str, name: str, genres: str | None, params: Sequence[str] | None) -> None:
    """Print the row of one estimator."""
    settings = ClassifierSettings.load()
    choice = training_config(settings, estimator=name, genres=genres, params=params)
    selection = split_dataset(dataset.load_dataset(connect(url)), choice)
    clock, before = SystemClock(), _peak()
    with threads.limit_threads(1):
        fitted = trials.fit(selection, choice, clock, cores=1)
        tried = trials.evaluate(fitted, choice, clock)
    known, new = (_shown(tried.metrics, regime) for regime in ("seen_artist", "new_artist"))
    size = (tried.artifact_bytes or 0) / 1e6
    print(
        f"| `{name}` | {tried.seconds:.1f} | {_peak():.2f} ({before:.2f}) | {size:.1f} "
        f"| {known} | {new} |",
        flush=True,
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GB


def _shown(rows: Sequence[MetricRow], regime: str) -> str:
    for row in rows:
        if (row.regime, row.genre, row.metric) == (regime, None, "accuracy"):
            return f"{row.value:.3f} ({row.low:.3f}-{row.high:.3f})"
    return "no tracks"


if __name__ == "__main__":
    main()
