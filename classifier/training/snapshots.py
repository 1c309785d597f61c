"""Write and read training snapshots: the rows of a training in a folder, to reproduce its metrics.

`manifest.json` has the config, the versions, and the SHA-256 of every other file.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier import licence_terms
from classifier.data import audio_joins, dataset, regimes, training_data
from classifier.data.dataset import Database
from classifier.data.genre_mapping import DEFAULT_MAPPING
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import SplitDataset
from classifier.data_sources import TrainingSources
from classifier.registry import artifacts
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.runtime.clock import Clock

FORMAT: Final = 2
MANIFEST: Final = "manifest.json"
_FRAMES: Final = ("tracks", "credits", "sighted")


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """A snapshot that was written."""

    manifest: Mapping[str, Any]
    tracks_without_id: int = 0
    """Tracks left out because they have no Spotify id, with `--ids-only`."""


@dataclass(frozen=True, slots=True)
class TrainingSnapshot:
    """A snapshot that was read."""

    name: str
    dataset: RawDataset
    config: TrainingConfig
    """The config that it was made with."""
    manifest: Mapping[str, Any]

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the manifest, which contains those of all files."""
        text = json.dumps(self.manifest, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, str]:
        """Return how a model names the snapshot that it was trained on."""
        return {"name": self.name, "sha256": self.checksum}


def create(
    database: Database,
    config: TrainingConfig,
    folder: Path,
    clock: Clock,
    *,
    ids_only: bool = False,
) -> SnapshotResult:
    """Write the rows that a training by `config` would use into a new folder.

    Raise `UserError` if the folder exists, `TooFewTracks` or `BadTrainingConfig` if nothing
    could be trained.
    """
    config = audio_joins.resolve_features(database, config)
    data = dataset.load_dataset(database, config)
    split = training_data.split_dataset(data, config)
    if not ids_only:
        return SnapshotResult(write(folder, data, split, config, clock.now()))
    rows = dataset.read_view("tracks", database, columns=("track_id", "spotify_id"))
    spotify_ids = rows.dropna().set_index("track_id")["spotify_id"]
    manifest = write(folder, data, split, config, clock.now(), spotify_ids=spotify_ids)
    written = sum(file["rows"] for file in manifest["files"].values())
    return SnapshotResult(manifest, int(split.in_task.sum()) - written)


def write(
    folder: Path,
    data: RawDataset,
    split: SplitDataset,
    config: TrainingConfig,
    created_at: datetime,
    *,
    spotify_ids: "pd.Series[str] | None" = None,
) -> dict[str, Any]:
    """Write the rows of `split` into a new folder, all or nothing; return its manifest.

    With `spotify_ids` (by track) only ids, folds and sides are written.
    Raise `UserError` if the folder exists.
    """
    _check_free(folder)
    ids_only = spotify_ids is not None
    frames = _frames(data, split) if spotify_ids is None else {"ids": _ids(split, spotify_ids)}
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            files = {}
            for name, frame in frames.items():
                file = temporary / f"{name}.parquet"
                frame.to_parquet(file, index=False)
                files[file.name] = _describe_file(file, frame)
            manifest = _manifest(data, split, config, ids_only=ids_only)
            manifest |= {"created_at": created_at.isoformat(), "files": files}
            text = json.dumps(manifest, ensure_ascii=False, indent=1)
            (temporary / MANIFEST).write_text(text + "\n", encoding="utf-8")
            temporary.chmod(0o755)
            temporary.rename(folder)  # fails if a folder with files appeared meanwhile
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return manifest


def read(folder: Path) -> TrainingSnapshot:
    """Return a snapshot after checking every file; raise `UserError` for what is wrong."""
    manifest = _read_manifest(folder)
    if manifest["ids_only"]:
        raise UserError(
            f"{folder} contains ids only: add these tracks to a database by `collector add`, "
            "their genres with `collector label`, and train on that."
        )
    frames = {name: _read_frame(folder, f"{name}.parquet", manifest) for name in _FRAMES}
    config = TrainingConfig.from_json(manifest["choice"])
    data = RawDataset(
        frames["tracks"],
        frames["credits"],
        frames["sighted"],
        manifest["genres"],
        manifest["origin"],
        manifest["mappings"],
        (config.licence, config.min_level),
        TrainingSources.from_json(manifest["sources"]).left_out,
    )
    return TrainingSnapshot(folder.name, data, config, manifest)


def _check_free(folder: Path) -> None:
    if folder.exists():
        raise UserError(f"{folder} exists already and is left as it is: name another folder.")
    if not folder.parent.is_dir():
        raise UserError(f"There is no folder {folder.parent}.")


def _frames(data: RawDataset, split: SplitDataset) -> dict[str, pd.DataFrame]:
    """Return the rows of the task as the database has them: reading applies a mapping."""
    ids = split.ids[split.in_task]
    return {
        name: frame[np.isin(regimes.ids_of(frame), ids)].reset_index(drop=True)
        for name, frame in zip(_FRAMES, (data.tracks, data.credits, data.sightings), strict=True)
    }


def _ids(split: SplitDataset, spotify_ids: "pd.Series[str]") -> pd.DataFrame:
    rows = split.tracks.loc[split.in_task, ["track_id", "track_fold", "side"]]
    rows = rows.assign(spotify_id=rows["track_id"].map(spotify_ids).astype("string"))
    columns = ["spotify_id", "track_fold", "side"]
    return rows.dropna(subset=["spotify_id"])[columns].sort_values("spotify_id")


def _describe_file(file: Path, frame: pd.DataFrame) -> dict[str, Any]:
    return {
        "sha256": _sha256(file),
        "bytes": file.stat().st_size,
        "rows": len(frame),
        "columns": {str(name): str(dtype) for name, dtype in frame.dtypes.items()},
    }


def _manifest(
    data: RawDataset, split: SplitDataset, config: TrainingConfig, *, ids_only: bool
) -> dict[str, Any]:
    name = config.mapping or DEFAULT_MAPPING
    sources = split.sources
    labels, counts = np.unique(split.labels[split.in_task], return_counts=True)
    with_names: dict[str, Any] = {"genres": {}, "tracks_per_genre": {}, "mappings": {}}
    if not ids_only:
        with_names = {
            "genres": dict(data.genre_ids),
            "tracks_per_genre": dict(zip(labels.tolist(), counts.tolist(), strict=True)),
            "mappings": {name: dict(data.mappings[name])} if name in data.mappings else {},
        }
    return {
        "format": FORMAT,
        "created_at": None,
        "ids_only": ids_only,
        "choice": config.as_full_json(),
        "fingerprint": data_fingerprint(split),
        "files": {},
        **with_names,
        "origin": data.origin,
        "versions": artifacts.versions(),
        "sources": sources.as_json(),
        "terms": " ".join(licence_terms.publishing_paragraphs(sources)),
    }


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} is no snapshot: its {MANIFEST} cannot be read "
            f"({getattr(error, 'strerror', None) or error})."
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(
            f"{folder} is no snapshot of format {FORMAT}: it was made by another version. Make it "
            "again with `classifier snapshot`."
        )
    return manifest


def _read_frame(folder: Path, name: str, manifest: Mapping[str, Any]) -> pd.DataFrame:
    description = manifest["files"][name]
    file = folder / name
    try:
        if _sha256(file) != description["sha256"]:
            raise UserError(
                f"{file} was changed: its SHA-256 differs from the "
                f"manifest's. Fetch the snapshot again."
            )
        frame = pd.read_parquet(file)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}.") from error
    return frame.astype(description["columns"])


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
