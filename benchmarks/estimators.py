"""Cost and accuracy of each estimator on one database.

    python -m benchmarks.estimators sqlite:///genrebase.db [--estimator NAME]… [--genres a,b]

Each is trained in its own process, on one core. A row has the seconds of training and of
predicting the test tracks, peak memory (of the whole process, in brackets before training), the
artifact's size, and the accuracy on seen and unseen artists with 95% intervals over artists.
Nothing is stored.
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
from classifier.model_records import MetricRow  # noqa: E402
from genrebase.runtime.clock import SystemClock  # noqa: E402
from genrebase.store import connect  # noqa: E402

GB = 1024 * 1024
"""In kilobytes, the unit of `ru_maxrss` on Linux."""


def main() -> None:
    """Measure one estimator after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--estimator", action="append", choices=estimators.names())
    parser.add_argument("--genres", help="only these: a,b,c")
    parser.add_argument("--param", action="append", help="name=value, for all of them")
    options = parser.parse_args()
    print("| estimator | s | memory, GB | artifact, MB | seen artists | unseen artists |")
    print("|---|---|---|---|---|---|", flush=True)
    context = multiprocessing.get_context("spawn")
    for name in options.estimator or estimators.names():
        process = context.Process(
            target=measure, args=(options.url, name, options.genres, options.param)
        )
        process.start()
        process.join()


def measure(url: str, name: str, genres: str | None, params: Sequence[str] | None) -> None:
    """Print the row of one estimator."""
    settings = ClassifierSettings.load()
    config = training_config(settings, estimator=name, genres=genres, params=params)
    selection = split_dataset(dataset.load_dataset(connect(url)), config)
    clock, before = SystemClock(), _peak()
    with threads.limit_threads(1):
        trial, _ = trials.evaluate(selection, config, clock, cores=1)
    seen, unseen = (
        _format_accuracy(trial.metrics, regime) for regime in ("seen_artist", "new_artist")
    )
    size = (trial.artifact_bytes or 0) / 1e6
    print(
        f"| `{name}` | {trial.seconds:.1f} | {_peak():.2f} ({before:.2f}) | {size:.1f} "
        f"| {seen} | {unseen} |",
        flush=True,
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GB


def _format_accuracy(rows: Sequence[MetricRow], regime: str) -> str:
    for row in rows:
        if (row.regime, row.genre, row.metric) == (regime, None, "accuracy"):
            return f"{row.value:.3f} ({row.low:.3f}-{row.high:.3f})"
    return "no tracks"


if __name__ == "__main__":
    main()
