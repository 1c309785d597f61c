"""Accuracy of the same estimator on a random split, and on seen and unseen artists.

    python benchmarks/split_comparison.py sqlite:///genrebase.db [--estimator NAME]… [--genres a,b]

For each estimator a line: the accuracy of a random 80/20 split of the rows, as usually published,
and the accuracy on the frozen test sides, with 95% intervals over artists. Nothing is stored.
"""

import argparse
from typing import Any

from classifier import threads
from classifier.config_options import parse_list

threads.configure_openmp()  # before scikit-learn is imported

from sklearn.base import clone  # noqa: E402

from classifier import estimators  # noqa: E402
from classifier.data import dataset, soft_labels  # noqa: E402
from classifier.data.training_data import SplitDataset, split_dataset  # noqa: E402
from classifier.evaluation import report  # noqa: E402
from classifier.training.evaluate import evaluate  # noqa: E402
from classifier.training_config import TrainingConfig  # noqa: E402
from genrebase.runtime.clock import SystemClock  # noqa: E402
from genrebase.store import connect  # noqa: E402


def main() -> None:
    """Measure every estimator on one database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--estimator", action="append", choices=estimators.names())
    parser.add_argument("--genres", help="only these: a,b,c")
    options = parser.parse_args()
    genres = None if options.genres is None else tuple(parse_list(options.genres))
    selection = split_dataset(
        dataset.load_dataset(connect(options.url)), TrainingConfig(genres=genres)
    )
    print(f"{len(selection.classes)} genres, {selection.train_mask.sum():,} training tracks")
    print(f"{'':20}{'random split':>14}{'seen artists':>26}{'unseen artists':>26}{'s':>8}")
    for name in options.estimator or estimators.names():
        print(measure(selection, TrainingConfig(estimator=name, genres=genres)), flush=True)


def measure(selection: SplitDataset, config: TrainingConfig) -> str:
    """Train and evaluate one estimator; return its line."""
    clock = SystemClock()
    workers = threads.thread_count(len(selection.tracks), len(selection.classes), None)
    unfitted = estimators.build(config, threads=workers)
    with threads.limit_threads(workers):
        began = clock.monotonic()
        fitted = soft_labels.fit(clone(unfitted), selection.training_set(), selection.validation())
        seconds = clock.monotonic() - began
        metrics = report.headline_metrics(
            evaluate(selection, fitted, unfitted, None, config, lambda _message: None).metrics
        )
    random = metrics["random_split"]["accuracy"]
    seen, unseen = (format_accuracy(metrics[regime]) for regime in ("seen_artist", "new_artist"))
    return f"{config.estimator:20}{random:14.3f}{seen:>26}{unseen:>26}{seconds:8.1f}"


def format_accuracy(regime: dict[str, Any]) -> str:
    """Format an accuracy with its interval."""
    if regime["interval"] is None:
        return "too few tracks"
    low, high = regime["interval"]
    return f"{regime['accuracy']:.3f} ({low:.3f}-{high:.3f})"


if __name__ == "__main__":
    main()
