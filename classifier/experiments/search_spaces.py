"""Where `tune` looks: a default space per estimator, or one from a file. Pure but for the file.

A parameter is a list of values, or a range: `low`, `high`, with `log = true` drawn evenly over
its orders of magnitude, and whole where both bounds are. In TOML, `"none"` stands for no value.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from classifier.errors import BadTrainingConfig

_DIGITS: Final = 4
"""Digits of a drawn number: more are nobody's opinion, and have to be typed again."""
_RANGE: Final = frozenset({"low", "high", "log"})


@dataclass(frozen=True, slots=True)
class NumericRange:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False

    @property
    def is_integer(self) -> bool:
        """Tell whether only whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def rvs(self, random_state: Any = None) -> float:
        """Return a number drawn from the range; the name is what scikit-learn asks for."""
        random = np.random.default_rng(random_state.randint(2**31))
        low, high = (np.log(self.low), np.log(self.high)) if self.log else (self.low, self.high)
        if self.is_integer and not self.log:
            return int(random.integers(int(low), int(high) + 1))
        drawn = random.uniform(low, high)
        value = float(np.exp(drawn)) if self.log else float(drawn)
        return round(value) if self.is_integer else float(f"{value:.{_DIGITS}g}")

    def as_json(self) -> dict[str, Any]:
        """Return the range as a file has it."""
        return {"low": self.low, "high": self.high, "log": self.log}


SearchSpace = Mapping[str, Sequence[Any] | NumericRange]

_LOGISTIC: Final[SearchSpace] = {"C": NumericRange(0.01, 30.0, log=True)}

DEFAULT_SPACES: Final[Mapping[str, SearchSpace]] = {
    "adaboost": {
        "n_estimators": [30, 50, 100],
        "learning_rate": NumericRange(0.1, 1.5, log=True),
    },
    "bagging": {
        "n_estimators": [30, 50],
        "max_samples": NumericRange(0.3, 1.0),
        "max_features": NumericRange(0.4, 1.0),
    },
    "blend": {"nets": [1, 2, 3, 4], "rounds": [50, 100, 150, 250]},
    "cnn": {
        "filters": [[32, 64], [48, 64, 96, 96], [64, 96, 128, 128]],
        "joined": [64, 128, 256],
        "dropout": [0.1, 0.2, 0.35, 0.5],
        "rate": NumericRange(0.001, 0.01, log=True),
        "members": [1, 2, 4],
    },
    "extra_trees": {
        "n_estimators": [100, 150],
        "min_samples_leaf": [1, 2, 3, 5, 10],
        "max_features": [0.3, 0.5, 0.8],
    },
    "gradient_boosting": {
        "learning_rate": NumericRange(0.03, 0.3, log=True),
        "max_iter": [100, 150, 300],
        "max_leaf_nodes": [7, 15, 31],
        "min_samples_leaf": [5, 20, 50],
        "l2_regularization": NumericRange(0.1, 100.0, log=True),
    },
    "knn": {
        "n_neighbors": NumericRange(3, 100, log=True),
        "weights": ["uniform", "distance"],
        "prior": NumericRange(0.1, 10.0, log=True),
    },
    "logistic": _LOGISTIC,
    "mlp": {
        "hidden": [[128], [256, 128], [512, 256]],
        "dropout": [0.1, 0.2, 0.35, 0.5],
        "decay": NumericRange(0.003, 0.3, log=True),
        "rate": NumericRange(0.001, 0.01, log=True),
        "smoothing": [0.0, 0.05, 0.1],
        "members": [1, 2, 4],
    },
    "naive_bayes": {"var_smoothing": NumericRange(1e-6, 1.0, log=True)},
    "random_forest": {
        "n_estimators": [100, 200],
        "max_depth": [6, 10, 16, None],
        "min_samples_leaf": [1, 3, 5, 10],
        "max_features": ["sqrt", 0.3, 0.5],
    },
    "svm": {"C": NumericRange(0.1, 50.0, log=True), "gamma": ["scale", 0.01, 0.03, 0.1]},
    "tree": {
        "max_depth": [4, 6, 8, 12, 20, None],
        "min_samples_leaf": [5, 10, 20, 50, 100],
        "criterion": ["gini", "entropy"],
    },
    "voting": {"logistic__C": _LOGISTIC["C"]},
}
"""What to vary where nobody says; an estimator that is not here needs a file."""


def default_space(estimator: str) -> SearchSpace:
    """Return the default space of an estimator; raise `BadTrainingConfig` where there is none."""
    if estimator not in DEFAULT_SPACES:
        raise BadTrainingConfig(
            f"There is no default space for {estimator}: write one, as in "
            "`C = { low = 0.01, high = 10.0, log = true }`, and name it with --space."
        )
    return DEFAULT_SPACES[estimator]


def read_space(file: Path) -> SearchSpace:
    """Return the space of a TOML or JSON file; raise `BadTrainingConfig` with what is wrong in it."""
    try:
        text = file.read_text(encoding="utf-8")
        told = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise BadTrainingConfig(f"{file} cannot be read as a space: {said}.") from error
    if not isinstance(told, dict) or not told:
        raise BadTrainingConfig(f"{file} holds no parameter: write `name = [value, …]` into it.")
    return {name: _parsed(name, value) for name, value in told.items()}


def space_as_json(space: SearchSpace) -> dict[str, Any]:
    """Return a space as a file has it."""
    return {
        name: values.as_json() if isinstance(values, NumericRange) else list(values)
        for name, values in sorted(space.items())
    }


def sample_points(space: SearchSpace, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield up to `count` different points of the space, the same ones for the same seed."""
    most = _points(space)
    sampler = ParameterSampler(
        {name: _values(values) for name, values in sorted(space.items())},
        count if most is None else min(count, most),
        random_state=seed,
    )
    seen = set()
    for point in sampler:
        told = json.dumps(point, sort_keys=True)
        if told not in seen:  # whole numbers out of a narrow range come up again
            seen.add(told)
            yield point


def grid_points(space: SearchSpace) -> Iterator[dict[str, Any]]:
    """Yield all points of the space; raise `BadTrainingConfig` for a range, which has no end of them."""
    lists: dict[str, list[Any]] = {}
    for name, values in sorted(space.items()):
        if isinstance(values, NumericRange):
            raise BadTrainingConfig(
                f"The exhaustive search needs a list of values for {name!r}: a range has no end."
            )
        lists[name] = list(values)
    yield from ParameterGrid(lists)


def _points(space: SearchSpace) -> int | None:
    """Return how many points there are; None where a range has more than can be counted."""
    sizes = [
        None if isinstance(values, NumericRange) else len(values) for values in space.values()
    ]
    return None if None in sizes else prod(size for size in sizes if size is not None)


def _values(values: Sequence[Any] | NumericRange) -> Any:
    return values if isinstance(values, NumericRange) else list(values)


def _parsed(name: str, value: Any) -> Sequence[Any] | NumericRange:
    if isinstance(value, list) and value:
        return [None if one == "none" else one for one in value]
    if isinstance(value, dict) and {"low", "high"} <= value.keys() <= _RANGE:
        return _range(name, value["low"], value["high"], log=value.get("log", False) is True)
    raise BadTrainingConfig(
        f"{name!r} is neither a list of values nor a range: write `{name} = [1, 2]` or "
        f"`{name} = {{ low = 1, high = 10, log = true }}`."
    )


def _range(name: str, low: Any, high: Any, *, log: bool) -> NumericRange:
    numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in (low, high)
    )
    if not numbers or not low < high:
        raise BadTrainingConfig(f"The range of {name!r} needs two numbers, `low` below `high`.")
    if log and low <= 0:
        raise BadTrainingConfig(
            f"The range of {name!r} is over orders of magnitude: `low` above 0."
        )
    return NumericRange(low, high, log)
