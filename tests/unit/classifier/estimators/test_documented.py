"""What `docs/estimators.md` says."""

import re
from pathlib import Path
from typing import Any

import pytest

from classifier import estimators
from classifier.estimators import voting
from classifier.estimators.dataframe_classifier import DataFrameClassifier
from classifier.estimators.preprocessing import Preprocessor
from classifier.training_config import TrainingConfig
from tests.deep import each

PAGE = Path(__file__).parents[4] / "docs" / "estimators.md"


def rows() -> dict[str, list[str]]:
    """Return the table's cells by estimator."""
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in found}


def test_every_estimator_is_documented() -> None:
    """And nothing that is not there."""
    assert sorted(rows()) == estimators.names()


@pytest.mark.parametrize("name", each(estimators.names()))
def test_defaults_are_those_of_the_code(name: str) -> None:
    """Parameters, scale, and what is done about gaps."""
    _, defaults, scale, gaps = rows()[name]
    model: Any = estimators.build(TrainingConfig(estimator=name), threads=1)
    known = {**model.get_params(), "member": voting.DEFAULT_MEMBER}
    for param, told in re.findall(r"`(\w+)=([^`]+)`", defaults):
        (value,) = {str(one) for full, one in known.items() if full.split("__")[-1] == param}
        assert value == told, param
    if isinstance(model, DataFrameClassifier) and isinstance(model.features, Preprocessor):
        assert scale == model.features.scaling
        assert gaps == ("filled" if model.features.complete else "taken")
