"""How the trainer is: what `/healthz`, `/metrics` and `classifier health` say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from classifier.daemon import drift
from classifier.daemon.drift import Drift
from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.records import MAIN, StoredModel
from classifier.settings import ClassifierSettings
from genrebase.runtime import jobs, monitoring
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import JobRun
from genrebase.runtime.monitoring import Health, Measure, Patient

JOBS: Final = ("train", "predict")
"""What the trainer runs; how others fare is not its health."""

_REGIMES: Final = ("seen_artist", "new_artist")


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is measured."""

    now: float
    """Seconds since 1970."""
    champions: Sequence[StoredModel]
    waiting: int
    """Tracks that the main champion has not answered for."""
    predictions: int
    trainings: Mapping[str, int]
    """How many ended in which way."""
    last: JobRun | None
    """The last training of the main task."""
    drift: Drift


def patient(database: Database, clock: Clock) -> Patient:
    """Return the trainer over this database, as one who can be asked."""
    return Patient(lambda: check(database), lambda: as_measures(gather(database, clock)))


def check(database: Database) -> Health:
    """Say whether the database answers, and whether no job failed when it last ran."""
    for job in JOBS:
        run = jobs.last_run(database, job)
        if run is not None and run.outcome == "failed":
            return Health(ok=False, sentence=f"The last {job} failed: {run.error}")
    return Health(ok=True, sentence="The database answers, and no job failed.")


@contextmanager
def serving(
    database: Database, settings: ClassifierSettings, clock: Clock
) -> Iterator[str | None]:
    """Answer at `CLASSIFIER_HTTP` while the block runs; yield the URL, None where it is off."""
    with monitoring.serving(settings.http_address, patient(database, clock)) as url:
        yield url


def gather(database: Database, clock: Clock) -> Figures:
    """Measure everything."""
    now = clock.now()
    champions = [one for one in dataset.models(database) if one.status == "champion"]
    main = [one for one in champions if one.task == MAIN]
    return Figures(
        now=now.timestamp(),
        champions=champions,
        waiting=len(dataset.pending(database, main[0])) if main else 0,
        predictions=drift.predictions(database),
        trainings=drift.trainings(database),
        last=jobs.last_run(database, "train"),
        drift=drift.measure(database, now),
    )


def as_measures(figures: Figures) -> list[Measure]:
    """Return the figures as a monitor wants them. Pure."""
    return [*_champions(figures), *_trainings(figures), *_answers(figures), *_drift(figures)]


def _champions(figures: Figures) -> Iterator[Measure]:
    ages = [
        ({"task": one.task}, figures.now - (one.crowned_at or one.created_at).timestamp())
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


def _trainings(figures: Figures) -> Iterator[Measure]:
    ended = [({"outcome": name}, float(n)) for name, n in sorted(figures.trainings.items())]
    yield Measure("genrebase_trainings", "counter", "By how they ended.", ended)
    last = figures.last
    ages = [] if last is None else [(_outcome(last), figures.now - last.started_at.timestamp())]
    meaning = "Since the last one began, with how it ended."
    yield Measure("genrebase_last_training_age_seconds", "gauge", meaning, ages)


def _outcome(run: JobRun) -> dict[str, str]:
    return {"outcome": run.outcome}


def _answers(figures: Figures) -> Iterator[Measure]:
    for name, meaning, number in (
        ("tracks_unanswered", "Tracks that wait for the champion's answer.", figures.waiting),
        ("predictions", "Rows of answers, of all models.", figures.predictions),
    ):
        yield Measure(f"genrebase_{name}", "gauge", meaning, [({}, number)])


def _drift(figures: Figures) -> Iterator[Measure]:
    sides = {"week": figures.drift.recent, "before": figures.drift.before}
    missing = [
        ({"seen": name}, side.without_features / side.tracks)
        for name, side in sides.items()
        if side.tracks
    ]
    meaning = "Share of tracks without audio features, of the last seven days and before."
    yield Measure("genrebase_drift_missing", "gauge", meaning, missing)
    confidences = [
        ({"seen": name}, side.confidence / sum(side.answers.values()))
        for name, side in sides.items()
        if side.answers
    ]
    meaning = "Mean probability of first answers, for tracks of the last seven days and before."
    yield Measure("genrebase_drift_confidence", "gauge", meaning, confidences)
    distance = figures.drift.distance()
    meaning = "How far the week's shares of genres are from those before, 0 to 1."
    samples: list[tuple[dict[str, str], float]] = [] if distance is None else [({}, distance)]
    yield Measure("genrebase_drift_genres", "gauge", meaning, samples)
