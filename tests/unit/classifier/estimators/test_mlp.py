"""Deep models without their libraries."""

import sys

import pytest

from classifier import artifacts, estimators
from classifier.errors import MissingExtra
from classifier.records import Choice
from tests.deep import DEEP


@pytest.mark.parametrize("name", DEEP)
def test_who_lacks_torch_is_told_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"torch.*pip install 'genrebase\[deep\]'"):
        estimators.build(Choice(estimator=name), threads=1)


def test_the_libraries_of_an_estimator_are_among_the_versions() -> None:
    """One that is not here is named so, and others pay nothing."""

    class Asking:
        libraries = ("no-such-library",)

    found = artifacts.versions(Asking())  # type: ignore[arg-type]  # the rest is not looked at
    assert found.pop("no-such-library") == artifacts.NOT_INSTALLED
    assert found == artifacts.versions()
