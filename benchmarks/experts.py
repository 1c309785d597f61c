"""Accuracy and cost of each expert of `blend` alone, and of all together (ablation).

    python benchmarks/experts.py sqlite:///genrebase.db [--exclude 'r&b'] [--folds all] [--deep]

For each set of experts and regime a line of metrics on the test sides: accuracy with its 95%
interval over artists, top-3 accuracy, calibration error; and the cost: seconds of training, peak
gigabytes until then, megabytes stored. With `--folds all` the ten folds are rotated, and a line
has the means with the standard error. With `--deep` the torch networks are added to the blend.
Nothing is stored, and nothing is selected by these metrics.
"""

import argparse
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from classifier import threads
from classifier.config_options import parse_list

threads.configure_openmp()  # before scikit-learn is imported

import numpy as np  # noqa: E402

from classifier import estimators  # noqa: E402
from classifier.data import dataset, soft_labels  # noqa: E402
from classifier.data.training_data import SplitDataset, split_dataset  # noqa: E402
from classifier.evaluation.bootstrap import ArtistBootstrap  # noqa: E402
from classifier.evaluation.metrics import MetricValue, overall_metrics  # noqa: E402
from classifier.evaluation.report import majority_class  # noqa: E402
from classifier.experiments import cross_validation  # noqa: E402
from classifier.ports import Estimator  # noqa: E402
from classifier.registry import artifacts  # noqa: E402
from classifier.training_config import TrainingConfig  # noqa: E402
from genrebase.runtime.clock import SystemClock  # noqa: E402
from genrebase.store import connect  # noqa: E402
from genrebase.store.names import N_FOLDS  # noqa: E402

SETS = {
    "audio": ("audio", "metadata"),
    "text": ("text",),
    "history": ("history",),
    "blend": ("audio", "metadata", "text", "history"),
}
REGIMES = ("new_artist", "seen_artist")
UNIT = 1 << 30 if sys.platform == "darwin" else 1 << 20
"""`ru_maxrss` per gigabyte, which depends on the system."""

Metrics = dict[tuple[str, str], list[dict[str, MetricValue]]]


@dataclass(frozen=True)
class Cost:
    """The cost of a set of experts."""

    seconds: float
    memory: float
    stored: float

    def __str__(self) -> str:
        """Format the end of a line."""
        return f"{self.seconds:9.1f} s {self.memory:5.2f} GB {self.stored:6.1f} MB"


def main() -> None:
    """Measure every set on one database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--exclude", default="", help="genres to leave out: a,b,c")
    parser.add_argument("--folds", choices=("frozen", "all"), default="frozen")
    parser.add_argument("--deep", action="store_true", help="with the torch networks")
    options = parser.parse_args()
    config = TrainingConfig(exclude=tuple(parse_list(options.exclude)) if options.exclude else ())
    tracks = dataset.load_dataset(connect(options.url))
    metrics: Metrics = {}
    costs: dict[str, Cost] = {}
    for turn in range(N_FOLDS if options.folds == "all" else 1):
        test, validation = cross_validation.held_out_folds(turn)
        selection = split_dataset(
            cross_validation.with_held_out_folds(tracks, test=test, validation=validation), config
        )
        for name, groups in SETS.items():
            fitted, costs[name] = train(selection, groups, deep=options.deep)
            for regime, values in evaluate(selection, fitted):
                metrics.setdefault((name, regime), []).append(values)
    print(f"{'':10}{'regime':14}{'accuracy':>24}{'top-3':>8}{'ECE':>8}{'log-loss':>10}")
    for (name, regime), measured in metrics.items():
        print(line(name, regime, measured), costs[name] if regime == REGIMES[0] else "")


def train(
    selection: SplitDataset, groups: tuple[str, ...], *, deep: bool
) -> tuple[Estimator, Cost]:
    """Return a blend of these groups' experts, and its cost."""
    clock = SystemClock()
    workers = threads.thread_count(len(selection.tracks), len(selection.classes), None)
    params = {"deep": True} if deep and groups == SETS["blend"] else {}
    config = TrainingConfig(estimator="blend", features=groups, params=params)
    with threads.limit_threads(workers):
        began = clock.monotonic()
        model = estimators.build(config, threads=workers)
        fitted = soft_labels.fit(model, selection.training_set(), selection.validation())
        seconds = clock.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
    stored = len(artifacts.serialise(artifacts.ModelArtifact(fitted, selection.train_ids))) / 1e6
    return fitted, Cost(seconds, memory, stored)


def evaluate(
    selection: SplitDataset, fitted: Estimator
) -> Iterator[tuple[str, dict[str, MetricValue]]]:
    """Yield the metrics of each regime on the test sides."""
    chosen = selection.held_out("test")
    probabilities = fitted.predict_proba(selection.tracks[chosen])
    predictions = selection.predictions(chosen, probabilities, selection.classes)
    codes = {genre: place for place, genre in enumerate(selection.classes)}
    common = majority_class(selection.labels[selection.train_mask], codes)
    for regime in REGIMES:
        of_regime = predictions.select(selection.regimes[chosen] == regime)
        values = overall_metrics(of_regime, common, ArtistBootstrap(of_regime.artists, seed=0))
        yield regime, {value.metric: value for value in values}


def line(name: str, regime: str, measured: list[dict[str, MetricValue]]) -> str:
    """Format the metrics of one set in one regime, or their means over the folds."""
    values = {
        metric: np.array([one[metric].value for one in measured], dtype=np.float64)
        for metric in ("accuracy", "top3", "ece", "log_loss")
    }
    means = {metric: float(column.mean()) for metric, column in values.items()}
    if len(measured) > 1:
        error = values["accuracy"].std(ddof=1) / len(measured) ** 0.5
        spread = f"+- {error:.3f} over {len(measured)}"
    else:
        interval = measured[0]["accuracy"].interval
        spread = "" if interval is None else f"({interval.low:.3f}-{interval.high:.3f})"
    return (
        f"{name:10}{regime:14}{means['accuracy']:8.3f} {spread:>15}{means['top3']:8.3f}"
        f"{means['ece']:8.3f}{means['log_loss']:10.3f}"
    )


if __name__ == "__main__":
    main()
