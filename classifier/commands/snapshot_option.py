"""The option `--snapshot`: frozen rows in the place of the database's."""

from pathlib import Path
from typing import TYPE_CHECKING

from classifier import bootstrap
from classifier.records import Choice

if TYPE_CHECKING:
    from classifier.training.snapshots import Frozen


def thawed(folder: Path | None, told: Choice) -> "tuple[Frozen | None, Choice]":
    """Return the snapshot and what to ask of it: what it was made for, but for what is told.

    Without a folder there is none, and what is told stands.
    """
    if folder is None:
        return None, told
    from classifier.training import snapshots  # this brings pandas: --help need not wait

    frozen = snapshots.read(folder)
    default = bootstrap.choice(bootstrap.load_settings())
    return frozen, snapshots.merged(frozen.choice, told, default)
