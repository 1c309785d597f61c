"""What scheduler, workers and client of a cluster must have in the same version. Pure."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

COMPARED: Final = (
    *("python", "dask", "distributed", "genrebase"),
    *("numpy", "pandas", "scikit-learn", "scipy"),
)
"""Results depend on these."""
_PACKAGES: Final = ("genrebase", "collector", "classifier")


@lru_cache(1)
def code_fingerprint() -> str:
    """Return a hash of the source code of this installation."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for file in sorted(Path(folder).rglob("*.py")):
                digest.update(f"{package}/{file.relative_to(folder).as_posix()}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def describe_difference(
    ours: Mapping[str, str | None], theirs: Mapping[str, str | None]
) -> str | None:
    """Return the first package whose version differs, in words; None if none does."""
    for package in COMPARED:
        if theirs.get(package) != ours.get(package):
            other = theirs.get(package)
            installed = f"no {package}" if other is None else f"{package} {other}"
            return f"{installed}, and this command {package} {ours.get(package)}"
    return None
