"""How to look for better parameters: where, how far, and what to judge by. Pure."""

import math
from dataclasses import dataclass
from typing import Any, Final

from classifier.errors import BadChoice
from classifier.experiments import search_spaces
from classifier.experiments.search_spaces import Space

SEARCHES: Final = ("halving", "random", "exhaustive")
METRICS: Final = ("accuracy", "macro_f1", "top3", "log_loss")
BINARY_METRICS: Final = ("average_precision", "f1")
REGIMES: Final = ("both", "new_artist", "seen_artist")
FOLDS: Final = 9
"""All but the test fold can be judged on."""
FACTOR: Final = 3
"""Each rung of a halving keeps a third, on three times the tracks."""
LEAST: Final = 50
"""Fewer tracks per genre tell nothing about more of them."""


@dataclass(frozen=True, slots=True)
class Study:
    """How to look, and what to judge by."""

    space: Space
    search: str = SEARCHES[0]
    trials: int = 20
    """Points of the space, beside the defaults."""
    folds: int = 3
    metric: str = METRICS[0]
    regime: str = REGIMES[0]
    """`both`: the mean of the two."""
    binary: tuple[str, ...] | None = None
    """Genres to tell from the rest, each for itself; empty: every genre; None: all together."""

    def check(self) -> None:
        """Raise `BadChoice` for a word or a number that cannot be."""
        metrics = METRICS if self.binary is None else BINARY_METRICS
        for what, told, known in (
            ("search", self.search, SEARCHES),
            ("metric to tune by", self.metric, metrics),
            ("regime to tune for", self.regime, REGIMES),
        ):
            if told not in known:
                raise BadChoice(f"There is no {what} {told!r}. Known: {', '.join(known)}.")
        if not 1 <= self.folds <= FOLDS:
            raise BadChoice(f"--folds is a number from 1 to {FOLDS}, not {self.folds}.")

    def as_json(self) -> dict[str, Any]:
        """Return what makes a study this one; more trials are still the same one."""
        return {
            "space": search_spaces.as_json(self.space),
            "search": self.search,
            "folds": list(self.validation_folds),
            "metric": self.metric,
            "regime": self.regime,
            "binary": None if self.binary is None else list(self.binary),
        }

    @property
    def validation_folds(self) -> tuple[int, ...]:
        """Return the folds to judge on."""
        return tuple(range(FOLDS - 1, FOLDS - 1 - self.folds, -1))

    def points(self, seed: int) -> list[dict[str, Any]]:
        """Return the points to try, the defaults first."""
        if self.search == "exhaustive":
            return [{}, *search_spaces.every(self.space)]
        return [{}, *search_spaces.drawn(self.space, self.trials, seed)]

    def rungs(self, most: int) -> list[int | None]:
        """Return the tracks per genre of each rung, None for all there are."""
        if self.search != "halving":
            return [None]
        wanted = 1 + int(math.log(max(self.trials, 1), FACTOR))
        sizes = [round(most / FACTOR**rung) for rung in range(1, wanted)]
        return [*reversed([size for size in sizes if size >= LEAST]), None]

    def kept(self, rung: int) -> int:
        """Return how many points beside the defaults are tried on a rung, 0 being the first."""
        return math.ceil(self.trials / float(FACTOR) ** rung)
