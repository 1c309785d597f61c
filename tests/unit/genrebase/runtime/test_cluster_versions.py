"""Versions that scheduler, workers and client of a cluster have in common."""

import pytest

from genrebase.runtime.cluster_versions import COMPARED, code_fingerprint, describe_difference

OURS = dict.fromkeys(COMPARED, "1.2")


def test_equal_versions_differ_in_nothing() -> None:
    """Packages that are not compared may differ."""
    assert describe_difference(OURS, {**OURS, "tornado": "9"}) is None


@pytest.mark.parametrize("package", ["python", "dask", "genrebase", "scikit-learn"])
def test_another_version_is_named(package: str) -> None:
    """Both versions are in the sentence."""
    text = describe_difference(OURS, {**OURS, package: "1.3"})
    assert text == f"{package} 1.3, and this command {package} 1.2"


def test_a_missing_package_is_named() -> None:
    """A worker without Genrebase can run nothing."""
    theirs = {name: version for name, version in OURS.items() if name != "genrebase"}
    assert describe_difference(OURS, theirs) == "no genrebase, and this command genrebase 1.2"


def test_the_code_has_a_fingerprint() -> None:
    """It is that of the source files."""
    assert len(code_fingerprint()) == 64
