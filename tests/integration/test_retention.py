"""Retention of models, and the training schedule."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, insert, select, update
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import rows_to_predict
from classifier.errors import NoChampion
from classifier.registry import model_store, prediction_store, retention, stored_models
from classifier.reports.card import ModelCard
from classifier.serving import batch_predict
from classifier.training import promote, train
from classifier.training_config import TrainingConfig
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.db_retry import retry_until_available
from genrebase.runtime.jobs import AlreadyRunning, job_run
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable
from tests import factories as make
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import Music

DUMMY = TrainingConfig(estimator="dummy")


def learn(engine: Engine, clock: FakeClock, choice: TrainingConfig = DUMMY) -> train.TrainResult:
    return train.run(engine, choice, clock, log=lambda _: None, cores=1, again=True)


@pytest.fixture
def reigns(engine: Engine) -> list[int]:
    """Insert six models, five former champions, each with a prediction, metric and confusion."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        track = make.add_track(connection, "Song", genres=[rock])
        numbers = []
        for day in range(6):
            status = {5: "champion", 4: "rejected"}.get(day, "retired")
            crowned = None if status == "rejected" else NOON + timedelta(days=day)
            number = make.add_model(
                connection,
                status,
                promoted_at=crowned,
                artifact=b"model",
                artifact_sha256="x",
                feature_schema={"classes": ["rock"]},
            )
            make.add_predictions(connection, number, track, [(rock, 0.5)])
            make.add_metric(connection, number, "new_artist", "accuracy", 0.5)
            make.add_metric(connection, number, "new_artist", "f1", 0.5, genre_id=rock)
            cell = {"model_id": number, "regime": "new_artist", "tracks": 1}
            both = {"genre_id": rock, "predicted_id": rock}
            connection.execute(insert(tables.confusion).values(**cell, **both))
            numbers.append(number)
    return numbers


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def left(engine: Engine, table: str) -> list[int]:
    held = tables.metadata.tables[table].c.model_id
    with read_transaction(engine) as connection:
        return list(connection.scalars(select(held).order_by(held)))


def test_the_last_three_champions_and_pinned_models_are_kept(
    engine: Engine, reigns: list[int]
) -> None:
    """Others keep their row and metrics; never promoted ones keep overall metrics only."""
    first, second, third, fourth, rejected, champion = reigns
    model_store.set_pinned(engine, first, pinned=True)
    result = retention.prune(engine, dry_run=True)
    assert (result.given_up, result.predictions) == ((second, rejected), 2)
    assert left(engine, "prediction") == reigns
    done = retention.prune(engine)
    assert (done.given_up, done.predictions) == (
        result.given_up,
        result.predictions,
    )
    whole = [first, third, fourth, champion]
    assert left(engine, "prediction") == left(engine, "confusion") == whole
    assert {one.id for one in stored_models.models(engine) if one.has_artifact} == set(whole)
    figures = left(engine, "model_metric")
    assert (figures.count(second), figures.count(rejected)) == (2, 1)
    assert stored_models.artifact(engine, second) is None
    assert retention.prune(engine).given_up == ()
    with pytest.raises(UserError, match="only its metrics were kept"):
        promote.run(engine, second, FakeClock(), log=lambda _: None)


def test_old_models_are_archived_as_a_summary(engine: Engine, reigns: list[int]) -> None:
    """It has configuration, outcome, reason and main metrics; kept models have none."""
    first, second, third, fourth, rejected, champion = reigns
    model_store.set_pinned(engine, first, pinned=True)
    with transaction(engine) as connection:
        reported = {"accuracy": 0.51239, "interval": [0.41239, 0.6], "n": 9, "roc_auc": 0.7}
        facts = {"metrics": {"new_artist": reported}, "reason": "Followed."}
        connection.execute(update(tables.model).values(**facts, versions={"python": "3"}))
    assert retention.prune(engine, keep_last=2, dry_run=True).shortened == (second,)
    assert retention.prune(engine, keep_last=2).shortened == (second,)
    assert retention.prune(engine, keep_last=2).shortened == ()
    models = {one.id: one for one in stored_models.models(engine)}
    gone = models[second]
    assert (gone.status, gone.reason, gone.is_archived) == ("retired", "Followed.", True)
    figures = gone.metrics["new_artist"]
    assert (figures["accuracy"], figures["interval"]) == (0.5124, [0.4124, 0.6])
    assert (figures["n"], figures["ece"], figures.get("roc_auc")) == (9, None, None)
    assert (gone.as_json()["genres"], dict(gone.versions), gone.classes) == (1, {}, ())
    assert second not in left(engine, "model_metric")
    assert {number for number in reigns if models[number].is_archived} == {second}
    with pytest.raises(UserError, match="only its main metrics are stored"):
        ModelCard(gone, None, (), {}, "")
    assert not (set(left(engine, "prediction")) - {first, third, fourth, champion})
    assert left(engine, "model_metric").count(rejected) == 1


def test_every_table_of_a_model_is_pruned() -> None:
    """Every table that references a model is pruned with its predictions or at archiving."""
    referring = {
        table
        for table in tables.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table is tables.model
    }
    predictions = {tables.prediction, tables.model_comparison, tables.confusion, tables.model}
    assert referring - predictions == set(tables.MODEL_DETAIL_TABLES)


def test_the_reign_counts_and_not_the_number(engine: Engine, reigns: list[int]) -> None:
    """After a rollback the one that was left is the champion before."""
    champions = retention.previous_champions(stored_models.models(engine))
    assert [one.id for one in champions] == [reigns[3], reigns[2], reigns[1], reigns[0]]


def test_every_training_prunes_and_the_latest_may_be_promoted(sqlite_engine: Engine) -> None:
    """A rejected model is whole until the next training; rollback is the champion before."""
    Music().fill(sqlite_engine)
    clock = FakeClock()
    good = learn(sqlite_engine, clock, TrainingConfig(estimator="logistic")).model
    with pytest.raises(NoChampion, match="before this one"):
        promote.rollback(sqlite_engine, clock, log=lambda _: None)
    clock.advance(60)
    first, second = (learn(sqlite_engine, clock).model for _ in range(2))
    whole = {one.id for one in stored_models.models(sqlite_engine) if one.has_artifact}
    assert whole == {good.id, second.id}
    with read_transaction(sqlite_engine) as connection:
        counts = connection.scalar(
            select(tables.job_run.c.counts).order_by(tables.job_run.c.id.desc()).limit(1)
        )
    assert counts["given_up"] == [first.id]
    promote.run(sqlite_engine, second.id, clock, log=lambda _: None)
    clock.advance(60)
    assert promote.rollback(sqlite_engine, clock, log=lambda _: None).id == good.id


def test_the_database_size_is_bounded(sqlite_engine: Engine) -> None:
    """Freed pages are reused; only metrics grow."""
    Music(artists=24).fill(sqlite_engine)
    clock = FakeClock()

    def pages() -> int:
        with read_transaction(sqlite_engine) as connection:
            return connection.exec_driver_sql("PRAGMA page_count").scalar_one() or 0

    sizes = []
    forest = TrainingConfig(estimator="random_forest", params={"n_estimators": 30})
    for number in range(8):
        learn(sqlite_engine, clock, forest if number else TrainingConfig(estimator="logistic"))
        clock.advance(3600)
        sizes.append(pages())
    artifact = stored_models.artifact(sqlite_engine, stored_models.models(sqlite_engine)[0].id)
    assert artifact is not None
    grown = (sizes[-1] - sizes[3]) * 4096 / 4
    assert grown < len(artifact) / 3


def test_the_commands(
    sqlite_engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pin`, `unpin`, `prune --dry-run` and `promote` write JSON; contradictions are refused."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    with transaction(sqlite_engine) as connection:
        make.add_model(connection, feature_schema={"classes": []}, artifact_sha256="x")

    def output(*arguments: str) -> object:
        done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        return json.loads(done.stdout)

    pinned, unpinned = output("pin", "1"), output("unpin", "1")
    assert isinstance(pinned, dict)
    assert isinstance(unpinned, dict)
    assert (pinned["pinned"], pinned["kept"], unpinned["pinned"]) == (True, True, False)
    nothing = {"given_up": [], "predictions": 0, "reduced": [], "shortened": []}
    assert output("prune", "--dry-run") == {**nothing, "dry_run": True}
    for arguments in (["promote"], ["promote", "1", "--back"]):
        refused = CliRunner().invoke(app, arguments)
        assert "either a model's ID or --back" in str(refused.exception)


def test_one_training_at_a_time(engine: Engine) -> None:
    """The same question is nothing to do (exit code 3), another one fails; no row is written."""
    Music().fill(engine)
    requested = {"estimator": "dummy", "params": {}, **DUMMY.as_json()}
    with job_run(engine, FakeClock(), "train", exclusive=True, facts={"asked": requested}):
        with pytest.raises(NothingToDo, match="2026-01-01 12:00:00 UTC") as same:
            learn(engine, FakeClock())
        with pytest.raises(AlreadyRunning) as other:
            learn(engine, FakeClock(), TrainingConfig(estimator="dummy", task="moods"))
    assert (same.value.exit_code, other.value.exit_code) == (3, 2)
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.job_run)) == 1


def test_a_database_that_comes_back_is_waited_for() -> None:
    """With growing gaps, as long as the patience lasts; other errors are not waited out."""
    clock, errors = FakeClock(), [DatabaseUnreachable("gone"), DatabaseFailure("gone")]

    def work() -> str:
        if errors:
            raise errors.pop()
        return "stored"

    assert retry_until_available(clock, work) == "stored"
    assert clock.slept == [1.0, 2.0]

    def never() -> None:
        raise DatabaseUnreachable("gone for good")

    with pytest.raises(DatabaseUnreachable, match="for good"):
        retry_until_available(clock, never, max_wait=60.0)
    assert clock.slept == [1.0, 2.0, 1.0, 2.0, 5.0, 15.0]
    with pytest.raises(ZeroDivisionError):
        retry_until_available(clock, lambda: 1 / 0)


def ranks(engine: Engine, model: int) -> list[int]:
    row = tables.prediction.c
    with read_transaction(engine) as connection:
        query = select(row.rank).where(row.model_id == model).distinct().order_by(row.rank)
        return list(connection.scalars(query))


def test_former_champions_keep_the_first_prediction_only(
    engine: Engine, reigns: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every track; pinned ones and the champion keep all."""
    monkeypatch.setattr(prediction_store, "_DELETED_ROWS", 2)
    first, _, third, fourth, _, champion = reigns
    with transaction(engine) as connection:
        rock, jazz = 1, make.add_genre(connection, "jazz")
        for number in range(5):
            track = make.add_track(connection, f"Other song {number}", genres=[rock])
            for model in (first, third, fourth, champion):
                make.add_predictions(connection, model, track, [(rock, 0.6), (jazz, 0.4)])
    model_store.set_pinned(engine, first, pinned=True)
    plan = retention.prune(engine, dry_run=True)
    assert (plan.reduced, plan.predictions) == ((third, fourth), 12)
    done = retention.prune(engine)
    assert (done.reduced, done.predictions) == (plan.reduced, plan.predictions)
    assert [ranks(engine, one) for one in (first, third, fourth, champion)] == [
        [1, 2],
        [1],
        [1],
        [1, 2],
    ]
    assert left(engine, "prediction").count(third) == 6
    assert retention.prune(engine).reduced == ()


def test_predictions_that_a_kill_left_are_deleted_by_the_next_pruning(
    engine: Engine, reigns: list[int]
) -> None:
    """The artifact goes first, so the model cannot be promoted in between."""
    with transaction(engine) as connection:
        without = {"artifact": None, "artifact_sha256": None}
        connection.execute(
            update(tables.model).where(tables.model.c.id == reigns[0]).values(**without)
        )
    retention.prune(engine)
    assert reigns[0] not in left(engine, "prediction")


def test_a_rollback_completes_the_predictions(sqlite_engine: Engine) -> None:
    """Those for training tracks at once, out of fold; `predict` adds the others."""
    Music().fill(sqlite_engine)
    clock = FakeClock()
    before = learn(sqlite_engine, clock, TrainingConfig(estimator="logistic")).model
    batch_predict.run(sqlite_engine, clock, progress=lambda *_: None)
    whole = left(sqlite_engine, "prediction").count(before.id)
    clock.advance(60)
    latest = learn(sqlite_engine, clock).model
    promote.run(sqlite_engine, latest.id, clock, log=lambda _: None)
    assert retention.prune(sqlite_engine).reduced == (before.id,)
    tracks = left(sqlite_engine, "prediction").count(before.id)
    assert ranks(sqlite_engine, before.id) == [1]
    assert promote.rollback(sqlite_engine, clock, log=lambda _: None).id == before.id
    pending = len(rows_to_predict.tracks_to_predict(sqlite_engine, before))
    assert pending == tracks - before.trained_rows > 0
    batch_predict.run(sqlite_engine, clock, progress=lambda *_: None)
    assert left(sqlite_engine, "prediction").count(before.id) == whole
    assert len(rows_to_predict.tracks_to_predict(sqlite_engine, before)) == 0
