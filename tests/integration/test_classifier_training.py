"""Models in a database: training, evaluation, promotion, replacement and rollback."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, delete, func, insert, select, update

from classifier import estimators
from classifier.data import dataset
from classifier.errors import BadParameter, NoChampion, TooFewTracks
from classifier.registry import model_store, prediction_store, stored_models
from classifier.serving import batch_predict
from classifier.serving import champion as serving
from classifier.training import promote, train
from classifier.training.train import TrainResult
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.progress import no_progress
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.deep_estimators import DEEP
from tests.fakes import NOON, FakeClock
from tests.small_estimators import SMALL
from tests.synthetic_music import Music
from tests.trained_music import LOGISTIC, fill_and_train


def trained(
    engine: Engine, choice: TrainingConfig = LOGISTIC, *, again: bool = False
) -> TrainResult:
    return train.run(engine, choice, FakeClock(), log=lambda _: None, again=again)


def scored(
    engine: Engine, clock: FakeClock | None = None, task: str = "main"
) -> batch_predict.ScoringResult:
    return batch_predict.run(engine, clock or FakeClock(), task=task, progress=no_progress)


def counted(engine: Engine, table: str) -> int:
    with read_transaction(engine) as connection:
        return connection.scalar(select(func.count()).select_from(tables.metadata.tables[table]))


def outcomes(engine: Engine, job: str) -> list[str]:
    run = tables.job_run
    with read_transaction(engine) as connection:
        return list(
            connection.scalars(select(run.c.outcome).where(run.c.job == job).order_by(run.c.id))
        )


def test_a_first_model_becomes_champion_and_predicts_every_track(engine: Engine) -> None:
    """Metrics, confusions and at most five ranks per track are stored for every track."""
    done = fill_and_train(engine)
    assert done.model.status == "champion"
    assert done.model.metrics["seen_artist"]["accuracy"] > 0.7
    assert counted(engine, "model_metric") > 100
    assert counted(engine, "confusion") >= 3
    reported = scored(engine)
    everything = len(Music().songs)
    assert reported.scored == everything - done.model.trained_rows
    assert counted(engine, "prediction") == 3 * everything
    with read_transaction(engine) as connection:
        stored = connection.execute(select(views.predictions)).mappings().all()
    assert len(stored) == everything
    assert sum(row["in_training"] for row in stored) == done.model.trained_rows
    right = [row["correct"] for row in stored if row["in_training"]]
    assert sum(right) / len(right) > 0.7


def test_training_and_predicting_again_writes_nothing(engine: Engine) -> None:
    """With the same tracks, parameters and code the stored model is returned unchanged."""
    first = fill_and_train(engine)
    scored(engine)
    before = {table: counted(engine, table) for table in ("model", "prediction", "model_metric")}
    second = trained(engine)
    assert second.nothing_new
    assert second.model == first.model
    assert scored(engine).scored == 0
    assert before == {table: counted(engine, table) for table in before}
    assert outcomes(engine, "train") == ["done", "nothing_new"]
    assert outcomes(engine, "predict") == ["done", "nothing_new"]


def test_new_features_are_new_data(engine: Engine) -> None:
    """A training without most features warns; new features alone cause a new training."""
    music = Music()
    music.fill(engine)
    features = tables.audio_features
    late = [song.id for song in music.songs if song.id % 3]
    with transaction(engine) as connection:
        chosen = features.c.track_id.in_(late)
        rows = [dict(row) for row in connection.execute(select(features).where(chosen)).mappings()]
        connection.execute(delete(features).where(chosen))
    early = trained(engine)
    warning = early.warnings[0]
    assert "have no audio features yet" in warning
    assert "`collector enrich`" in warning
    assert trained(engine).warnings == (warning,)
    with transaction(engine) as connection:
        connection.execute(insert(features), rows)
    analysed = trained(engine)
    assert (analysed.nothing_new, analysed.warnings) == (False, ())
    assert analysed.model.data_fingerprint != early.model.data_fingerprint
    assert outcomes(engine, "train") == ["done", "nothing_new", "done"]


def test_a_repeated_model_is_rejected_with_the_same_metrics(sqlite_engine: Engine) -> None:
    """A forced second training gives identical metrics and is not promoted."""
    first, second = fill_and_train(sqlite_engine), trained(sqlite_engine, again=True)
    assert second.model.metrics == first.model.metrics
    assert second.model.status == "rejected"
    assert f"model {first.model.id}" in (second.model.reason or "")
    rows = select(
        tables.model_metric.c.side, tables.model_metric.c.metric, tables.model_metric.c.value
    ).order_by(tables.model_metric.c.id)
    with read_transaction(sqlite_engine) as connection:
        figures = [
            connection.execute(rows.where(tables.model_metric.c.model_id == done.model.id)).all()
            for done in (first, second)
        ]
    assert figures[0] == figures[1]


def test_more_tracks_make_a_new_champion_and_retire_the_old(engine: Engine) -> None:
    """5% more rows and not worse is enough; there is one champion at any time."""
    music = Music(artists=90)
    few = music.songs[: len(music.songs) * 3 // 4]
    music.fill(engine)
    with transaction(engine) as connection:
        rest = [song.id for song in music.songs[len(few) :]]
        connection.execute(
            update(tables.track).where(tables.track.c.id.in_(rest)).values(genre_id=None)
        )
    old = trained(engine)
    with transaction(engine) as connection:
        for song in music.songs[len(few) :]:
            connection.execute(
                update(tables.track)
                .where(tables.track.c.id == song.id)
                .values(genre_id=song.genre + 1)
            )
    new = trained(engine)
    assert new.model.trained_rows >= 1.05 * old.model.trained_rows
    statuses = {model.id: model.status for model in stored_models.models(engine)}
    assert statuses == {old.model.id: "retired", new.model.id: "champion"}
    assert scored(engine).model == new.model.id


def test_a_worse_model_is_rejected_and_can_be_promoted_by_hand(engine: Engine) -> None:
    """Promotion adds predictions for its training tracks; a rollback restores the former one."""
    good = fill_and_train(engine).model
    bad = trained(engine, TrainingConfig(estimator="dummy")).model
    assert bad.status == "rejected"
    assert (bad.reason or "").startswith("Worse than model")
    promoted = promote.run(engine, bad.id, FakeClock(), log=lambda _: None)
    assert (promoted.status, promoted.reason) == ("champion", "Promoted by hand.")
    reported = scored(engine)
    assert reported.model == bad.id
    predictions = tables.prediction
    honest = select(func.count()).where(
        predictions.c.model_id == bad.id, predictions.c.in_training, predictions.c.rank == 1
    )
    with read_transaction(engine) as connection:
        assert connection.scalar(honest) == bad.trained_rows
    back = promote.run(engine, good.id, FakeClock(), log=lambda _: None)
    assert back.status == "champion"
    assert stored_models.model(engine, bad.id).status == "retired"
    assert promote.run(engine, good.id, FakeClock(), log=lambda _: None).id == good.id
    with pytest.raises(UserError, match="no model 99"):
        promote.run(engine, 99, FakeClock(), log=lambda _: None)


def test_a_model_of_fewer_genres_does_not_replace_the_champion(sqlite_engine: Engine) -> None:
    """The missing genre counts against it; as its own task the model is promoted."""
    champion = fill_and_train(sqlite_engine).model
    pair = TrainingConfig(estimator="logistic", genres=("blues", "metal"))
    assert trained(sqlite_engine, pair).model.status == "rejected"
    own = TrainingConfig(estimator="logistic", genres=("blues", "metal"), task="pair")
    assert trained(sqlite_engine, own).model.status == "champion"
    result = stored_models.find_champion(sqlite_engine, "main")
    assert result is not None
    assert result.id == champion.id


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        (TrainingConfig(estimator="logistic", min_tracks=10_000), TooFewTracks, "10000"),
        (TrainingConfig(estimator="logistics"), UserError, "Did you mean 'logistic'"),
        (TrainingConfig(estimator="logistic", params={"x": 1}), BadParameter, "x"),
        (TrainingConfig(estimator="logistic", params={"C": -1}), BadParameter, "C"),
    ],
)
def test_a_refused_training_writes_nothing(
    sqlite_engine: Engine, choice: TrainingConfig, error: type[Exception], message: str
) -> None:
    """No half model, and no failed run: nothing was run."""
    Music().fill(sqlite_engine)
    with pytest.raises(error, match=message):
        trained(sqlite_engine, choice)
    assert counted(sqlite_engine, "model") == 0
    assert outcomes(sqlite_engine, "train") == []


def test_predicting_without_a_model_fails_with_a_message(sqlite_engine: Engine) -> None:
    """The message names the command to run first."""
    with pytest.raises(NoChampion, match="classifier train"):
        scored(sqlite_engine)


def test_only_changed_tracks_are_predicted_again(engine: Engine) -> None:
    """New features renew one prediction; a training track keeps its out-of-fold prediction."""
    model = fill_and_train(engine).model
    clock = FakeClock(NOON + timedelta(hours=1))
    scored(engine, clock)
    predictions = tables.prediction
    tracks = select(predictions.c.track_id).where(
        predictions.c.model_id == model.id, predictions.c.rank == 1
    )
    with read_transaction(engine) as connection:
        free = connection.scalars(tracks.where(~predictions.c.in_training)).first()
        learned = connection.scalars(tracks.where(predictions.c.in_training)).first()
    clock.advance(60)
    with transaction(engine) as connection:
        connection.execute(
            update(tables.track)
            .where(tables.track.c.id.in_([free, learned]))
            .values(updated_at=clock.now())
        )
    clock.advance(60)
    again = scored(engine, clock)
    assert (again.scored, again.written) == (1, 3)
    assert scored(engine, clock).scored == 0


def test_new_tracks_are_scored_without_touching_the_old(engine: Engine) -> None:
    """Incremental, labelled or not."""
    music = Music()
    fill_and_train(engine)
    scored(engine)
    more = Music(artists=6, seed=0).songs[:4]
    fresh = [type(song)(**{**song.__dict__, "id": 9000 + song.id}) for song in more]
    with transaction(engine) as connection:
        for song in fresh:
            row = music.track(song) | {
                "identity": f"fresh {song.id}",
                "name_key": f"fresh {song.id}",
                "genre_id": None,
            }
            seen = {"first_seen_at": NOON, "last_seen_at": NOON, "updated_at": NOON}
            connection.execute(insert(tables.track).values(**row, **seen))
    assert scored(engine).scored == 4


def test_deleted_tracks_and_genres_do_not_stop_the_scoring(sqlite_engine: Engine) -> None:
    """A merged genre is left out of the predictions, a deleted track of all of them."""
    model = fill_and_train(sqlite_engine).model
    with transaction(sqlite_engine) as connection:
        connection.execute(delete(tables.genre).where(tables.genre.c.name == "techno"))
    reported = scored(sqlite_engine)
    assert reported.written == 2 * reported.scored
    gone = prediction_store.PredictionBatch(
        np.array([123_456]),
        np.array([[1]]),
        np.array([[1.0]]),
        np.array([True]),
        in_training=False,
    )
    written = prediction_store.write_predictions(sqlite_engine, model.id, gone, NOON)
    assert list(written) == [(0, 0)]


def test_an_unusable_champion_is_replaced(sqlite_engine: Engine) -> None:
    """With a damaged artifact predicting fails and a new training replaces the champion."""
    broken = fill_and_train(sqlite_engine).model
    with transaction(sqlite_engine) as connection:
        connection.execute(update(tables.model).values(artifact=b"something else"))
    with pytest.raises(Exception, match="SHA-256 differs"):
        scored(sqlite_engine)
    after = trained(sqlite_engine)
    assert (after.nothing_new, after.model.status) == (False, "champion")
    assert stored_models.model(sqlite_engine, broken.id).status == "retired"


def test_a_training_that_was_overtaken_is_rejected(sqlite_engine: Engine) -> None:
    """Another champion came up meanwhile: two trainers leave one champion and a reason."""
    first = fill_and_train(sqlite_engine).model
    second = trained(sqlite_engine, again=True).model
    with pytest.raises(Exception, match="train again"):
        model_store.promote(
            sqlite_engine,
            second.id,
            "main",
            "late",
            NOON,
            model_store.PromotionRequest(None, expected_champion=None),
        )
    result = stored_models.find_champion(sqlite_engine, "main")
    assert result is not None
    assert result.id == first.id


def test_a_model_of_a_synthetic_catalogue_is_marked(sqlite_engine: Engine) -> None:
    """The origin is stored with the model and returned with every prediction."""
    Music().fill(sqlite_engine)
    with transaction(sqlite_engine) as connection:
        connection.execute(
            insert(tables.catalogue_origin).values(
                id=1, kind="synthetic", detail="sandbox seed 7", recorded_at=NOON
            )
        )
    assert trained(sqlite_engine).model.origin == "sandbox seed 7"
    assert scored(sqlite_engine).origin == "sandbox seed 7"


def test_the_champion_predicts_any_dataframe(sqlite_engine: Engine, sqlite_url: str) -> None:
    """The notebook function returns one column per genre and the frame's own index."""
    import classifier  # the package's public door

    model = fill_and_train(sqlite_engine).model
    champion = classifier.champion(sqlite_url)
    frame = dataset.read_view(
        "scoring_tracks", sqlite_engine, columns=["energy", "tempo"], limit=5
    )
    frame.index = list("abcde")
    shares = champion.predict_proba(frame)
    assert list(shares.columns) == list(model.classes)
    assert list(shares.index) == list("abcde")
    assert np.allclose(shares.sum(axis=1), 1)
    assert isinstance(champion, serving.LoadedModel)


def test_every_estimator_can_be_trained_and_stored(sqlite_engine: Engine) -> None:
    """Through the whole path, each as its own task."""
    Music(artists=30).fill(sqlite_engine)
    for name in set(estimators.names()) - set(DEEP):
        choice = TrainingConfig(estimator=name, task=name, params=SMALL.get(name, {}))
        assert trained(sqlite_engine, choice).model.estimator == name
