"""Predict the genres of audio files, whether they are in the database or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.data import audio_joins
from classifier.data.dataset import Database
from classifier.model_records import TrackPrediction
from classifier.serving.predict_track import DescriptionPredictor
from genrebase.audio import scan
from genrebase.audio.model_manifest import AudioModel, UnusableModel
from genrebase.audio.records import AudioAnalysis, ExtractionPlan
from genrebase.errors import GenrebaseError
from genrebase.progress import ProgressCallback, no_progress
from genrebase.runtime import audio_models


@dataclass(frozen=True, slots=True)
class AudioPredictions:
    """The predictions for some files."""

    predictions: tuple[tuple[str, TrackPrediction], ...]
    """(file, prediction), in the order of the files."""
    unreadable: tuple[tuple[str, str], ...]
    """(file, reason)."""
    uses_audio: bool
    """Whether the model was trained on features that are extracted from files."""
    remarks: tuple[tuple[str, str], ...] = ()
    """(file, what was lost or corrected when it was decoded)."""

    def as_json(self) -> dict[str, Any]:
        """Return the document of `predict --audio FOLDER --json`."""
        return {
            "answers": [
                {"file": file, **prediction.as_json()} for file, prediction in self.predictions
            ],
            "unreadable": [{"file": file, "reason": reason} for file, reason in self.unreadable],
            "remarks": [{"file": file, "remark": remark} for file, remark in self.remarks],
        }


def predict_files(
    database: Database,
    path: Path,
    *,
    task: str = "main",
    workers: int = 1,
    progress: ProgressCallback = no_progress,
) -> AudioPredictions:
    """Extract features from a file, or from all in a folder, and predict; store nothing.

    A sound that is in the database gets the prediction of its track. Raises `UserError` without
    the extra `audio` or without such a file, `NothingToDo` for a folder without audio files,
    `NoChampion`, and `GenrebaseError` if `path` is a file that cannot be decoded. `progress`
    counts files.
    """
    scan.require_libraries()
    from classifier.serving import audio_features  # librosa, of the extra, takes seconds to import
    from genrebase.audio.workers import analyse_files

    audio = scan.find_audio_files(path)
    files = audio.files
    predictor = DescriptionPredictor(database, task)
    predictions = []
    remarks: list[tuple[str, str]] = []
    unreadable = [(problem.path, problem.reason) for problem in audio.unreadable]
    n_workers = max(1, min(workers, len(files)))
    models = find_networks(database, predictor.descriptor_sets)
    plan = ExtractionPlan(models=tuple((model, frozenset()) for model in models))
    analyses = analyse_files(files, n_workers, plan, lambda: False)
    for done, (file, analysis) in enumerate(analyses, start=1):
        name = scan.display_path(path / file.relative_path if path.is_dir() else path)
        if isinstance(analysis, AudioAnalysis):
            track = audio_features.describe(scan.name_text(file.path.stem), analysis, models)
            predictions.append((name, predictor.predict_file(analysis.digest, track)))
            remarks += [(name, remark) for remark in analysis.remarks]
        else:
            unreadable.append((name, analysis.reason))
        progress(done, len(files))
    if path.is_file() and unreadable:
        raise GenrebaseError(f"{unreadable[0][0]}: {unreadable[0][1]}.")
    return AudioPredictions(
        tuple(predictions), tuple(unreadable), predictor.uses_audio or bool(models), tuple(remarks)
    )


def find_networks(database: Database, sets: Sequence[str]) -> tuple[AudioModel, ...]:
    """Return the pre-trained networks that compute these descriptor sets, those that one computes.

    Raise `UnusableModel` if one of them is missing here.
    """
    from genrebase.audio import descriptors  # librosa

    own = (descriptors.SCHEMA_NAME, descriptors.FMA_SCHEMA_NAME)
    others = [name for name in sets if name not in own]
    models = audio_models.find_sets(others)
    computed = {model.manifest.set for model in models}
    missing = audio_joins.sets_of_files(database, set(others) - computed)
    if missing:
        raise UnusableModel(
            f"The model was trained on the descriptor set {', '.join(missing)}, which no network "
            "of GENREBASE_AUDIO_MODELS computes: put the network and its manifest there."
        )
    audio_models.check_models(models)
    return models
