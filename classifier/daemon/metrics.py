"""How the trainer is: what `/healthz`, `/metrics` and `classifier health` say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from classifier.daemon import drift
from classifier.daemon.drift import Drift
from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.records import StoredModel
from classifier.registry import stored_models
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime import jobs, monitoring
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import JobRun
from genrebase.runtime.monitoring import HealthStatus, HealthTarget, Measure

MONITORED_JOBS: Final = ("train", "predict")
"""What the trainer runs; how others fare is not its health."""

_REGIMES: Final = ("seen_artist", "new_artist")


@dataclass(frozen=True, slots=True)
class TrainerMetrics:
    """Everything that is measured."""

    now: float
    """Seconds since 1970."""
    champions: Sequence[StoredModel]
    pending_tracks: int
    """Tracks that the main champion has not answered for."""
    predictions: int
    training_outcomes: Mapping[str, int]
    """How many ended in which way."""
    last_training: JobRun | None
    """The last training of the main task."""
    drift: Drift


def health_target(database: Database, clock: Clock) -> HealthTarget:
    """Return the trainer over this database, as one who can be asked."""
    return HealthTarget(
        lambda: check(database), lambda: to_gauges(collect_metrics(database, clock))
    )


def check(database: Database) -> HealthStatus:
    """Say whether the database answers, and whether no job failed when it last ran."""
    for job in MONITORED_JOBS:
        run = jobs.last_run(database, job)
        if run is not None and run.outcome == "failed":
            return HealthStatus(ok=False, sentence=f"The last {job} failed: {run.error}")
    return HealthStatus(ok=True, sentence="The database answers, and no job failed.")


@contextmanager
def serve_health(
    database: Database, settings: ClassifierSettings, clock: Clock
) -> Iterator[str | None]:
    """Answer at `CLASSIFIER_HTTP` while the block runs; yield the URL, None where it is off."""
    with monitoring.serve(settings.http_address, health_target(database, clock)) as url:
        yield url


def collect_metrics(database: Database, clock: Clock) -> TrainerMetrics:
    """Measure everything."""
    now = clock.now()
    champions = [one for one in stored_models.models(database) if one.status == "champion"]
    main = [one for one in champions if one.task == DEFAULT_TASK]
    return TrainerMetrics(
        now=now.timestamp(),
        champions=champions,
        pending_tracks=len(dataset.tracks_to_predict(database, main[0])) if main else 0,
        predictions=drift.prediction_count(database),
        training_outcomes=drift.training_outcomes(database),
        last_training=jobs.last_run(database, "train"),
        drift=drift.measure_drift(database, now),
    )


def to_gauges(figures: TrainerMetrics) -> list[Measure]:
    """Return the figures as a monitor wants them. Pure."""
    return [*_champions(figures), *_trainings(figures), *_answers(figures), *_drift(figures)]


def _champions(figures: TrainerMetrics) -> Iterator[Measure]:
    ages = [
        ({"task": one.task}, figures.now - (one.promoted_at or one.created_at).timestamp())
        for one in figures.champions
    ]
    yield Measure("genrebase_champion_age_seconds", "gauge", "Since it became champion.", ages)
    accuracies = [
        ({"task": one.task, "regime": regime}, float(one.metrics[regime]["accuracy"]))
        for one in figures.champions
        for regime in _REGIMES
        if one.metrics.get(regime, {}).get("accuracy") is not None
    ]
    meaning = "Of the champion, on test tracks."
    yield Measure("genrebase_champion_accuracy", "gauge", meaning, accuracies)


def _trainings(figures: TrainerMetrics) -> Iterator[Measure]:
    ended = [
        ({"outcome": name}, float(n)) for name, n in sorted(figures.training_outcomes.items())
    ]
    yield Measure("genrebase_trainings", "counter", "By how they ended.", ended)
    last = figures.last_training
    ages = [] if last is None else [(_outcome(last), figures.now - last.started_at.timestamp())]
    meaning = "Since the last one began, with how it ended."
    yield Measure("genrebase_last_training_age_seconds", "gauge", meaning, ages)


def _outcome(run: JobRun) -> dict[str, str]:
    return {"outcome": run.outcome}


def _answers(figures: TrainerMetrics) -> Iterator[Measure]:
    for name, meaning, number in (
        (
            "tracks_unanswered",
            "Tracks that wait for the champion's answer.",
            figures.pending_tracks,
        ),
        ("predictions", "Rows of answers, of all models.", figures.predictions),
    ):
        yield Measure(f"genrebase_{name}", "gauge", meaning, [({}, number)])


def _drift(figures: TrainerMetrics) -> Iterator[Measure]:
    sides = {"week": figures.drift.recent, "before": figures.drift.earlier}
    missing = [
        ({"seen": name}, side.without_features / side.tracks)
        for name, side in sides.items()
        if side.tracks
    ]
    meaning = "Share of tracks without audio features, of the last seven days and before."
    yield Measure("genrebase_drift_missing", "gauge", meaning, missing)
    confidences = [
        ({"seen": name}, side.total_confidence / sum(side.predicted_genres.values()))
        for name, side in sides.items()
        if side.predicted_genres
    ]
    meaning = "Mean probability of first answers, for tracks of the last seven days and before."
    yield Measure("genrebase_drift_confidence", "gauge", meaning, confidences)
    distance = figures.drift.genre_distance()
    meaning = "How far the week's shares of genres are from those before, 0 to 1."
    samples: list[tuple[dict[str, str], float]] = [] if distance is None else [({}, distance)]
    yield Measure("genrebase_drift_genres", "gauge", meaning, samples)
