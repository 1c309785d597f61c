"""Feature importance of a fitted model: permutation, single groups, and ablation of experts. Pure.

Permutation importance (L. Breiman, Random Forests, Machine Learning 45, 2001) is the accuracy lost
when a column is shuffled among the tracks of the same regime. It needs no retraining and works for
any model. Of two redundant columns each may look unimportant, so whole groups are permuted, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats, Ids, Mask
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.model_records import Interval, Regime
from classifier.ports import Estimator, Labels
from genrebase.progress import ProgressCallback, no_progress

Kind = Literal["feature", "group", "expert", "alone"]

ALL_GROUPS: Final = "everything"
"""The row of kind `alone` with all groups."""
_TINY: Final = float(np.finfo(np.float64).eps)
_REGIMES: Final[tuple[Regime, ...]] = ("new_artist", "seen_artist")


@dataclass(frozen=True, slots=True)
class Importance:
    """The importance of a column, or of a group of them."""

    regime: Regime
    """`all`: both regimes together, for single genres."""
    genre: str | None
    """None: over all genres."""
    kind: Kind
    """`feature`, `group`: permuted; `expert`: ablated; `alone`: the only group available."""
    feature: str
    importance: float
    """The accuracy lost; of `alone` the accuracy."""
    interval: Interval | None
    """95%, resampling artists."""
    loss: float
    """The increase of the log-loss; of `alone` the log-loss."""
    n: int
    """Tracks."""


@dataclass(frozen=True, slots=True)
class HeldOutTracks:
    """Held-out tracks, one row each."""

    frame: pd.DataFrame
    labels: Labels
    regimes: NDArray[np.str_]
    artists: Ids

    def subset(self, chosen: Mask) -> "HeldOutTracks":
        return HeldOutTracks(
            self.frame[chosen], self.labels[chosen], self.regimes[chosen], self.artists[chosen]
        )

    def sample(self, size: int, *, seed: int) -> "HeldOutTracks":
        """Return at most `size` rows of each regime."""
        random = np.random.default_rng(seed)
        chosen = np.zeros(len(self.labels), dtype=bool)
        for regime in _REGIMES:
            rows = np.flatnonzero(self.regimes == regime)
            chosen[rows if len(rows) <= size else random.choice(rows, size, replace=False)] = True
        return self.subset(chosen)


@dataclass(eq=False)
class PermutationImportance:
    """Computes the importances of one fitted model on held-out tracks."""

    estimator: Estimator
    tracks: HeldOutTracks
    groups: Mapping[str, Sequence[str]]
    """The columns of each feature group."""
    repeats: int
    seed: int

    def __post_init__(self) -> None:
        """Predict once without a change."""
        self._correct, self._losses = self._evaluate(self.tracks.frame)

    def compute(self, progress: ProgressCallback = no_progress) -> Iterator[Importance]:
        """Yield the accuracy with each group alone, then the importance of groups and columns."""
        columns = {name: (name,) for names in self.groups.values() for name in names}
        steps = len(self.groups) + self.repeats * (len(self.groups) + len(columns))
        done = 0
        for group, names in self.groups.items():
            correct, losses = self._evaluate(self.tracks.frame[list(names)])
            done += 1
            progress(done, steps)
            yield from self._by_regime("alone", group, correct, losses)
        permuted: tuple[tuple[Kind, Mapping[str, Sequence[str]]], ...]
        permuted = (("group", self.groups), ("feature", columns))
        for kind, columns_by_name in permuted:
            for name, names in columns_by_name.items():
                correct, losses = self._permuted(tuple(names))
                done += self.repeats
                progress(done, steps)
                accuracy_loss, loss_increase = self._correct - correct, losses - self._losses
                yield from self._by_regime(kind, name, accuracy_loss, loss_increase)
                yield from self._by_genre(kind, name, accuracy_loss, loss_increase)

    def baseline(self) -> Iterator[Importance]:
        """Yield the accuracy with all groups."""
        yield from self._by_regime("alone", ALL_GROUPS, self._correct, self._losses)

    def expert_ablation(self) -> Iterator[Importance]:
        """Yield the accuracy lost without each expert of an ensemble."""
        for expert in getattr(self.estimator, "experts_", ()):  # of a `PooledClassifier`
            without: Any = copy(self.estimator)
            without.weights_ = np.where(
                np.isin(without.score_names_, expert.score_names), 0.0, without.weights_
            )
            correct, losses = self._evaluate(self.tracks.frame, without)
            accuracy_loss, loss_increase = self._correct - correct, losses - self._losses
            yield from self._by_regime("expert", expert.name, accuracy_loss, loss_increase)

    def _permuted(self, columns: tuple[str, ...]) -> tuple[Floats, Floats]:
        """Return the mean accuracy and log-loss of each track over the repeats."""
        random = np.random.default_rng(self.seed)
        total = np.zeros((2, len(self._correct)))
        for _ in range(self.repeats):
            order = self._shuffled(random)
            shuffled = {
                name: self.tracks.frame[name].array[order]
                for name in columns
                if name in self.tracks.frame.columns
            }
            total += self._evaluate(self.tracks.frame.assign(**shuffled))
        correct, losses = total / self.repeats
        return correct, losses

    def _shuffled(self, random: np.random.Generator) -> NDArray[np.intp]:
        order = np.arange(len(self.tracks.labels))
        for regime in _REGIMES:
            rows = np.flatnonzero(self.tracks.regimes == regime)
            order[rows] = random.permutation(rows)
        return order

    def _evaluate(
        self, frame: pd.DataFrame, estimator: Estimator | None = None
    ) -> tuple[Floats, Floats]:
        model = self.estimator if estimator is None else estimator
        classes, labels = model.classes_, self.tracks.labels
        probabilities = model.predict_proba(frame)
        truth = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        in_classes = classes[truth] == labels
        true_probabilities = np.where(
            in_classes, probabilities[np.arange(len(labels)), truth], 0.0
        )
        correct = in_classes & (probabilities.argmax(axis=1) == truth)
        return correct.astype(np.float64), -np.log(np.clip(true_probabilities, _TINY, 1.0))

    def _by_regime(
        self, kind: Kind, name: str, values: Floats, losses: Floats
    ) -> Iterator[Importance]:
        for regime in _REGIMES:
            rows = self.tracks.regimes == regime
            if rows.any():
                bootstrap = ArtistBootstrap(self.tracks.artists[rows], seed=self.seed)
                yield Importance(
                    regime,
                    None,
                    kind,
                    name,
                    float(values[rows].mean()),
                    bootstrap.interval(bootstrap.means(values[rows])),
                    float(losses[rows].mean()),
                    int(rows.sum()),
                )

    def _by_genre(
        self, kind: Kind, name: str, values: Floats, losses: Floats
    ) -> Iterator[Importance]:
        """Yield the means over the tracks of each genre; too few for intervals."""
        for genre in np.unique(self.tracks.labels):
            rows = self.tracks.labels == genre
            value, loss = float(values[rows].mean()), float(losses[rows].mean())
            yield Importance("all", str(genre), kind, name, value, None, loss, int(rows.sum()))
