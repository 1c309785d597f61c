"""Evaluate a model on unseen artists together with their other tracks (siblings).

A third test condition beside the two. It answers another question than a track alone, and an
easier one: most siblings are in the database *because* a harvest found them under the same genre.
So the metrics tell how many siblings were found so, and what is left without these.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats, Mask
from classifier.data.training_data import SplitDataset
from classifier.estimators import sibling_pooling
from classifier.estimators.sibling_pooling import SiblingPool
from classifier.evaluation import report
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import (
    LabelledPredictions,
    MetricValue,
    mean_metric,
    overall_metrics,
)
from classifier.evaluation.sibling_sums import SiblingSums
from classifier.experts import log_probabilities
from classifier.model_records import SIBLINGS_REGIME, MetricRow
from classifier.ports import Estimator

Probabilities = NDArray[np.float64]

_FITTED_NUMBERS: Final = (1, 2, 3, 5, 10, 20, None)
"""Numbers of siblings that the weights are fitted with: so each group of weights has the
validation tracks of all artists."""
_LABEL_PRIOR: Final = 0.3
"""Tracks with the overall genre shares that are added to the labels of the siblings, as in
`ArtistHistoryExpert`."""


@dataclass(frozen=True, slots=True)
class SiblingEvaluation:
    """Weights for pooling, fitted on validation tracks, and the metrics on test tracks."""

    pool: SiblingPool
    metrics: tuple[MetricRow, ...]
    predictions: LabelledPredictions | None = None
    """Of the test tracks, pooled with all siblings; None without test tracks."""


def evaluate_siblings(
    split: SplitDataset, fitted: Estimator, *, common: int, seed: int
) -> SiblingEvaluation:
    """Fit the weights of a pool, and measure it; no label of a sibling is used for a prediction.

    Siblings are the labelled tracks of the task by the same first artist. `common` is the code of
    the majority class.
    """
    return _Siblings(split, fitted).evaluate(common=common, seed=seed)


class _Siblings:
    """The held-out tracks of unseen artists, and all other tracks of these artists."""

    def __init__(self, split: SplitDataset, fitted: Estimator) -> None:
        new = split.regimes == "new_artist"
        held_out = new & (split.held_out("test") | split.held_out("validation"))
        of_artists = np.isin(split.artists, split.artists[held_out]) & split.in_task
        self._split, self._chosen = split, of_artists & ~split.train_mask
        self._test = (new & split.held_out("test"))[self._chosen]
        self._validation = (new & split.held_out("validation"))[self._chosen]
        self._classes = np.asarray(split.classes)
        self._predictions = split.predict(fitted, self._chosen)
        labels = np.searchsorted(self._classes, split.labels[split.train_mask])
        shares = np.bincount(labels, minlength=len(self._classes)) / len(labels)
        self._pool = sibling_pooling.unfitted(shares)
        self._shares = shares
        self._order = _name_hashes(split.tracks[self._chosen])
        self._sums = SiblingSums(
            self._predictions.artists, self._order, self._pool.log_ratios(self._probabilities)
        )

    @property
    def _probabilities(self) -> Probabilities:
        return self._predictions.probabilities

    def evaluate(self, *, common: int, seed: int) -> SiblingEvaluation:
        pool = self._fitted_pool()
        if not self._test.any():
            return SiblingEvaluation(pool, ())
        bootstrap = ArtistBootstrap(self._predictions.artists[self._test], seed=seed)
        pooled = self._pooled(pool, *self._sums.first())
        values = [
            *overall_metrics(pooled, common, bootstrap),
            *self._curve(pool, pooled, bootstrap),
            *self._selection(pool, bootstrap),
        ]
        rows = report.metric_rows("test", SIBLINGS_REGIME, None, values, int(self._test.sum()))
        return SiblingEvaluation(pool, tuple(rows), pooled)

    def _fitted_pool(self) -> SiblingPool:
        rows = self._validation
        sums = [self._sums.first(number) for number in _FITTED_NUMBERS]
        repeated = np.tile(np.flatnonzero(rows), len(sums))
        return self._pool.fit(
            self._probabilities[repeated],
            np.concatenate([one[rows] for one, _ in sums]),
            np.concatenate([counts[rows] for _, counts in sums]),
            self._predictions.truth[repeated],
        )

    def _pooled(
        self, pool: SiblingPool, sums: NDArray[np.float32], counts: NDArray[np.int64]
    ) -> LabelledPredictions:
        """Return the pooled predictions for the test tracks."""
        rows = self._test
        probabilities = pool.predict_proba(self._probabilities[rows], sums[rows], counts[rows])
        chosen = self._chosen.copy()
        chosen[self._chosen] = rows
        return self._split.predictions(chosen, probabilities, self._split.classes)

    def _curve(
        self, pool: SiblingPool, pooled: LabelledPredictions, bootstrap: ArtistBootstrap
    ) -> Iterator[MetricValue]:
        """Yield the accuracy of the same tracks by number of siblings, and who has so many."""
        _, counts = self._sums.first()
        of_test = counts[self._test]
        alone = self._predictions.select(self._test).correct
        for number in report.SIBLINGS_CURVE:
            one = self._pooled(pool, *self._sums.first(number))
            yield mean_metric(f"accuracy_with_{number}_siblings", one.correct, bootstrap)
            if number:
                yield mean_metric(f"tracks_with_{number}_siblings", of_test >= number, bootstrap)
        gain = pooled.correct.astype(np.float64) - alone
        yield mean_metric("accuracy_gain", gain, bootstrap)
        yield MetricValue("siblings_per_track", float(of_test.mean()))

    def _selection(self, pool: SiblingPool, bootstrap: ArtistBootstrap) -> Iterator[MetricValue]:
        """Yield the share of siblings seen under the track's genre, and the two brackets.

        The lower one uses only the siblings that were seen under other genres alone, the upper
        one the labels of all siblings.
        """
        truth = self._predictions.truth
        _, counts = self._sums.first()
        elsewhere = self._sums.without(truth, self._seen())
        n_siblings = counts[self._test].sum()
        share = 1 - float(elsewhere[1][self._test].sum() / n_siblings) if n_siblings else None
        yield MetricValue("siblings_seen_under_own_genre", share, n=int(n_siblings))
        lower = self._pooled(pool, *elsewhere).correct
        yield mean_metric("accuracy_with_siblings_seen_elsewhere", lower, bootstrap)
        upper = self._with_labels().argmax(axis=1) == truth[self._test]
        yield mean_metric("accuracy_with_siblings_labels", upper, bootstrap)

    def _seen(self) -> Mask:
        """Return (tracks, genres): whether each was seen there, or has it as a label."""
        seen = np.array(self._predictions.genres_sighted)
        seen[np.arange(len(seen)), self._predictions.truth] = True
        return seen

    def _with_labels(self) -> Floats:
        """Return scores of the test tracks from their predictions and their siblings' labels."""
        labels = np.eye(len(self._classes), dtype=np.float32)[self._predictions.truth]
        sums, counts = SiblingSums(self._predictions.artists, self._order, labels).first()
        ratios = (sums / self._shares + _LABEL_PRIOR) / (counts[:, np.newaxis] + _LABEL_PRIOR)
        scores = np.log(ratios) + log_probabilities(self._probabilities)
        return np.asarray(scores[self._test], dtype=np.float64)


def _name_hashes(tracks: pd.DataFrame) -> NDArray[np.uint64]:
    """Return hashes of the names: an order that does not depend on ids."""
    names = (tracks["title"] + "\x1f" + tracks["artists"]).to_numpy(dtype=object)
    return pd.util.hash_array(names, categorize=False)
