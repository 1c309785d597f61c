"""Settings of a hyperparameter search: the space, the method, and the criterion. Pure.

Optuna samples the points: at random, or by a tree-structured Parzen estimator (TPE) whose trials
run on few tracks first and are pruned by successive halving.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from classifier.config_options import check_value
from classifier.errors import BadTrainingConfig
from classifier.experiments import search_spaces
from classifier.experiments.search_spaces import SearchSpace

if TYPE_CHECKING:
    from optuna import Study

SEARCH_METHODS: Final = ("halving", "random", "exhaustive")
TUNING_METRICS: Final = ("accuracy", "macro_f1", "top3", "log_loss")
ONE_VS_REST_METRICS: Final = ("average_precision", "f1")
TUNING_REGIMES: Final = ("both", "new_artist", "seen_artist")
N_CV_FOLDS: Final = 9
"""All folds but the test fold."""
REDUCTION_FACTOR: Final = 3
"""Each rung of successive halving keeps a third of the points, on three times the tracks."""
MIN_RUNG_TRACKS: Final = 50
"""A rung with fewer tracks per genre does not predict the result on more."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How points are sampled, and by what they are ranked."""

    space: SearchSpace
    search: str = SEARCH_METHODS[0]
    trials: int = 20
    """Points of the space, besides the defaults."""
    cv_folds: int = 3
    metric: str = TUNING_METRICS[0]
    regime: str = TUNING_REGIMES[0]
    """`both`: the mean of the two."""
    one_vs_rest_genres: tuple[str, ...] | None = None
    """Genres with a binary classifier each; empty: every genre; None: one multi-class model."""

    def validate(self) -> None:
        """Raise `BadTrainingConfig` for an unknown word or a number out of range."""
        metrics = TUNING_METRICS if self.one_vs_rest_genres is None else ONE_VS_REST_METRICS
        for what, value, allowed in (
            ("search", self.search, SEARCH_METHODS),
            ("metric to tune by", self.metric, metrics),
            ("regime to tune for", self.regime, TUNING_REGIMES),
        ):
            check_value(what, value, allowed)
        if not 1 <= self.cv_folds <= N_CV_FOLDS:
            raise BadTrainingConfig(
                f"--cv-folds is a number from 1 to {N_CV_FOLDS}, not {self.cv_folds}."
            )

    def as_json(self) -> dict[str, Any]:
        """Return what identifies a search; one with more trials is the same search."""
        return {
            "space": search_spaces.space_as_json(self.space),
            "search": self.search,
            "folds": list(self.validation_folds),
            "metric": self.metric,
            "regime": self.regime,
            "binary": None if self.one_vs_rest_genres is None else list(self.one_vs_rest_genres),
        }

    @property
    def validation_folds(self) -> tuple[int, ...]:
        """Return the folds that trials are evaluated on."""
        return tuple(range(N_CV_FOLDS - 1, N_CV_FOLDS - 1 - self.cv_folds, -1))

    @property
    def n_points(self) -> int:
        """Return the number of points to try, besides the defaults."""
        size = search_spaces.n_points(self.space)
        return int(size if self.search == "exhaustive" else min(size, self.trials))

    def study(self, seed: int) -> "Study":
        """Return an empty Optuna study in memory."""
        # slow to import: only a search needs it
        from optuna import create_study, logging, pruners, samplers

        logging.set_verbosity(logging.WARNING)
        halving = self.search == "halving"
        return create_study(
            direction="maximize",
            sampler=samplers.TPESampler(seed=seed) if halving else samplers.RandomSampler(seed),
            pruner=pruners.SuccessiveHalvingPruner(1, REDUCTION_FACTOR) if halving else None,
        )

    def rungs(self, largest: int) -> list[int | None]:
        """Return the tracks per genre of each rung, up to None for all.

        `largest` is the number of training tracks of the largest genre.
        """
        if self.search != "halving":
            return [None]
        count = 1 + int(math.log(max(self.trials, 1), REDUCTION_FACTOR))
        sizes = [round(largest / REDUCTION_FACTOR**rung) for rung in range(1, count)]
        return [*reversed([size for size in sizes if size >= MIN_RUNG_TRACKS]), None]
