"""Estimators that need torch: their tests run with `make test-deep`."""

from collections.abc import Iterable
from typing import Any

import pytest

DEEP = ("cnn", "mlp")


def each(names: Iterable[str]) -> list[Any]:
    """Return the names as parameters of a test, the deep ones marked."""
    return [pytest.param(name, marks=pytest.mark.deep) if name in DEEP else name for name in names]
