"""Read the stored models: the rows of `model` and what depends on them, without pandas."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, func, select, true

from classifier.config_options import did_you_mean
from classifier.errors import BrokenArtifact, NoChampion
from classifier.model_records import STATUS_TITLES, MetricRow, StoredModel
from genrebase.errors import UserError
from genrebase.store import Engine, tables
from genrebase.store.engine import read_transaction

_DOCUMENTS: Final = (
    *("params", "training_config", "feature_schema"),
    *("metrics", "versions", "golden_rows"),
)
_METRIC: Final = ("side", "regime", "metric", "value", "low", "high", "n")
_MODEL: Final = [column for column in tables.model.c if column.name != "artifact"]


def _as_model(row: RowMapping) -> StoredModel:
    """Return a row as a model; raise `BrokenArtifact` if a field is not what was stored."""
    wrong = [name for name in _DOCUMENTS if not isinstance(row[name], dict)]
    schema = row["feature_schema"]
    if not wrong and not all(_is_texts(schema.get(name, [])) for name in ("columns", "classes")):
        wrong.append("feature_schema")
    if not isinstance(row["sources"], dict | None):
        wrong.append("sources")
    if wrong:
        raise BrokenArtifact(
            f"The row of model {row['id']} was changed: its {' and '.join(wrong)} cannot be read. "
            "Delete the row, and train again with `classifier train`."
        )
    return StoredModel(**row)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def models(database: Engine, task: str | None = None) -> list[StoredModel]:
    """Return all models (of `task`), the latest first."""
    of_task = true() if task is None else tables.model.c.task == task
    query = select(*_MODEL).where(of_task).order_by(tables.model.c.id.desc())
    with read_transaction(database) as connection:
        return [_as_model(row) for row in connection.execute(query).mappings()]


def require_task(database: Engine, task: str) -> None:
    """Raise `UserError` where models are stored, and none of them is of `task`."""
    with read_transaction(database) as connection:
        tasks = sorted(connection.scalars(select(tables.model.c.task).distinct()))
    if tasks and task not in tasks:
        hint = did_you_mean(task, tasks)
        raise UserError(f"There is no task {task!r}.{hint} Tasks: {', '.join(tasks)}.")


def latest_model_id(database: Engine) -> int | None:
    """Return the id of the latest model of any task, None without models."""
    with read_transaction(database) as connection:
        number: int | None = connection.scalar(select(func.max(tables.model.c.id)))
        return number


def model(database: Engine, number: int) -> StoredModel:
    """Return one model; raise `UserError` if there is none with this id."""
    found = _first(database, tables.model.c.id == number)
    if found is None:
        raise UserError(f"There is no model {number}. `classifier models` lists them.")
    return found


def find_champion(database: Engine, task: str) -> StoredModel | None:
    """Return the champion of `task`, if there is one."""
    return _first(database, tables.model.c.task == task, tables.model.c.status == "champion")


def _first(database: Engine, *conditions: ColumnElement[bool]) -> StoredModel | None:
    with read_transaction(database) as connection:
        row = connection.execute(select(*_MODEL).where(*conditions)).mappings().first()
    return None if row is None else _as_model(row)


def champion(database: Engine, task: str) -> StoredModel:
    """Return the champion of `task`; raise `NoChampion`, or `UserError` if no model is of it."""
    model = find_champion(database, task)
    if model is None:
        require_task(database, task)
        raise NoChampion(describe_missing_champion(database, task))
    return model


def model_or_champion(database: Engine, number: int | None, task: str) -> StoredModel:
    """Return model `number`, or the champion of `task` if it is None; raise as these two do."""
    return champion(database, task) if number is None else model(database, number)


def describe_missing_champion(database: Engine, task: str) -> str:
    """Return a sentence on why a task has no champion, and what to do."""
    of_task = models(database, task)
    if not of_task:
        return f"The task {task!r} has no champion yet: run `classifier train`."
    latest = of_task[0]
    reason = f": {latest.reason}" if latest.reason else "."
    return (
        f"The task {task!r} has no champion. Its latest model, {latest.id}, is "
        f"{STATUS_TITLES[latest.status]}"
        f"{reason} Import or harvest more tracks and run `classifier train`, or use that model "
        f"nevertheless: `classifier promote {latest.id}`."
    )


def metrics_of_model(database: Engine, number: int) -> list[MetricRow]:
    """Return every stored metric of a model, in the order of measurement."""
    metric, genre = tables.model_metric, tables.genre
    query = (
        select(*(metric.c[name] for name in _METRIC), genre.c.name.label("genre"))
        .select_from(metric.outerjoin(genre, genre.c.id == metric.c.genre_id))
        .where(metric.c.model_id == number)
        .order_by(metric.c.id)
    )
    with read_transaction(database) as connection:
        return [MetricRow(**row) for row in connection.execute(query).mappings()]


def champion_tasks(database: Engine) -> list[str]:
    """Return the tasks that have a champion, in alphabetical order."""
    query = select(tables.model.c.task).where(tables.model.c.status == "champion")
    with read_transaction(database) as connection:
        return sorted(connection.scalars(query))


def artifact(database: Engine, number: int) -> bytes | None:
    """Return the artifact of a model."""
    query = select(tables.model.c.artifact).where(tables.model.c.id == number)
    with read_transaction(database) as connection:
        return connection.scalar(query)


def out_of_fold_count(database: Engine, number: int) -> int:
    """Return how many training tracks have an out-of-fold prediction of a model."""
    row = tables.prediction.c
    query = select(func.count()).where(row.model_id == number, row.rank == 1, row.in_training)
    with read_transaction(database) as connection:
        return connection.scalar(query) or 0


def prediction_count(database: Engine, number: int, *, from_rank: int = 1) -> int:
    """Return how many rows of predictions a model has, of the ranks from `from_rank` on."""
    row = tables.prediction.c
    query = select(func.count()).where(row.model_id == number, row.rank >= from_rank)
    with read_transaction(database) as connection:
        return connection.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """Numbers of tracks."""

    tracks: int
    labelled: int
    with_features: int
    """Labelled tracks with audio features."""
    scored: int
    """Tracks with a prediction of the champion."""


def dataset_counts(database: Engine, champion_id: int | None) -> DatasetCounts:
    """Count all tracks, the labelled ones and those with a prediction of the champion."""
    from genrebase.store import views  # slow; `classifier models` needs none

    row = tables.prediction.c
    scored = select(func.count()).where(row.model_id == champion_id, row.rank == 1)
    training = views.training_tracks.c
    labelled = select(func.count(), func.count(training.provider)).select_from(
        views.training_tracks
    )
    with read_transaction(database) as connection:
        n_labelled, with_features = connection.execute(labelled).one()
        return DatasetCounts(
            connection.scalar(select(func.count()).select_from(views.scoring_tracks)) or 0,
            n_labelled,
            with_features,
            0 if champion_id is None else connection.scalar(scored) or 0,
        )


def track_origins(database: Engine) -> dict[str, int]:
    """Return the sources of the tracks in the database, with their numbers of tracks."""
    track, count = tables.track, func.count()
    query = select(track.c.origin, count).group_by(track.c.origin)
    with read_transaction(database) as connection:
        rows = connection.execute(query.order_by(count.desc(), track.c.origin))
        return {row[0]: row[1] for row in rows}


def last_arrival(database: Engine) -> datetime | None:
    """Return when a track or audio features were last stored; None without tracks."""
    latest = select(func.max(tables.track.c.first_seen_at)).union_all(
        select(func.max(tables.audio_features.c.fetched_at))
    )
    with read_transaction(database) as connection:
        return max((at for at in connection.scalars(latest) if at is not None), default=None)


def latest_refit_id(database: Engine, champion_id: int) -> int | None:
    """Return the id of a champion's latest refit, None without one."""
    model = tables.model.c
    refits = select(func.max(model.id)).where(
        model.status == "refit", model.parent_id == champion_id
    )
    with read_transaction(database) as connection:
        number: int | None = connection.scalar(refits)
        return number
