"""Parameters of the estimators that take longest, for tests that do not depend on their size."""

from typing import Any, Final

SMALL: Final[dict[str, dict[str, Any]]] = {
    "adaboost": {"n_estimators": 10},
    "bagging": {"n_estimators": 10},
    "blend": {"n_networks": 1, "n_rounds": 5},
    "extra_trees": {"n_estimators": 20},
    "gradient_boosting": {"max_iter": 20},
    "random_forest": {"n_estimators": 20},
}
