"""How to look for better parameters: where, how far, and what to judge by. Pure."""

import math
from dataclasses import dataclass
from typing import Any, Final

from classifier.errors import BadTrainingConfig
from classifier.experiments import search_spaces
from classifier.experiments.search_spaces import SearchSpace

SEARCH_METHODS: Final = ("halving", "random", "exhaustive")
TUNING_METRICS: Final = ("accuracy", "macro_f1", "top3", "log_loss")
ONE_VS_REST_METRICS: Final = ("average_precision", "f1")
TUNING_REGIMES: Final = ("both", "new_artist", "seen_artist")
N_CV_FOLDS: Final = 9
"""All but the test fold can be judged on."""
REDUCTION_FACTOR: Final = 3
"""Each rung of a halving keeps a third, on three times the tracks."""
MIN_TRACKS_PER_GENRE: Final = 50
"""Fewer tracks per genre tell nothing about more of them."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How to look, and what to judge by."""

    space: SearchSpace
    search: str = SEARCH_METHODS[0]
    trials: int = 20
    """Points of the space, beside the defaults."""
    cv_folds: int = 3
    metric: str = TUNING_METRICS[0]
    regime: str = TUNING_REGIMES[0]
    """`both`: the mean of the two."""
    one_vs_rest_genres: tuple[str, ...] | None = None
    """Genres to tell from the rest, each for itself; empty: every genre; None: all together."""

    def validate(self) -> None:
        """Raise `BadTrainingConfig` for a word or a number that cannot be."""
        metrics = TUNING_METRICS if self.one_vs_rest_genres is None else ONE_VS_REST_METRICS
        for what, told, known in (
            ("search", self.search, SEARCH_METHODS),
            ("metric to tune by", self.metric, metrics),
            ("regime to tune for", self.regime, TUNING_REGIMES),
        ):
            if told not in known:
                raise BadTrainingConfig(f"There is no {what} {told!r}. Known: {', '.join(known)}.")
        if not 1 <= self.cv_folds <= N_CV_FOLDS:
            raise BadTrainingConfig(
                f"--folds is a number from 1 to {N_CV_FOLDS}, not {self.cv_folds}."
            )

    def as_json(self) -> dict[str, Any]:
        """Return what makes a study this one; more trials are still the same one."""
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
        """Return the folds to judge on."""
        return tuple(range(N_CV_FOLDS - 1, N_CV_FOLDS - 1 - self.cv_folds, -1))

    def candidates(self, seed: int) -> list[dict[str, Any]]:
        """Return the points to try, the defaults first."""
        if self.search == "exhaustive":
            return [{}, *search_spaces.grid_points(self.space)]
        return [{}, *search_spaces.sample_points(self.space, self.trials, seed)]

    def rungs(self, most: int) -> list[int | None]:
        """Return the tracks per genre of each rung, None for all there are."""
        if self.search != "halving":
            return [None]
        wanted = 1 + int(math.log(max(self.trials, 1), REDUCTION_FACTOR))
        sizes = [round(most / REDUCTION_FACTOR**rung) for rung in range(1, wanted)]
        return [*reversed([size for size in sizes if size >= MIN_TRACKS_PER_GENRE]), None]

    def n_survivors(self, rung: int) -> int:
        """Return how many points beside the defaults are tried on a rung, 0 being the first."""
        return math.ceil(self.trials / float(REDUCTION_FACTOR) ** rung)
