"""skops, imported without torch and dask.

To list the estimators of scikit-learn, skops imports every package of scikit-learn, also those
that adapt other array libraries. Where torch is installed, this takes seconds in every process
that loads a model.
"""

import sys
from importlib import import_module
from typing import Any, Final

_ADAPTERS: Final = (
    "sklearn.externals.array_api_compat.dask",
    "sklearn.externals.array_api_compat.torch",
)


def _import_skops() -> Any:
    """Import `skops.io` as if the adapters did not exist; later they can be imported."""
    absent = [name for name in _ADAPTERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: not to be found
    try:
        return import_module("skops.io")
    finally:
        for name in absent:
            del sys.modules[name]


skops_io: Final = _import_skops()
