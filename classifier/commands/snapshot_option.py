"""The option `--snapshot`: frozen rows in the place of the database's."""

from pathlib import Path
from typing import TYPE_CHECKING

from classifier import bootstrap
from classifier.records import TrainingConfig

if TYPE_CHECKING:
    from classifier.training.snapshots import TrainingSnapshot


def load_snapshot_option(
    folder: Path | None, told: TrainingConfig
) -> "tuple[TrainingSnapshot | None, TrainingConfig]":
    """Return the snapshot and what to ask of it: what it was made for, but for what is told.

    Without a folder there is none, and what is told stands.
    """
    if folder is None:
        return None, told
    from classifier.training import snapshots  # this brings pandas: --help need not wait

    frozen = snapshots.read(folder)
    default = bootstrap.training_config(bootstrap.load_settings())
    return frozen, snapshots.merge_config(frozen.config, told, default)
