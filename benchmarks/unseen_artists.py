"""`blend` on unseen artists: beside its base models, without one of them, and with siblings.

    python -m benchmarks.unseen_artists sqlite:///genrebase.db [--without content] [--folds all]

Per test condition a row for the ensemble, one without the named scores, and one for each score
alone, all fitted once; the weights of each pool, and the temperature of each score alone, are
fitted on the validation tracks. A row has accuracy (with its 95% interval over artists), top-3,
log-loss and calibration error, and the paired difference of its accuracy from the ensemble's.
Then the metrics with siblings. With `--folds all` means over the ten rotations, with the standard
error, and the calibration error of all rotations together. Nothing is stored or selected.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from classifier import threads
from classifier.config_options import parse_list

threads.configure_openmp()  # before scikit-learn is imported

import numpy as np  # noqa: E402

from classifier import estimators  # noqa: E402
from classifier.data import dataset, soft_labels  # noqa: E402
from classifier.data.training_data import SplitDataset, split_dataset  # noqa: E402
from classifier.estimators.blend import Blend  # noqa: E402
from classifier.estimators.ensemble_weights import (  # noqa: E402
    SEEN_ARTIST,
    UNSEEN_ARTIST,
    fit_weights,
    log_linear_pool,
)
from classifier.evaluation.bootstrap import ArtistBootstrap, paired_comparison  # noqa: E402
from classifier.evaluation.metrics import LabelledPredictions, overall_metrics  # noqa: E402
from classifier.experiments import cross_validation  # noqa: E402
from classifier.training.sibling_evaluation import evaluate_siblings  # noqa: E402
from classifier.training_config import TrainingConfig  # noqa: E402
from genrebase.runtime.clock import SystemClock  # noqa: E402
from genrebase.store import connect  # noqa: E402
from genrebase.store.names import N_FOLDS  # noqa: E402

Pair = tuple[LabelledPredictions, LabelledPredictions]
"""Predictions, and those of the ensemble for the same tracks."""
REGIMES = {"new_artist": UNSEEN_ARTIST, "seen_artist": SEEN_ARTIST}
SHOWN = ("accuracy", "top3", "log_loss", "ece")


@dataclass(frozen=True)
class HeldOut:
    """Scores of one test condition, on the validation and the test tracks."""

    fitting: np.ndarray
    fitting_truth: np.ndarray
    test: np.ndarray
    predictions: LabelledPredictions
    """Of the ensemble; its truth and artists are those of the rows of `test`."""

    def pooled(self, rows: list[int], weights: np.ndarray) -> LabelledPredictions:
        """Return the predictions of a pool of some scores, its weights fitted."""
        fitted = fit_weights(self.fitting[rows], self.fitting_truth, weights)
        shares = log_linear_pool(self.test[rows], fitted)
        one = self.predictions
        truth = one.truth
        nothing = np.zeros(len(truth), dtype=bool)
        return LabelledPredictions(shares, truth, one.artists, nothing, nothing)


def main() -> None:
    """Measure each database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="+")
    parser.add_argument("--without", default="content", help="scores to leave out: a,b")
    parser.add_argument("--folds", choices=("frozen", "all"), default="frozen")
    parser.add_argument("--param", action="append", default=[], help="name=value, of blend")
    options = parser.parse_args()
    params = {name: value == "true" for name, value in (one.split("=") for one in options.param)}
    without = set(parse_list(options.without))
    for url in options.url:
        print(url, flush=True)
        measure(url, without, params, N_FOLDS if options.folds == "all" else 1)


def measure(url: str, without: set[str], params: dict[str, bool], rotations: int) -> None:
    """Print the rows of one database."""
    config = TrainingConfig(params=params)
    tracks = dataset.load_dataset(connect(url), config)
    rows: dict[tuple[str, str], list[Pair]] = {}
    siblings: list[dict[str, float]] = []
    pooled: list[LabelledPredictions] = []
    for rotation in range(rotations):
        test, validation = cross_validation.held_out_folds(rotation)
        raw = cross_validation.with_held_out_folds(tracks, test=test, validation=validation)
        split = split_dataset(raw, config)
        fitted = fit(split, config)
        for key, pair in predictions_of(split, fitted, without):
            rows.setdefault(key, []).append(pair)
        evaluation = evaluate_siblings(split, fitted, common=0, seed=0)
        if evaluation.predictions is not None:
            pooled.append(evaluation.predictions)
        siblings.append(
            {row.metric: row.value for row in evaluation.metrics if row.value is not None}
        )
    for (regime, name), measured in rows.items():
        text = line(name, regime, measured)
        left_out = rotations - len(measured)
        print(text + (f" left out in {left_out}" if left_out else ""), flush=True)
    for name in siblings[0]:
        if "sibling" in name or name in {*SHOWN, "ece_by_chance", "accuracy_gain"}:
            values = [one[name] for one in siblings if name in one]
            print(f"  with siblings: {name:40}{np.mean(values):8.3f}")
    if len(pooled) > 1:
        for name in ("ece", "ece_by_chance"):
            print(f"  with siblings: {name + ', all rotations':40}{together(pooled, name):8.3f}")


def fit(split: SplitDataset, config: TrainingConfig) -> Blend:
    """Fit the ensemble with all idle cores."""
    clock = SystemClock()
    workers = threads.thread_count(len(split.tracks), len(split.classes), None)
    with threads.limit_threads(workers):
        began = clock.monotonic()
        model = estimators.build(config, threads=workers)
        fitted = soft_labels.fit(model, split.training_set(), split.validation())
        print(f"  fitted in {clock.monotonic() - began:.0f} s", flush=True)
    assert isinstance(fitted, Blend)
    return fitted


def predictions_of(
    split: SplitDataset, fitted: Blend, without: set[str]
) -> Iterator[tuple[tuple[str, str], Pair]]:
    """Yield the predictions of the ensemble, of the one without some scores, and of each score.

    Scores that the ensemble left out have no row; without only such scores it is the same.
    """
    names = fitted.score_names_
    priors = np.array([fitted.prior_weights[name] for name in names])
    kept = [place for place, name in enumerate(names) if name not in without]
    for regime, code in REGIMES.items():
        one = held_out(split, fitted, regime, code)
        blend = one.predictions
        yield (regime, "blend"), (blend, blend)
        if len(kept) < len(names) or without & set(fitted.left_out_):
            pooled = one.pooled(kept, priors[kept]) if len(kept) < len(names) else blend
            yield (regime, f"without {', '.join(sorted(without))}"), (pooled, blend)
        for place, name in enumerate(names[1:], start=1):
            yield (regime, name), (one.pooled([0, place], np.array([0.5, 1.0])), blend)


def held_out(split: SplitDataset, fitted: Blend, regime: str, code: int) -> HeldOut:
    """Return the scores of one test condition."""
    frame, labels = split.validation() or (split.tracks[:0], split.labels[:0])
    chosen = fitted.seen_artist_mask(frame) == code
    truth = np.searchsorted(fitted.classes_, labels[chosen])
    test = split.held_out("test") & (split.regimes == regime)
    return HeldOut(
        fitted.predict_scores(frame[chosen]),
        truth,
        fitted.predict_scores(split.tracks[test]),
        split.predict(fitted, test),
    )


def line(name: str, regime: str, pairs: list[Pair]) -> str:
    """Format the metrics of one row, or their means over the rotations."""
    measured, ensemble = [one for one, _ in pairs], [other for _, other in pairs]
    values = [{one.metric: one for one in overall_metrics(each, 0, None)} for each in measured]
    means = {key: float(np.mean([one[key].value for one in values])) for key in SHOWN}
    if len(measured) > 1:
        accuracies = np.array([one["accuracy"].value for one in values])
        spread = f"+- {accuracies.std(ddof=1) / len(measured) ** 0.5:.3f}"
        means["ece"] = together(measured)
    else:
        bootstrap = ArtistBootstrap(measured[0].artists, seed=0)
        interval = bootstrap.interval(bootstrap.means(measured[0].correct.astype(np.float64)))
        spread = "" if interval is None else f"({interval.low:.3f}-{interval.high:.3f})"
    compared = (
        paired_comparison(one.correct, other.correct, one.artists, seed=0)
        for one, other in zip(measured, ensemble, strict=True)
    )
    gains = [one for one in compared if one is not None]
    gain = "" if name == "blend" else f"{np.mean([one.difference for one in gains]):+8.3f}"
    if len(gains) == 1 and name != "blend":
        gain += f" ({gains[0].interval.low:+.3f} to {gains[0].interval.high:+.3f})"
    return (
        f"  {regime:12}{name:18}{means['accuracy']:7.3f} {spread:15}{means['top3']:7.3f}"
        f"{means['log_loss']:8.3f}{means['ece']:7.3f} {gain}"
    )


def together(measured: list[LabelledPredictions], name: str = "ece") -> float:
    """Return the calibration error of all rotations together: of few tracks it is mostly noise."""
    fields = ("probabilities", "truth", "artists", "any_genre_correct", "has_verdict")
    arrays = [np.concatenate([getattr(one, name) for one in measured]) for name in fields]
    values = {one.metric: one for one in overall_metrics(LabelledPredictions(*arrays), 0, None)}
    return float(values[name].value or 0.0)


if __name__ == "__main__":
    main()
