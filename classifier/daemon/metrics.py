"""Health and Prometheus metrics of the trainer."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Final

from prometheus_client.core import Metric

from classifier.daemon import drift
from classifier.daemon.drift import Drift
from classifier.data import dataset
from classifier.errors import BrokenArtifact
from classifier.records import StoredModel
from classifier.registry import artifacts, stored_models
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime import jobs
from genrebase.runtime.monitoring import HealthStatus, HealthTarget, counter, gauge
from genrebase.store import Engine

_REGIMES: Final = ("seen_artist", "new_artist")


class TrainerHealth(HealthTarget):
    """The trainer's health and metrics."""

    monitored_jobs: ClassVar = ("train", "predict")

    def check(self) -> HealthStatus:
        """Check also that the champion's artifact has only types that this version loads."""
        status = super().check()
        champion = stored_models.find_champion(self.engine, DEFAULT_TASK) if status.ok else None
        if champion is None:
            return status
        reason = _unusable_reason(self.engine, champion.id)
        return status if reason is None else HealthStatus(ok=False, sentence=reason)

    def collect(self) -> Iterator[Metric]:
        now = self.clock.now()
        champions = [one for one in stored_models.models(self.engine) if one.status == "champion"]
        yield from _champion_metrics(champions, now)
        outcomes = drift.training_outcomes(self.engine)
        yield counter(
            "trainings",
            "Trainings, by outcome.",
            [({"outcome": outcome}, n) for outcome, n in sorted(outcomes.items())],
        )
        last = jobs.last_run(self.engine, "train")
        yield gauge(
            "last_training_age_seconds",
            "Seconds since the last training started, by its outcome.",
            []
            if last is None
            else [({"outcome": last.outcome}, (now - last.started_at).total_seconds())],
        )
        main = [one for one in champions if one.task == DEFAULT_TASK]
        pending = len(dataset.tracks_to_predict(self.engine, main[0])) if main else 0
        yield gauge(
            "tracks_unanswered", "Tracks without a prediction of the champion.", [({}, pending)]
        )
        stored = drift.prediction_count(self.engine)
        yield gauge("predictions", "Rows of predictions of all models.", [({}, stored)])
        yield from _drift_metrics(drift.measure_drift(self.engine, now))


@lru_cache(maxsize=1)
def _unusable_reason(engine: Engine, number: int) -> str | None:
    """Return why a model cannot be used; an artifact is checked once, since it never changes."""
    artifact = stored_models.artifact(engine, number)
    if artifact is None:
        return None  # dropped meanwhile: another model is the champion
    try:
        artifacts.check_types(artifact)
    except BrokenArtifact as error:
        return f"Model {number} cannot be used. {error} Train again with `classifier train`."
    return None


def _champion_metrics(champions: list[StoredModel], now: datetime) -> Iterator[Metric]:
    yield gauge(
        "champion_age_seconds",
        "Seconds since the champion was promoted.",
        [
            ({"task": one.task}, (now - (one.promoted_at or one.created_at)).total_seconds())
            for one in champions
        ],
    )
    yield gauge(
        "champion_accuracy",
        "Accuracy of the champion on test tracks.",
        [
            ({"task": one.task, "regime": regime}, float(one.metrics[regime]["accuracy"]))
            for one in champions
            for regime in _REGIMES
            if one.metrics.get(regime, {}).get("accuracy") is not None
        ],
    )


def _drift_metrics(measured: Drift) -> Iterator[Metric]:
    windows = {"week": measured.recent, "before": measured.earlier}
    yield gauge(
        "drift_missing",
        "Share of tracks without audio features, of the last seven days and before.",
        [
            ({"seen": name}, window.without_features / window.tracks)
            for name, window in windows.items()
            if window.tracks
        ],
    )
    yield gauge(
        "drift_confidence",
        "Mean probability of the top predictions, for tracks of the last seven days and before.",
        [
            ({"seen": name}, window.total_confidence / sum(window.predicted_genres.values()))
            for name, window in windows.items()
            if window.predicted_genres
        ],
    )
    distance = measured.genre_distance()
    yield gauge(
        "drift_genres",
        "Distance between the genre shares of the last week and of the time before, 0..1.",
        [] if distance is None else [({}, distance)],
    )
