"""Store experiments and their trials, so that an interrupted experiment can resume."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from classifier.data.dataset import Database
from classifier.experiments.trials import TrialConfig, TrialResult
from classifier.model_records import MetricRow
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from genrebase.runtime.clock import Clock
from genrebase.runtime.db_retry import retry_until_available
from genrebase.store import bulk, tables, views
from genrebase.store.engine import Connection, read_transaction, transaction

_RESULT_COLUMNS: Final = (
    *("error", "trained_rows", "seconds"),
    *("artifact_bytes", "training_score", "score"),
)
"""Fields of a result that are columns of `trial`: its metrics are rows of another table."""
_METRIC_COLUMNS: Final = ("trial_id", *(column.name for column in fields(MetricRow)))


@dataclass(frozen=True, slots=True)
class ExperimentSpec:
    """What an experiment tries, on which data."""

    kind: str
    """`compare`, `tune` or `learning_curve`."""
    settings: Mapping[str, Any]
    """What is tried, as JSON."""
    config: TrainingConfig
    data_fingerprint: str
    origin: str | None

    @property
    def versions(self) -> dict[str, str]:
        """Return the versions that the metrics depend on."""
        return {**artifacts.versions(), "code": artifacts.code_fingerprint()}

    @property
    def fingerprint(self) -> str:
        """Return a hash that the same experiment has again."""
        config = self.config
        parts = [self.kind, self.settings, config.task, config.as_json(), config.seed]
        text = json.dumps([*parts, self.data_fingerprint, self.versions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Experiment:
    """An experiment in progress, or finished."""

    id: int
    finished: bool
    trials: dict[str, tuple[TrialConfig, TrialResult]] = field(default_factory=dict)
    """The stored trials by `TrialConfig.key`; their metrics are in the database."""
    configuration_numbers: dict[str, int] = field(default_factory=dict)
    """By `TrialConfig.configuration_key`."""

    def configuration_number(self, trial: TrialConfig) -> int:
        """Return the number of a trial's configuration; a new one gets the next."""
        return self.configuration_numbers.setdefault(
            trial.configuration_key, len(self.configuration_numbers) + 1
        )

    def has_trial(self, trial: TrialConfig) -> bool:
        """Return whether this trial is stored."""
        return trial.key in self.trials


def create_or_resume(
    database: Database, spec: ExperimentSpec, at: datetime, *, again: bool = False
) -> Experiment:
    """Return the stored experiment of this spec, or a new one.

    Trials of the same code on the same tracks are not repeated, unless `again`.
    """
    table = tables.experiment
    if not again:
        query = (
            select(table.c.id, table.c.finished_at)
            .where(table.c.fingerprint == spec.fingerprint)
            .order_by(table.c.id.desc())
            .limit(1)
        )
        with read_transaction(database) as connection:
            row = connection.execute(query).first()
            if row is not None:
                return _load(connection, Experiment(row.id, row.finished_at is not None))
    values = {
        "kind": spec.kind,
        "fingerprint": spec.fingerprint,
        "created_at": at,
        "task": spec.config.task,
        "question": dict(spec.settings),
        "training_config": spec.config.as_json(),
        "seed": spec.config.seed,
        "data_fingerprint": spec.data_fingerprint,
        "versions": spec.versions,
        "origin": spec.origin,
    }
    with transaction(database) as connection:
        inserted = connection.execute(insert(table).values(**values))
        key = inserted.inserted_primary_key
        return Experiment(int(key[0]), finished=False)  # type: ignore[index]  # one row has one key


def store_trial(
    database: Database,
    experiment: Experiment,
    trial: TrialConfig,
    result: TrialResult,
    clock: Clock,
) -> None:
    """Store a trial with its metrics in one transaction; a trial already stored is kept.

    Retries until the database is available.
    """
    values = {
        **asdict(trial),
        **{name: getattr(result, name) for name in _RESULT_COLUMNS},
        "experiment_id": experiment.id,
        "number": experiment.configuration_number(trial),
        "features": ",".join(trial.features),
        "key": trial.key,
        "outcome": "done" if result.error is None else "failed",
        "finished_at": clock.now(),
    }

    def write() -> None:
        try:
            with transaction(database) as connection:
                inserted = connection.execute(insert(tables.trial).values(**values))
                key = int(inserted.inserted_primary_key[0])  # type: ignore[index]  # one row has one key
                rows = [(key, *astuple(row)) for row in result.metrics]
                bulk.insert(connection, tables.trial_metric, _METRIC_COLUMNS, rows)
        except IntegrityError as error:
            # another process that resumed the same experiment was faster: the same metrics
            if "key" not in str(error.orig):
                raise

    retry_until_available(clock, write)
    experiment.trials[trial.key] = (trial, result)


def mark_finished(database: Database, experiment: Experiment, at: datetime | None) -> None:
    """Store when the last trial ended; None: there is more to try."""
    table = tables.experiment
    with transaction(database) as connection:
        connection.execute(update(table).where(table.c.id == experiment.id).values(finished_at=at))
    experiment.finished = at is not None


def metric_rows(
    database: Database, experiment: Experiment, *, metrics: Sequence[str], per_genre: bool = False
) -> list[Mapping[str, Any]]:
    """Return rows of `experiment_results`: these metrics over all genres, or of each genre."""
    row = views.experiment_results.c
    which = row.genre.is_not(None) if per_genre else row.genre.is_(None)
    query = (
        select(views.experiment_results)
        .where(row.experiment_id == experiment.id, row.metric.in_(metrics), which)
        .order_by(row.number, row.per_genre, row.genre, row.regime, row.metric)
    )
    with read_transaction(database) as connection:
        return [dict(values) for values in connection.execute(query).mappings()]


def _load(connection: Connection, experiment: Experiment) -> Experiment:
    table = tables.trial
    query = select(table).where(table.c.experiment_id == experiment.id).order_by(table.c.id)
    for row in connection.execute(query):
        trial = TrialConfig(
            row.estimator,
            tuple(row.features.split(",")),
            row.params,
            row.per_genre,
            row.binary_genre,
            row.test_fold,
            row.validation_fold,
        )
        experiment.configuration_numbers[trial.configuration_key] = row.number
        result = TrialResult(row.trained_rows, row.seconds, score=row.score, error=row.error)
        experiment.trials[trial.key] = (trial, result)
    return experiment
