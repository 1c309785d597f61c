"""Deep models without their libraries."""

import sys

import pytest

from classifier import estimators
from classifier.errors import MissingExtra
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from tests.deep_estimators import DEEP


@pytest.mark.parametrize("name", DEEP)
def test_without_torch_the_message_names_the_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any data is read."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"torch.*pip install .* -e '\.\[deep\]'"):
        estimators.build(TrainingConfig(estimator=name), threads=1)


def test_a_blend_with_networks_needs_the_extra_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with `deep=true`: the default works without."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match="torch"):
        estimators.build(TrainingConfig(estimator="blend", params={"deep": True}), threads=1)
    assert "torch" not in artifacts.versions(estimators.build(TrainingConfig(), threads=1))


def test_the_libraries_of_an_estimator_are_among_the_versions() -> None:
    """A missing one is marked as such; other estimators need none."""

    class Asking:
        libraries = ("no-such-library",)

    result = artifacts.versions(Asking())  # type: ignore[arg-type]  # the rest is not looked at
    assert result.pop("no-such-library") == artifacts.NOT_INSTALLED
    assert result == artifacts.versions()
