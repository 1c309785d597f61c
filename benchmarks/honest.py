"""What a random split claims, and what the same model is worth on artists it never met.

    python benchmarks/honest.py sqlite:///genrebase.db [--estimator NAME]… [--genres a,b]

For each estimator a line: the accuracy of a random 80/20 split of the rows, as usually published,
beside the accuracy on the frozen sides, with 95% intervals over artists. Nothing is written.
"""

import argparse

from classifier import threads
from classifier.training_config import parse_list

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
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("url")
    asked.add_argument("--estimator", action="append", choices=estimators.names())
    asked.add_argument("--genres", help="only these: a,b,c")
    told = asked.parse_args()
    genres = None if told.genres is None else tuple(parse_list(told.genres))
    selection = split_dataset(
        dataset.load_dataset(connect(told.url)), TrainingConfig(genres=genres)
    )
    print(f"{len(selection.classes)} genres, {selection.train_mask.sum():,} tracks to learn from")
    print(f"{'':20}{'random split':>14}{'known artists':>26}{'new artists':>26}{'s':>8}")
    for name in told.estimator or estimators.names():
        print(measured(selection, TrainingConfig(estimator=name, genres=genres)), flush=True)


def measured(selection: SplitDataset, choice: TrainingConfig) -> str:
    """Return the line of one estimator."""
    clock = SystemClock()
    workers = threads.thread_count(len(selection.tracks), len(selection.classes), None)
    recipe = estimators.build(choice, threads=workers)
    with threads.limit_threads(workers):
        began = clock.monotonic()
        fitted = soft_labels.fit(clone(recipe), selection.training_set(), selection.validation())
        seconds = clock.monotonic() - began
        found = report.headline_metrics(evaluate(selection, fitted, recipe, None, choice).metrics)
    random = found["random_split"]["accuracy"]
    known, new = (shown(found[regime]) for regime in ("seen_artist", "new_artist"))
    return f"{choice.estimator:20}{random:14.3f}{known:>26}{new:>26}{seconds:8.1f}"


def shown(regime: dict[str, object]) -> str:
    """Return an accuracy with its interval."""
    if regime["interval"] is None:
        return "too few tracks"
    low, high = regime["interval"]  # type: ignore[misc]  # two numbers
    return f"{regime['accuracy']:.3f} ({low:.3f}-{high:.3f})"


if __name__ == "__main__":
    main()
