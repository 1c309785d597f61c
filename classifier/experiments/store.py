"""Experiments in the database: begun, gone on with, and written down trial by trial."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from classifier.data.dataset import Database
from classifier.experiments.trials import TrialConfig, TrialResult
from classifier.records import MetricRow
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from genrebase.runtime.clock import Clock
from genrebase.runtime.db_retry import retry_until_available
from genrebase.store import bulk, tables, views
from genrebase.store.engine import Connection, read_transaction, transaction

_METRIC: Final = ("trial_id", "side", "regime", "genre", "metric", "value", "low", "high", "n")


@dataclass(frozen=True, slots=True)
class ExperimentSpec:
    """What an experiment asks, and of which data."""

    kind: str
    """`compare`, `tune` or `learning_curve`."""
    settings: Mapping[str, Any]
    """What is to be tried, as JSON."""
    choice: TrainingConfig
    data_fingerprint: str
    origin: str | None

    @property
    def versions(self) -> dict[str, str]:
        """Return the versions that figures depend on."""
        return {**artifacts.versions(), "code": artifacts.code_fingerprint()}

    @property
    def fingerprint(self) -> str:
        """Return what makes this experiment this one and no other."""
        choice = self.choice
        told = [self.kind, self.settings, choice.task, choice.as_json(), choice.seed]
        text = json.dumps([*told, self.data_fingerprint, self.versions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Experiment:
    """An experiment that is under way, or was brought to its end."""

    id: int
    finished: bool
    trials: dict[str, "StoredTrial"] = field(default_factory=dict)
    """By the key of what was tried."""
    configuration_numbers: dict[str, int] = field(default_factory=dict)
    """By recipe: the numbers of the configurations met so far."""

    def configuration_number(self, configuration: TrialConfig) -> int:
        """Return the number of a configuration; a new one gets the next."""
        return self.configuration_numbers.setdefault(
            configuration.configuration_key, len(self.configuration_numbers) + 1
        )

    def has_trial(self, configuration: TrialConfig) -> bool:
        """Tell whether this was tried already."""
        return configuration.key in self.trials


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A row of `trial`."""

    number: int
    configuration: TrialConfig
    outcome: str
    error: str | None
    trained_rows: int
    seconds: float
    score: float | None


def create_or_resume(
    database: Database, question: ExperimentSpec, at: datetime, *, again: bool = False
) -> Experiment:
    """Return the experiment of this question: a new one, or the one that was left off.

    What was tried on the same tracks by the same code is not tried again, unless `again`.
    """
    experiment = tables.experiment
    query = (
        select(experiment.c.id, experiment.c.finished_at)
        .where(experiment.c.fingerprint == question.fingerprint)
        .order_by(experiment.c.id.desc())
        .limit(1)
    )
    if not again:
        with read_transaction(database) as connection:
            row = connection.execute(query).first()
            if row is not None:
                return _continued(connection, row.id, finished=row.finished_at is not None)
    return Experiment(_insert(database, question, at), finished=False)


def store_trial(
    database: Database,
    experiment: Experiment,
    configuration: TrialConfig,
    tried: TrialResult,
    clock: Clock,
) -> None:
    """Write a trial down with all its figures, in one transaction.

    A database that goes away is waited for; a trial that stands there already stays as it is.
    """
    number = experiment.configuration_number(configuration)
    values = {
        **_values(experiment.id, number, configuration, tried),
        "finished_at": clock.now(),
    }
    retry_until_available(clock, lambda: _write(database, values, tried.metrics))
    experiment.trials[configuration.key] = StoredTrial(
        number,
        configuration,
        values["outcome"],
        tried.error,
        tried.trained_rows,
        tried.seconds,
        tried.score,
    )


def _write(database: Database, values: Mapping[str, Any], metrics: Sequence[MetricRow]) -> None:
    try:
        with transaction(database) as connection:
            made = connection.execute(insert(tables.trial).values(**values))
            trial = int(made.inserted_primary_key[0])  # type: ignore[index]  # one row has one key
            rows = [(trial, *_metric(row)) for row in metrics]
            bulk.insert(connection, tables.trial_metric, _METRIC, rows)
    except IntegrityError as error:
        # another process went on with the same experiment and was faster: the same figures
        if "key" not in str(error.orig):
            raise


def mark_finished(database: Database, experiment: Experiment, at: datetime) -> None:
    """Write down that nothing is left to try."""
    table = tables.experiment
    with transaction(database) as connection:
        connection.execute(update(table).where(table.c.id == experiment.id).values(finished_at=at))
    experiment.finished = True


def mark_unfinished(database: Database, experiment: Experiment) -> None:
    """Write down that there is more to try after all."""
    table = tables.experiment
    with transaction(database) as connection:
        connection.execute(
            update(table).where(table.c.id == experiment.id).values(finished_at=None)
        )
    experiment.finished = False


def metric_rows(
    database: Database, experiment: Experiment, *, metrics: Sequence[str], per_genre: bool = False
) -> list[Mapping[str, Any]]:
    """Return rows of `experiment_results`: these metrics over all genres, or of each genre."""
    row = views.experiment_results.c
    of_genre = row.genre.is_not(None) if per_genre else row.genre.is_(None)
    query = (
        select(views.experiment_results)
        .where(row.experiment_id == experiment.id, row.metric.in_(metrics), of_genre)
        .order_by(row.number, row.per_genre, row.genre, row.regime, row.metric)
    )
    with read_transaction(database) as connection:
        return [dict(found) for found in connection.execute(query).mappings()]


def _insert(database: Database, question: ExperimentSpec, at: datetime) -> int:
    values = {
        "kind": question.kind,
        "fingerprint": question.fingerprint,
        "created_at": at,
        "task": question.choice.task,
        "question": dict(question.settings),
        "training_config": question.choice.as_json(),
        "seed": question.choice.seed,
        "data_fingerprint": question.data_fingerprint,
        "versions": question.versions,
        "origin": question.origin,
    }
    with transaction(database) as connection:
        made = connection.execute(insert(tables.experiment).values(**values))
        return int(made.inserted_primary_key[0])  # type: ignore[index]  # one row has one key


def _continued(connection: Connection, number: int, *, finished: bool) -> Experiment:
    found = Experiment(number, finished=finished)
    trial = tables.trial
    query = select(trial).where(trial.c.experiment_id == number).order_by(trial.c.id)
    for one in connection.execute(query):
        configuration = TrialConfig(
            one.estimator,
            tuple(one.features.split(",")),
            one.params,
            one.per_genre,
            one.binary_genre,
            one.test_fold,
            one.validation_fold,
        )
        found.configuration_numbers[configuration.configuration_key] = one.number
        found.trials[configuration.key] = StoredTrial(
            one.number,
            configuration,
            one.outcome,
            one.error,
            one.trained_rows,
            one.seconds,
            one.score,
        )
    return found


def _values(
    experiment: int, number: int, configuration: TrialConfig, tried: TrialResult
) -> dict[str, Any]:
    return {
        "experiment_id": experiment,
        "number": number,
        "estimator": configuration.estimator,
        "features": ",".join(configuration.features),
        "params": dict(configuration.params),
        "per_genre": configuration.per_genre,
        "binary_genre": configuration.binary_genre,
        "test_fold": configuration.test_fold,
        "validation_fold": configuration.validation_fold,
        "key": configuration.key,
        "outcome": "done" if tried.error is None else "failed",
        "error": tried.error,
        "trained_rows": tried.trained_rows,
        "seconds": tried.seconds,
        "artifact_bytes": tried.artifact_bytes,
        "training_score": tried.training_score,
        "score": tried.score,
    }


def _metric(row: MetricRow) -> tuple[Any, ...]:
    return (row.side, row.regime, row.genre, row.metric, row.value, row.low, row.high, row.n)
