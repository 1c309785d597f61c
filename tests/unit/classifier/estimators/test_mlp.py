"""Deep models without their libraries."""

import sys

import pytest

from classifier import estimators
from classifier.errors import MissingExtra
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from tests.deep import DEEP


@pytest.mark.parametrize("name", DEEP)
def test_who_lacks_torch_is_told_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"torch.*pip install 'genrebase\[deep\]'"):
        estimators.build(TrainingConfig(estimator=name), threads=1)


def test_a_blend_with_networks_needs_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where it is asked for them: the default is made without."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match="torch"):
        estimators.build(TrainingConfig(estimator="blend", params={"deep": True}), threads=1)
    assert "torch" not in artifacts.versions(estimators.build(TrainingConfig(), threads=1))


def test_the_libraries_of_an_estimator_are_among_the_versions() -> None:
    """One that is not here is named so, and others pay nothing."""

    class Asking:
        libraries = ("no-such-library",)

    found = artifacts.versions(Asking())  # type: ignore[arg-type]  # the rest is not looked at
    assert found.pop("no-such-library") == artifacts.NOT_INSTALLED
    assert found == artifacts.versions()
