"""What each expert of `blend` is worth alone, and what they are worth together.

    python benchmarks/experts.py sqlite:///genrebase.db [--exclude 'r&b'] [--folds all] [--deep]

For each set of experts and regime a line of figures on the test sides: accuracy with its 95%
interval over artists, the truth among the first three answers, calibration error; and what it
took: seconds to learn, gigabytes at most until then, megabytes stored. With `--folds all` the ten
folds take turns, and a line shows means over them with the standard error of the mean. With
`--deep` the networks of torch join the blend. Nothing is written, nothing is chosen by these
figures.
"""

import argparse
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from classifier import threads
from classifier.training_config import parse_list

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

SETS = {
    "sound": ("audio", "metadata"),
    "text": ("text",),
    "history": ("history",),
    "blend": ("audio", "metadata", "text", "history"),
}
REGIMES = ("new_artist", "seen_artist")
UNIT = 1 << 30 if sys.platform == "darwin" else 1 << 20
"""In what the system counts memory, as a share of a gigabyte."""

Figures = dict[tuple[str, str], list[dict[str, MetricValue]]]


@dataclass(frozen=True)
class Cost:
    """What a set of experts took."""

    seconds: float
    memory: float
    stored: float

    def __str__(self) -> str:
        """Return it as the end of a line."""
        return f"{self.seconds:9.1f} s {self.memory:5.2f} GB {self.stored:6.1f} MB"


def main() -> None:
    """Measure every set on one database."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("url")
    asked.add_argument("--exclude", default="", help="genres to leave out: a,b,c")
    asked.add_argument("--folds", choices=("frozen", "all"), default="frozen")
    asked.add_argument("--deep", action="store_true", help="with the networks of torch")
    told = asked.parse_args()
    choice = TrainingConfig(exclude=tuple(parse_list(told.exclude)) if told.exclude else ())
    found = dataset.load_dataset(connect(told.url))
    figures: Figures = {}
    costs: dict[str, Cost] = {}
    for turn in range(cross_validation.N_FOLDS if told.folds == "all" else 1):
        test, validation = cross_validation.held_out_folds(turn)
        selection = split_dataset(
            cross_validation.with_held_out_folds(found, test=test, validation=validation), choice
        )
        for name, groups in SETS.items():
            fitted, costs[name] = learned(selection, groups, deep=told.deep)
            for regime, found_there in tested(selection, fitted):
                figures.setdefault((name, regime), []).append(found_there)
    print(f"{'':10}{'regime':14}{'accuracy':>24}{'top-3':>8}{'ECE':>8}{'log-loss':>10}")
    for (name, regime), measured in figures.items():
        print(line(name, regime, measured), costs[name] if regime == REGIMES[0] else "")


def learned(
    selection: SplitDataset, groups: tuple[str, ...], *, deep: bool
) -> tuple[Estimator, Cost]:
    """Return a blend of these groups' experts, and what it took."""
    clock = SystemClock()
    workers = threads.thread_count(len(selection.tracks), len(selection.classes), None)
    params = {"deep": True} if deep and groups == SETS["blend"] else {}
    asked = TrainingConfig(estimator="blend", features=groups, params=params)
    with threads.limit_threads(workers):
        began = clock.monotonic()
        model = estimators.build(asked, threads=workers)
        fitted = soft_labels.fit(model, selection.training_set(), selection.validation())
        seconds = clock.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
    stored = len(artifacts.serialise(artifacts.ModelArtifact(fitted, selection.train_ids))) / 1e6
    return fitted, Cost(seconds, memory, stored)


def tested(
    selection: SplitDataset, fitted: Estimator
) -> Iterator[tuple[str, dict[str, MetricValue]]]:
    """Yield the figures of each regime on the test sides."""
    chosen = selection.held_out("test")
    shares = fitted.predict_proba(selection.tracks[chosen])
    answers = selection.predictions(chosen, shares, selection.classes)
    codes = {genre: place for place, genre in enumerate(selection.classes)}
    common = majority_class(selection.labels[selection.train_mask], codes)
    for regime in REGIMES:
        of_regime = answers.select(selection.regimes[chosen] == regime)
        found = overall_metrics(of_regime, common, ArtistBootstrap(of_regime.artists, seed=0))
        yield regime, {one.metric: one for one in found}


def line(name: str, regime: str, measured: list[dict[str, MetricValue]]) -> str:
    """Return the figures of one set in one regime, or their means over the folds."""
    values = {
        metric: np.array([one[metric].value for one in measured], dtype=np.float64)
        for metric in ("accuracy", "top3", "ece", "log_loss")
    }
    means = {metric: float(found.mean()) for metric, found in values.items()}
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
