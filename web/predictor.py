"""Predict described tracks: the champion is loaded once, and replaced when there is another."""

from threading import Lock

from sqlalchemy import Engine

from classifier.records import TrackPrediction
from classifier.registry import stored_models
from classifier.serving.hidden_inputs import HiddenPrediction
from classifier.serving.predict import DescriptionPredictor, TrackDescription


class Predictor:
    """Predicts one track at a time; safe for threads."""

    def __init__(self, engine: Engine, task: str = "main") -> None:
        self._engine, self._task = engine, task
        self._lock = Lock()
        self._loaded: tuple[tuple[int, int], DescriptionPredictor] | None = None

    def predict(self, track: TrackDescription) -> TrackPrediction:
        """Return the prediction of the champion's refit, or of the champion.

        Raises `NoChampion`, `BrokenArtifact`.
        """
        with self._lock:
            return self._current().predict(track)

    def explain(self, track: str) -> list[HiddenPrediction]:
        """Return the champion's predictions for a stored track with groups of inputs hidden.

        Raises `NoChampion`, `BrokenArtifact`, `UnknownTrack`, `TrainedOnTrack`.
        """
        with self._lock:
            return self._current().explain(track)

    def _current(self) -> DescriptionPredictor:
        """Return the predictor of the present champion and refit, loaded if it is another."""
        champion = stored_models.champion(self._engine, self._task)
        refits = (
            model.id
            for model in stored_models.models(self._engine, self._task)
            if model.status == "refit" and model.parent_id == champion.id
        )
        key = champion.id, max(refits, default=0)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = key, DescriptionPredictor(self._engine, self._task)
        return self._loaded[1]
