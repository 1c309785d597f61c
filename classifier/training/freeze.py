"""Freeze what a training would learn from into a folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.data import audio_joins, dataset
from classifier.data import training_data as selecting
from classifier.data.dataset import Database
from classifier.training import snapshots
from classifier.training_config import TrainingConfig
from genrebase.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """What was written."""

    manifest: Mapping[str, Any]
    tracks_without_id: int = 0
    """Tracks left out for want of a Spotify id; of all rows none is."""


def run(
    database: Database,
    choice: TrainingConfig,
    folder: Path,
    clock: Clock,
    *,
    ids_only: bool = False,
) -> SnapshotResult:
    """Write the rows that `choice` asks for into a new folder.

    Raise `BadSnapshot` where something is there already, `TooFewTracks` or `BadChoice` where
    nothing could be learned.
    """
    choice = audio_joins.resolve_features(database, choice)
    found = dataset.load_dataset(database, choice)
    selection = selecting.split_dataset(found, choice)
    if not ids_only:
        return SnapshotResult(snapshots.write(folder, found, selection, choice, clock.now()))
    rows = dataset.read_view("tracks", database, columns=("track_id", "spotify_id"))
    ids = rows.dropna().set_index("track_id")["spotify_id"]
    manifest = snapshots.write(folder, found, selection, choice, clock.now(), spotify_ids=ids)
    written = sum(file["rows"] for file in manifest["files"].values())
    return SnapshotResult(manifest, int(selection.in_task.sum()) - written)
