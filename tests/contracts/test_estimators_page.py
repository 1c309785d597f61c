"""The table of `docs/estimators.md` agrees with the code."""

import re
from pathlib import Path
from typing import Any

import pytest

from classifier import estimators
from classifier.estimators import voting
from classifier.estimators.dataframe_classifier import DataFrameClassifier
from classifier.estimators.preprocessing import Preprocessor
from classifier.training_config import TrainingConfig
from tests.deep_estimators import each

PAGE = Path(__file__).parents[2] / "docs" / "estimators.md"


def rows() -> dict[str, list[str]]:
    """Return the table's cells by estimator."""
    matches = re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in matches}


def test_every_estimator_is_documented() -> None:
    """And no other."""
    assert sorted(rows()) == estimators.names()


@pytest.mark.parametrize("name", each(estimators.names()))
def test_defaults_are_those_of_the_code(name: str) -> None:
    """Parameters, scaling and treatment of missing values."""
    _, defaults, scaling, missing = rows()[name]
    model: Any = estimators.build(TrainingConfig(estimator=name), threads=1)
    existing = {**model.get_params(), "member": voting.DEFAULT_MEMBER}
    for param, documented in re.findall(r"`(\w+)=([^`]+)`", defaults):
        (value,) = {str(one) for full, one in existing.items() if full.split("__")[-1] == param}
        assert value == documented, param
    if isinstance(model, DataFrameClassifier) and isinstance(model.features, Preprocessor):
        assert scaling == model.features.scaling
        assert missing == ("imputed" if model.features.impute else "native")
