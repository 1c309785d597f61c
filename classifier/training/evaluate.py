"""Evaluate a fitted model on held-out tracks and decide about its promotion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from classifier.arrays import Floats, Mask
from classifier.data import soft_labels
from classifier.data.soft_labels import TrainingSet
from classifier.data.training_data import SplitDataset, random_rows
from classifier.evaluation import bootstrap, confusion, leakage, promotion, report
from classifier.evaluation.metrics import LabelledPredictions
from classifier.features import groups
from classifier.model_records import Comparison, ConfusionCell, MetricRow, PromotionDecision
from classifier.ports import Estimator, SupportsBinaryProba
from classifier.serving.champion import LoadedModel
from classifier.training.epoch_log import record_epochs
from classifier.training.sibling_evaluation import SiblingEvaluation, evaluate_siblings
from classifier.training_config import TrainingConfig
from genrebase.progress import MessageCallback

TRAIN_SAMPLE_SIZE: Final = 20_000
"""Training tracks that the training accuracy is measured on."""
RANDOM_SPLIT_TEST_DIVISOR: Final = 5
"""The random split has one test track in five, as is usual in publications."""
_VALIDATION_DIVISOR: Final = 10
"""One training track in ten of the random split is for early stopping."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of a model, and the decision about it."""

    metrics: tuple[MetricRow, ...]
    confusions: tuple[ConfusionCell, ...]
    decision: PromotionDecision
    warnings: tuple[str, ...]
    sibling_pool: Mapping[str, Any]
    """A `SiblingPool` as JSON: weights for pooling a track with its siblings."""
    test: LabelledPredictions = field(compare=False)
    """The predictions for the test tracks."""


def evaluate(
    split: SplitDataset,
    fitted: Estimator,
    unfitted: Estimator,
    champion: LoadedModel | None,
    config: TrainingConfig,
    log: MessageCallback,
) -> Evaluation:
    """Measure `fitted` on every side and decide about promotion by the validation sides.

    `unfitted` is the same estimator, for a random split that leaks artists.
    """
    evaluator = _Evaluator(split, fitted, config.seed, log)
    test = evaluator.predictions(split.held_out("test"))
    regimes = split.regimes[split.held_out("test")]
    siblings = evaluator.siblings()
    return Evaluation(
        (*evaluator.metrics(unfitted), *siblings.metrics),
        tuple(confusion.confusion_cells(test, regimes, split.classes)),
        evaluator.decide(champion),
        tuple(evaluator.leak_warnings(config)),
        siblings.pool.as_json(),
        test,
    )


class _Evaluator:
    def __init__(
        self, split: SplitDataset, fitted: Estimator, seed: int, log: MessageCallback
    ) -> None:
        self._split, self._fitted, self._seed, self._log = split, fitted, seed, log
        self._predicted: dict[bytes, LabelledPredictions] = {}
        self._codes = {genre: place for place, genre in enumerate(split.classes)}
        self._common = report.majority_class(split.labels[split.train_mask], self._codes)

    def predictions(self, chosen: Mask) -> LabelledPredictions:
        """Return the predictions for some tracks, which are made once."""
        key = chosen.tobytes()
        if key not in self._predicted:
            self._predicted[key] = self._split.predict(self._fitted, chosen)
        return self._predicted[key]

    def metrics(self, unfitted: Estimator) -> Iterator[MetricRow]:
        split = self._split
        for side in ("test", "validation"):
            chosen = split.held_out(side)
            predictions, regimes = self.predictions(chosen), split.regimes[chosen]
            yield from report.held_out_metrics(
                side,
                predictions,
                regimes,
                split.classes,
                common=self._common,
                seed=self._seed,
            )
            if isinstance(self._fitted, SupportsBinaryProba) and chosen.any():
                binary = self._binary_probabilities(self._fitted, chosen)
                yield from report.one_vs_rest_metrics(
                    side, predictions, binary, regimes, split.classes
                )
        training = self.predictions(
            random_rows(split.train_mask, TRAIN_SAMPLE_SIZE, seed=self._seed)
        )
        yield from report.unheld_metrics("train", training, common=self._common)
        leaking = self._random_split(unfitted)
        yield from report.unheld_metrics("random", leaking, common=self._common)

    def siblings(self) -> SiblingEvaluation:
        return evaluate_siblings(self._split, self._fitted, common=self._common, seed=self._seed)

    def _binary_probabilities(self, fitted: SupportsBinaryProba, chosen: Mask) -> Floats:
        """Return the one-vs-rest probabilities (chosen rows, genres of the task)."""
        classes = np.asarray(self._split.classes)
        probabilities = np.zeros((int(chosen.sum()), len(classes)))
        probabilities[:, np.searchsorted(classes, fitted.classes_)] = fitted.binary_proba(
            self._split.tracks[chosen]
        )
        return probabilities

    def decide(self, champion: LoadedModel | None) -> PromotionDecision:
        split = self._split
        chosen = split.on_side("validation")
        mine = self.predictions(chosen).correct
        if champion is None:
            common = split.classes[self._common]
            guessed = np.full(len(mine), 1 / len(split.classes))
            return promotion.decide_first(
                self._compare(chosen, mine, split.labels[chosen] == common),
                self._compare(chosen, mine, guessed),
            )
        frame = split.tracks[chosen]
        theirs = split.labels[chosen] == _first_predictions(champion, frame)
        return promotion.decide_against_champion(
            self._compare(chosen, mine, theirs),
            champion_id=champion.model.id,
            rows=int(split.train_mask.sum()),
            champion_rows=champion.model.trained_rows,
            new_genres=len(set(split.classes) - set(champion.classes)),
        )

    def leak_warnings(self, config: TrainingConfig) -> list[str]:
        """Return a warning per sign of leakage: something else than music predicts genres."""
        split = self._split
        names = groups.numeric_columns(config.features, split.tracks)
        codes = np.array([self._codes.get(label, -1) for label in split.labels])
        train, validation = split.train_mask, split.held_out("validation")
        held_out = validation | split.held_out("test")
        arguments = (split.tracks, codes, train, validation, names)
        near = leakage.near_duplicates(split.tracks, codes, train, held_out, names)
        return [
            *leakage.leak_warnings(leakage.single_feature_accuracy(*arguments)),
            *leakage.missingness_warnings(leakage.missingness_accuracy(*arguments)),
            *leakage.near_duplicate_warnings(near),
        ]

    def _compare(
        self, chosen: Mask, mine: Mask, theirs: Mask | Floats
    ) -> dict[str, Comparison | None]:
        regimes, artists = self._split.regimes[chosen], self._split.artists[chosen]
        return {
            regime: bootstrap.paired_comparison(
                mine[regimes == regime],
                theirs[regimes == regime],
                artists[regimes == regime],
                seed=self._seed,
            )
            for regime in ("seen_artist", "new_artist")
        }

    def _random_split(self, unfitted: Estimator) -> LabelledPredictions:
        """Return the predictions of a model on a random split, with artists on both sides.

        It is fitted on no more tracks than the model, so that only the leak differs.
        """
        split = self._split
        rows = np.random.default_rng(self._seed).permutation(np.flatnonzero(split.in_task))
        test, rest = np.split(rows, [len(rows) // RANDOM_SPLIT_TEST_DIVISOR])
        validation, train = np.split(rest, [len(rest) // _VALIDATION_DIVISOR])
        train = train[: int(split.train_mask.sum())]
        estimator: Estimator = clone(unfitted)
        record_epochs(estimator, lambda text: self._log(f"random split, {text}"))
        tracks, labels = split.tracks, split.labels
        sightings = soft_labels.sightings_of(tracks.iloc[train], split.sightings)
        fitted = soft_labels.fit(
            estimator,
            TrainingSet(tracks.iloc[train], labels[train], None, sightings),
            (tracks.iloc[validation], labels[validation]),
        )
        chosen = np.zeros(len(tracks), dtype=bool)
        chosen[test] = True
        return split.predict(fitted, chosen)


def _first_predictions(champion: LoadedModel, frame: pd.DataFrame) -> NDArray[np.str_]:
    if len(frame) == 0:
        return np.array([], dtype=str)
    probabilities = champion.artifact.estimator.predict_proba(frame)
    return np.asarray(np.asarray(champion.classes)[probabilities.argmax(axis=1)])
