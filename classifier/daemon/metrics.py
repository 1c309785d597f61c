"""Health and Prometheus metrics of the trainer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Final

from prometheus_client.core import Metric

from classifier.daemon import drift, readiness
from classifier.daemon.drift import Drift
from classifier.data import rows_to_predict
from classifier.errors import BrokenArtifact
from classifier.model_records import REGIME_TITLES, StoredModel
from classifier.registry import artifact_checks, stored_models
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime import jobs
from genrebase.runtime.monitoring import HealthStatus, HealthTarget, counter, gauge
from genrebase.store import Engine

DEADLINE_GRACE_SECONDS: Final = 900.0
"""Time for a training that was stopped at its deadline to be recorded as such."""


@dataclass(frozen=True)
class TrainerHealth(HealthTarget):
    """The trainer's health and metrics."""

    settings: ClassifierSettings = field(default_factory=ClassifierSettings.load)

    monitored_jobs: ClassVar = ("train", "train (refit)", "predict")

    def check(self) -> HealthStatus:
        """Check also that the champion's artifact has only types that this version loads.

        The sentence of a healthy trainer says what its next training waits for.
        """
        status = super().check()
        if not status.ok:
            return status
        champion = stored_models.find_champion(self.engine, DEFAULT_TASK)
        reason = None if champion is None else _unusable_reason(self.engine, champion.id)
        if reason is not None:
            return HealthStatus(ok=False, sentence=reason)
        now = self.clock.now()
        state = readiness.read(self.engine, now)
        waits_for = readiness.describe_wait(state, self.settings, now)
        return HealthStatus(ok=True, sentence=f"{status.sentence} {waits_for}")

    def is_stalled(self, run: jobs.JobRun) -> bool:
        """Return whether a run has taken longer than a training may."""
        seconds = (self.clock.now() - run.started_at).total_seconds()
        return seconds > self.settings.deadline + DEADLINE_GRACE_SECONDS

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
        pooled = self.settings.pool_siblings
        pending = (
            rows_to_predict.tracks_to_predict(self.engine, main[0], pooled=pooled) if main else ()
        )
        yield gauge(
            "tracks_unanswered",
            "Tracks without a prediction of the champion.",
            [({}, len(pending))],
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
        artifact_checks.check_types(artifact)
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
            for regime in REGIME_TITLES
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
