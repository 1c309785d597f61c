"""Health and Prometheus metrics of the trainer."""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Final

from prometheus_client.core import Metric

from classifier.daemon import drift
from classifier.daemon.drift import Drift
from classifier.data import dataset
from classifier.records import StoredModel
from classifier.registry import stored_models
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime import jobs
from genrebase.runtime.monitoring import HealthTarget, counter, gauge

_REGIMES: Final = ("seen_artist", "new_artist")


class TrainerHealth(HealthTarget):
    """The trainer's health and metrics."""

    monitored_jobs: ClassVar = ("train", "predict")

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
