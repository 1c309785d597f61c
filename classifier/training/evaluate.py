"""Judge a fitted model: every figure, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from classifier.data import soft_labels
from classifier.data.soft_labels import TrainingSet
from classifier.data.training_data import SplitDataset
from classifier.evaluation import bootstrap, leakage, one_vs_rest, promotion, report
from classifier.evaluation.metrics import LabelledPredictions
from classifier.features import groups
from classifier.ports import Estimator, SupportsBinaryProba
from classifier.records import Comparison, ConfusionCell, MetricRow, PromotionDecision
from classifier.serving.champion import LoadedModel
from classifier.training_config import TrainingConfig

Mask = NDArray[np.bool_]

TRAIN_SAMPLE_SIZE: Final = 20_000
"""Training tracks that the training score is taken on."""
RANDOM_SPLIT_TEST_DIVISOR: Final = 5
"""The usual published split: one track in five is tested on."""
_STOPPING: Final = 10
"""Of the random split's training part, one track in ten ends the learning."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found out about a model."""

    metrics: tuple[MetricRow, ...]
    confusions: tuple[ConfusionCell, ...]
    decision: PromotionDecision
    warnings: tuple[str, ...]


def evaluate(
    selection: SplitDataset,
    fitted: Estimator,
    unfitted: Estimator,
    champion: LoadedModel | None,
    choice: TrainingConfig,
) -> Evaluation:
    """Measure `fitted` on every side and decide what becomes of it by the validation sides.

    `recipe` is the same estimator, unfitted: for the random split that leaks.
    """
    judging = _Judging(selection, fitted, choice.seed)
    test = judging.answers(selection.held_out("test"))
    regimes = selection.regimes[selection.held_out("test")]
    return Evaluation(
        tuple(judging.metrics(unfitted)),
        tuple(report.confusion_cells(test, regimes, selection.classes)),
        judging.decide(champion),
        tuple(judging.suspicions(choice)),
    )


class _Judging:
    """One fitted model before its judges."""

    def __init__(self, selection: SplitDataset, fitted: Estimator, seed: int) -> None:
        self._selection, self._fitted, self._seed = selection, fitted, seed
        self._codes = {genre: place for place, genre in enumerate(selection.classes)}
        self._common = report.majority_class(selection.labels[selection.train_mask], self._codes)

    def answers(self, chosen: Mask, estimator: Estimator | None = None) -> LabelledPredictions:
        asked = self._fitted if estimator is None else estimator
        return self._selection.predict(asked, chosen)

    def metrics(self, recipe: Estimator) -> Iterator[MetricRow]:
        selection = self._selection
        for side in ("test", "validation"):
            chosen = selection.held_out(side)
            answers, regimes = self.answers(chosen), selection.regimes[chosen]
            yield from report.held_out_metrics(
                side,
                answers,
                regimes,
                selection.classes,
                common=self._common,
                seed=self._seed,
            )
            if isinstance(self._fitted, SupportsBinaryProba) and chosen.any():
                yes = self._yes(self._fitted, chosen)
                yield from one_vs_rest.one_vs_rest_metrics(
                    side, answers, yes, regimes, selection.classes
                )
        trained = self.answers(_sample(selection.train_mask, TRAIN_SAMPLE_SIZE, self._seed))
        yield from report.unheld_metrics("train", trained, common=self._common)
        leaking = self._random_split(recipe)
        yield from report.unheld_metrics("random", leaking, common=self._common)

    def _yes(self, fitted: SupportsBinaryProba, chosen: Mask) -> NDArray[np.float64]:
        """Return the probability of yes per chosen row and genre in play."""
        classes = np.asarray(self._selection.classes)
        told = np.zeros((int(chosen.sum()), len(classes)))
        told[:, np.searchsorted(classes, fitted.classes_)] = fitted.binary_proba(
            self._selection.tracks[chosen]
        )
        return told

    def decide(self, champion: LoadedModel | None) -> PromotionDecision:
        selection = self._selection
        chosen = selection.on_side("validation")
        mine = self.answers(chosen).correct
        if champion is None:
            common = selection.classes[self._common]
            guessed = np.full(len(mine), 1 / len(selection.classes))
            return promotion.decide_first(
                self._compare(chosen, mine, selection.labels[chosen] == common),
                self._compare(chosen, mine, guessed),
            )
        frame = selection.tracks[chosen]
        theirs = selection.labels[chosen] == _first_answers(champion, frame)
        return promotion.decide_against_champion(
            self._compare(chosen, mine, theirs),
            champion_id=champion.model.id,
            rows=int(selection.train_mask.sum()),
            champion_rows=champion.model.trained_rows,
            new_genres=len(set(selection.classes) - set(champion.classes)),
        )

    def suspicions(self, choice: TrainingConfig) -> list[str]:
        """Return a sentence per sign that something other than the music tells the genres."""
        selection = self._selection
        names = groups.numeric_columns(choice.features, selection.tracks)
        codes = np.array([self._codes.get(label, -1) for label in selection.labels])
        shown = (
            selection.tracks,
            codes,
            selection.train_mask,
            selection.held_out("validation"),
            names,
        )
        return [
            *leakage.leak_warnings(leakage.single_feature_accuracy(*shown)),
            *leakage.missingness_warnings(leakage.missingness_accuracy(*shown)),
        ]

    def _compare(
        self, chosen: Mask, mine: Mask, theirs: Mask | NDArray[np.float64]
    ) -> dict[str, Comparison | None]:
        regimes, artists = self._selection.regimes[chosen], self._selection.artists[chosen]
        return {
            regime: bootstrap.paired_comparison(
                mine[regimes == regime],
                theirs[regimes == regime],
                artists[regimes == regime],
                seed=self._seed,
            )
            for regime in ("seen_artist", "new_artist")
        }

    def _random_split(self, recipe: Estimator) -> LabelledPredictions:
        """Return what a split that scatters artists over both sides would be told.

        It learns from no more tracks than the model did, so that only the leak differs.
        """
        selection = self._selection
        rows = np.random.default_rng(self._seed).permutation(np.flatnonzero(selection.in_task))
        tested, rest = np.split(rows, [len(rows) // RANDOM_SPLIT_TEST_DIVISOR])
        stopping, learned = np.split(rest, [len(rest) // _STOPPING])
        learned = learned[: int(selection.train_mask.sum())]
        fresh: Estimator = clone(recipe)
        tracks, labels = selection.tracks, selection.labels
        seen = soft_labels.sightings_of(tracks.iloc[learned], selection.sightings)
        fitted = soft_labels.fit(
            fresh,
            TrainingSet(tracks.iloc[learned], labels[learned], None, seen),
            (tracks.iloc[stopping], labels[stopping]),
        )
        chosen = np.zeros(len(tracks), dtype=bool)
        chosen[tested] = True
        return self.answers(chosen, fitted)


def _first_answers(champion: LoadedModel, frame: pd.DataFrame) -> NDArray[np.str_]:
    if len(frame) == 0:
        return np.array([], dtype=str)
    shares = champion.artifact.estimator.predict_proba(frame)
    return np.asarray(np.asarray(champion.classes)[shares.argmax(axis=1)])


def _sample(chosen: Mask, size: int, seed: int) -> Mask:
    rows = np.flatnonzero(chosen)
    if len(rows) <= size:
        return chosen
    drawn = np.random.default_rng(seed).choice(rows, size, replace=False)
    sampled = np.zeros(len(chosen), dtype=bool)
    sampled[drawn] = True
    return sampled
