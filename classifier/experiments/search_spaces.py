"""Hyperparameter search spaces of `tune`: a default per estimator, or one from a file.

A parameter is a list of values, or a range: `low` and `high`, both included; `log = true` samples
it on a logarithmic scale; integers if both bounds are. In TOML, `"none"` means None.
"""

import json
import math
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sklearn.model_selection import ParameterGrid

from classifier.errors import BadTrainingConfig
from classifier.settings import ESTIMATORS_GROUP
from genrebase.errors import as_clause
from genrebase.runtime import plugins

if TYPE_CHECKING:
    from optuna import Trial

_DIGITS: Final = 4
"""Significant digits of a sampled number: more make no difference, and have to be typed again."""


@dataclass(frozen=True, slots=True)
class NumericRange:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False


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
    "blend": {"n_networks": [1, 2, 3, 4], "n_rounds": [50, 100, 150, 250]},
    "cnn": {
        "filters": [[32, 64], [48, 64, 96, 96], [64, 96, 128, 128]],
        "fusion_units": [64, 128, 256],
        "dropout": [0.1, 0.2, 0.35, 0.5],
        "learning_rate": NumericRange(0.001, 0.01, log=True),
        "n_networks": [1, 2, 4],
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
        "hidden_layer_sizes": [[128], [256, 128], [512, 256]],
        "dropout": [0.1, 0.2, 0.35, 0.5],
        "weight_decay": NumericRange(0.003, 0.3, log=True),
        "learning_rate": NumericRange(0.001, 0.01, log=True),
        "label_smoothing": [0.0, 0.05, 0.1],
        "n_networks": [1, 2, 4],
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
"""An estimator without an entry may have its own (`default_space`)."""

SPACE_ATTRIBUTE: Final = "SEARCH_SPACE"
"""The name under which the module of a registered estimator keeps its space, written as in a file:
`SEARCH_SPACE = {"C": {"low": 0.01, "high": 10.0, "log": True}}`."""


def default_space(estimator: str) -> SearchSpace:
    """Return the default space of an estimator; raise `BadTrainingConfig` without one.

    It is that of `DEFAULT_SPACES`, or `SEARCH_SPACE` of the module that registers the estimator.
    """
    if estimator in DEFAULT_SPACES:
        return DEFAULT_SPACES[estimator]
    plugins.load(ESTIMATORS_GROUP, estimator)
    module, _, _ = plugins.registered_targets(ESTIMATORS_GROUP)[estimator].partition(":")
    own = getattr(sys.modules[module], SPACE_ATTRIBUTE, None)
    if own is None:
        raise BadTrainingConfig(
            f"There is no default search space for {estimator}: write one, such as "
            "`C = { low = 0.01, high = 10.0, log = true }`, and name the file with --space."
        )
    return {name: _parse(name, value) for name, value in own.items()}


def read_space(file: Path) -> SearchSpace:
    """Read a TOML or JSON file; raise `BadTrainingConfig` if it holds no search space."""
    try:
        text = file.read_text(encoding="utf-8")
        content = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadTrainingConfig(
            f"{file} cannot be read as a search space: {as_clause(reason)}."
        ) from error
    if not isinstance(content, dict) or not content:
        raise BadTrainingConfig(f"{file} holds no parameter: write `name = [value, …]` into it.")
    return {name: _parse(name, value) for name, value in content.items()}


def space_as_json(space: SearchSpace) -> dict[str, Any]:
    """Return a space as a file contains it."""
    return {
        name: asdict(values) if isinstance(values, NumericRange) else list(values)
        for name, values in sorted(space.items())
    }


def suggest(trial: "Trial", space: SearchSpace) -> dict[str, Any]:
    """Return the point of the space that Optuna suggests for a trial."""
    return {name: _suggest(trial, name, values) for name, values in sorted(space.items())}


def grid_points(space: SearchSpace) -> Iterator[dict[str, Any]]:
    """Yield all points of the space; raise `BadTrainingConfig` for a range, which is infinite."""
    lists: dict[str, list[Any]] = {}
    for name, values in sorted(space.items()):
        if isinstance(values, NumericRange):
            raise BadTrainingConfig(
                f"The exhaustive search needs a list of values for {name!r}: a range is infinite."
            )
        lists[name] = list(values)
    yield from ParameterGrid(lists)


def n_points(space: SearchSpace) -> float:
    """Return the number of points; infinity for a space with a range."""
    return prod(
        float("inf") if isinstance(values, NumericRange) else len(values)
        for values in space.values()
    )


def _suggest(trial: "Trial", name: str, values: Sequence[Any] | NumericRange) -> Any:
    if not isinstance(values, NumericRange):
        # Optuna takes scalars only, and some choices are lists
        return json.loads(trial.suggest_categorical(name, [json.dumps(one) for one in values]))
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, log=values.log)
    value = trial.suggest_float(name, values.low, values.high, log=values.log)
    return float(f"{value:.{_DIGITS}g}")


def _parse(name: str, value: Any) -> Sequence[Any] | NumericRange:
    if isinstance(value, list) and value:
        if not all(math.isfinite(one) for one in value if isinstance(one, float)):
            raise BadTrainingConfig(
                f"{name!r} has a value that is no finite number: leave it out."
            )
        return [None if one == "none" else one for one in value]
    if isinstance(value, dict) and {"low", "high"} <= value.keys() <= {"low", "high", "log"}:
        return _parse_range(name, value["low"], value["high"], value.get("log", False) is True)
    raise BadTrainingConfig(
        f"{name!r} is neither a list of values nor a range: write `{name} = [1, 2]` or "
        f"`{name} = {{ low = 1, high = 10, log = true }}`."
    )


def _parse_range(name: str, low: Any, high: Any, log: bool) -> NumericRange:
    numeric = all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in (low, high)
    )
    if not numeric or not -math.inf < low < high < math.inf:
        raise BadTrainingConfig(f"The range of {name!r} needs two numbers, `low` below `high`.")
    if log and low <= 0:
        raise BadTrainingConfig(f"The range of {name!r} is logarithmic: `low` must be above 0.")
    return NumericRange(low, high, log)
