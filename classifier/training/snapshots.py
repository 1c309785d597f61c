"""Frozen rows in a folder: exactly what a training learned from, so that figures can be repeated.

`manifest.json` says what was asked, by which versions, and the SHA-256 of every file beside it.
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
from numpy.typing import NDArray

from classifier.data import training_data as selecting
from classifier.data.dataset import RawDataset
from classifier.data.genre_mapping import DEFAULT_MAPPING
from classifier.data.training_data import SplitDataset
from classifier.errors import BadSnapshot
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SPOTIFY_TERMS: Final = (
    "Spotify's Developer Terms forbid training models on Spotify content and passing it on: "
    "publish rows of that origin by their ids only (--ids-only)."
)
_FRAMES: Final = ("tracks", "credits", "sighted")


@dataclass(frozen=True, slots=True)
class TrainingSnapshot:
    """A snapshot as it was read."""

    name: str
    dataset: RawDataset
    config: TrainingConfig
    """What was asked when it was made."""
    manifest: Mapping[str, Any]

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the manifest, which holds those of all files."""
        text = json.dumps(self.manifest, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, str]:
        """Return what a model says of the snapshot it learned from."""
        return {"name": self.name, "sha256": self.checksum}


def write(
    folder: Path,
    found: RawDataset,
    selection: SplitDataset,
    choice: TrainingConfig,
    at: datetime,
    *,
    spotify_ids: "pd.Series[str] | None" = None,
) -> dict[str, Any]:
    """Write the rows of `selection` into a new folder, whole or not at all; return its manifest.

    With `spotify_ids` (by track) nothing but ids, folds and sides is written.
    Raise `BadSnapshot` where something is there already.
    """
    _check_free(folder)
    if spotify_ids is None:
        frames = _frames(found, selection)
    else:
        frames = {"ids": _ids(selection, spotify_ids)}
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            files = {}
            for name, frame in frames.items():
                file = made / f"{name}.parquet"
                frame.to_parquet(file, index=False)
                files[file.name] = _described(file, frame)
            manifest = _manifest(found, selection, choice, at, files, ids_only=len(frames) == 1)
            text = json.dumps(manifest, ensure_ascii=False, indent=1)
            (made / MANIFEST).write_text(text + "\n", encoding="utf-8")
            made.chmod(0o755)
            made.rename(folder)  # fails where a folder with files came up meanwhile
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise BadSnapshot(f"{folder} cannot be written: {error.strerror or error}.") from error
    return manifest


def read(folder: Path) -> TrainingSnapshot:
    """Return a snapshot, every file checked; raise `BadSnapshot` with what is wrong."""
    manifest = _read_manifest(folder)
    if manifest["ids_only"]:
        raise BadSnapshot(
            f"{folder} holds ids only: bring these tracks into a database with `collector add`, "
            "their genres with `collector label`, and train on that."
        )
    frames = {name: _read_frame(folder, f"{name}.parquet", manifest) for name in _FRAMES}
    found = RawDataset(
        frames["tracks"],
        frames["credits"],
        frames["sighted"],
        manifest["genres"],
        manifest["origin"],
        manifest["mappings"],
    )
    return TrainingSnapshot(
        folder.name, found, TrainingConfig.from_json(manifest["choice"]), manifest
    )


def _check_free(folder: Path) -> None:
    if folder.exists():
        raise BadSnapshot(f"{folder} is there already and stays as it is: name another folder.")
    if not folder.parent.is_dir():
        raise BadSnapshot(f"There is no folder {folder.parent}.")


def _frames(found: RawDataset, selection: SplitDataset) -> dict[str, pd.DataFrame]:
    """Return the rows in play, as they stand in the database: a mapping is applied in reading."""
    ids = selection.ids[selection.in_task]
    return {
        name: frame[_of(frame, ids)].reset_index(drop=True)
        for name, frame in zip(
            _FRAMES, (found.tracks, found.credits, found.sightings), strict=True
        )
    }


def _of(frame: pd.DataFrame, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.isin(frame["track_id"].to_numpy(dtype=np.int64), ids)


def _ids(selection: SplitDataset, spotify_ids: "pd.Series[str]") -> pd.DataFrame:
    rows = selection.tracks.loc[selection.in_task, ["track_id", "track_fold", "side"]]
    known = rows.assign(spotify_id=rows["track_id"].map(spotify_ids).astype("string"))
    return known.dropna(subset=["spotify_id"])[["spotify_id", "track_fold", "side"]].sort_values(
        "spotify_id"
    )


def _described(file: Path, frame: pd.DataFrame) -> dict[str, Any]:
    return {
        "sha256": _sha256(file),
        "bytes": file.stat().st_size,
        "rows": len(frame),
        "columns": {str(name): str(dtype) for name, dtype in frame.dtypes.items()},
    }


def _manifest(
    found: RawDataset,
    selection: SplitDataset,
    choice: TrainingConfig,
    at: datetime,
    files: Mapping[str, Any],
    *,
    ids_only: bool,
) -> dict[str, Any]:
    mapping = choice.mapping or DEFAULT_MAPPING
    labels, counts = np.unique(selection.labels[selection.in_task], return_counts=True)
    return {
        "format": FORMAT,
        "created_at": at.isoformat(),
        "ids_only": ids_only,
        "choice": choice.as_full_json(),
        "fingerprint": selecting.fingerprint(selection),
        "files": dict(files),
        "genres": {} if ids_only else dict(found.genre_ids),
        "tracks_per_genre": {}
        if ids_only
        else dict(zip(labels.tolist(), counts.tolist(), strict=True)),
        "mappings": {mapping: dict(found.mappings[mapping])}
        if mapping in found.mappings and not ids_only
        else {},
        "origin": found.origin,
        "versions": artifacts.versions(),
        "terms": SPOTIFY_TERMS,
    }


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSnapshot(
            f"{folder} is no snapshot: its {MANIFEST} cannot be read "
            f"({getattr(error, 'strerror', None) or error})."
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadSnapshot(
            f"{folder} is no snapshot of format {FORMAT}: it was made by another version."
        )
    return manifest


def _read_frame(folder: Path, name: str, manifest: Mapping[str, Any]) -> pd.DataFrame:
    described = manifest["files"][name]
    file = folder / name
    try:
        if _sha256(file) != described["sha256"]:
            raise BadSnapshot(
                f"{file} is not the file that was frozen: its SHA-256 differs from the "
                f"manifest's. Fetch the snapshot again."
            )
        frame = pd.read_parquet(file)
    except OSError as error:
        raise BadSnapshot(f"{file} cannot be read: {error.strerror or error}.") from error
    return frame.astype(described["columns"])


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
