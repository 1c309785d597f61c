"""The champion's configuration refitted on all labelled tracks, for serving only."""

import numpy as np
import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import dataset
from classifier.data import training_data as selecting
from classifier.errors import BadTrainingConfig, NoChampion
from classifier.model_records import StoredModel
from classifier.registry import stored_models
from classifier.serving import champion, predict_track
from classifier.serving.predict_track import TrackDescription, described_rows
from classifier.training import promote, refit, train
from classifier.training_config import TrainingConfig
from genrebase.errors import GenrebaseError
from genrebase.runtime import jobs
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.classifier_cli import run_json, run_text
from tests.database_states import once
from tests.fakes import FakeClock
from tests.synthetic_music import Music

CHOICE = TrainingConfig(estimator="logistic", features=("audio",), min_tracks=20)


def quiet(_: str) -> None:
    """Log nothing."""


def trained(engine: Engine, choice: TrainingConfig = CHOICE) -> StoredModel:
    return train.run(engine, choice, FakeClock(), log=quiet).model


def refitted(engine: Engine) -> StoredModel:
    return refit.run(engine, "main", FakeClock(), log=quiet).model


def with_champion(engine: Engine) -> StoredModel:
    """Return the champion, trained on an empty database that was filled with music."""

    def fill_and_train() -> StoredModel:
        Music().fill(engine)
        return trained(engine)

    return once(engine, with_champion, fill_and_train)


def with_refit(engine: Engine) -> tuple[StoredModel, StoredModel]:
    """Return the champion and its refit."""

    def train_and_refit() -> tuple[StoredModel, StoredModel]:
        return with_champion(engine), refitted(engine)

    return once(engine, with_refit, train_and_refit)


def test_a_refit_is_trained_on_all_but_the_validation_split(engine: Engine):
    """Test tracks and mixed credits are included; metrics are the parent's, none is stored."""
    parent, model = with_refit(engine)
    tracks = dataset.load_dataset(engine).tracks
    validation = tracks["side"].str.startswith("validation")
    learned = champion.load(engine, model).artifact.train_ids
    assert set(learned) == set(tracks.loc[~validation, "track_id"])
    assert (model.status, model.parent_id) == ("refit", parent.id)
    assert model.trained_rows == len(learned) > parent.trained_rows
    assert model.metrics == {**parent.metrics, "of_model": parent.id}
    assert (model.estimator, model.training_config) == (parent.estimator, parent.training_config)
    assert stored_models.champion(engine, "main").id == parent.id
    metric = tables.model_metric
    with read_transaction(engine) as connection:
        own = select(func.count()).where(metric.c.model_id == model.id)
        assert connection.scalar(own) == 0
        result = select(func.count()).where(tables.prediction.c.model_id == model.id)
        assert connection.scalar(result) == 0


def test_an_equal_refit_is_not_repeated(sqlite_engine: Engine):
    """The same tracks, parent and code return the stored refit; a training returns the parent."""
    parent, model = with_refit(sqlite_engine)
    assert refitted(sqlite_engine).id == model.id
    assert trained(sqlite_engine).id == parent.id
    assert len(stored_models.models(sqlite_engine)) == 2


def test_one_training_at_a_time(sqlite_engine: Engine):
    """During another training nothing is refitted; growth still counts from the last training."""
    with_champion(sqlite_engine)
    other = jobs.job_run(sqlite_engine, FakeClock(), "train moods", exclusive=True)
    with other, pytest.raises(jobs.AlreadyRunning):
        refitted(sqlite_engine)
    refitted(sqlite_engine)
    last = jobs.last_run(sqlite_engine, "train", jobs.COMPLETED_OUTCOMES)
    assert last is not None
    assert last.counts["labelled"] == 480


def test_a_refit_predicts_tracks_outside_the_database(sqlite_engine: Engine):
    """Descriptions are predicted by the refit, stored tracks by the champion."""
    parent = with_champion(sqlite_engine)
    track = TrackDescription(artists=("Artist 1 of 0",), numbers={"energy": 0.5})
    assert predict_track.DescriptionPredictor(sqlite_engine).predict(track).model == parent.id
    model = refitted(sqlite_engine)
    described = predict_track.DescriptionPredictor(sqlite_engine).predict(track)
    assert described.model == model.id
    shares = champion.load(sqlite_engine, model).predict_proba(described_rows([track])).iloc[0]
    assert dict(described.top) == pytest.approx(dict(shares))
    tested = selecting.split_dataset(dataset.load_dataset(sqlite_engine), CHOICE)
    existing = int(tested.ids[tested.held_out("test")][0])
    assert predict_track.predict_track(sqlite_engine, str(existing)).model == parent.id


def artist_on(engine: Engine, part: str, *others: str) -> str:
    """Return an artist with tracks on the sides of this part, and else on these only."""
    tracks = dataset.load_dataset(engine).tracks
    credited = tracks.assign(artist=tracks["artists"].str.split("; ")).explode("artist")
    sides = credited.groupby("artist")["side"].agg(frozenset)
    return next(
        str(artist)
        for artist, ours in sides.items()
        if f"{part}_new" in ours and ours <= {f"{part}_new", f"{part}_seen", *others}
    )


def test_an_artist_held_out_for_the_test_is_named_so_until_a_refit_knows_it(database: Engine):
    """Without a refit the text says why the artist is unseen, and what to do; JSON has it, too."""
    with_champion(database)
    artist = artist_on(database, "test", "none")
    document = run_json("predict", "--artist", artist)
    assert (document["regime"], document["held_out"]) == ("new_artist", "test")
    text = " ".join(run_text("predict", "--artist", artist).split())
    assert "held out for the test: the champion was not trained on it." in text
    assert "`classifier train --refit`" in text
    refitted(database)
    document = run_json("predict", "--artist", artist)
    assert (document["regime"], document["held_out"]) == ("seen_artist", None)
    assert "an artist seen in training" in run_text("predict", "--artist", artist)


def test_an_artist_held_out_for_validation_stays_unseen(database: Engine):
    """No model is trained on the validation sides, a refit neither."""
    with_refit(database)
    artist = artist_on(database, "validation")
    assert run_json("predict", "--artist", artist)["held_out"] == "validation"
    assert "no model is trained on it" in run_text("predict", "--artist", artist)
    assert run_json("predict", "--artist", "Nobody")["held_out"] is None


def test_a_stored_track_keeps_the_evaluated_model(database: Engine):
    """Its prediction and condition are the champion's, with a refit too; the text says so."""
    parent, _ = with_refit(database)
    tracks = dataset.load_dataset(database).tracks
    for side, held_out in (("test_new", "test"), ("test_seen", "test"), ("train", None)):
        track = str(tracks.loc[tracks["side"] == side, "track_id"].iloc[0])
        document = run_json("predict", "--track", track)
        assert (document["model"], document["held_out"]) == (parent.id, held_out)
        text = " ".join(run_text("predict", "--track", track).split())
        assert ("the track is held out for the test" in text) is (held_out == "test")


def test_another_champion_ends_its_service(sqlite_engine: Engine):
    """A refit serves as long as its parent is champion."""
    first, _ = with_refit(sqlite_engine)
    second = trained(sqlite_engine, TrainingConfig(estimator="dummy", min_tracks=20))
    promote.run(sqlite_engine, second.id, FakeClock(), log=quiet)
    track = TrackDescription(numbers={"energy": 0.5})
    assert predict_track.DescriptionPredictor(sqlite_engine).predict(track).model == second.id
    promote.run(sqlite_engine, first.id, FakeClock(), log=quiet)
    assert predict_track.DescriptionPredictor(sqlite_engine).predict(track).model not in (
        first.id,
        second.id,
    )


def test_a_damaged_refit_is_replaced_by_its_parent(sqlite_engine: Engine):
    """Without a usable artifact the champion predicts."""
    parent, model = with_refit(sqlite_engine)
    with transaction(sqlite_engine) as connection:
        damaged = tables.model.update().where(tables.model.c.id == model.id)
        connection.execute(damaged.values(artifact=b"nothing"))
    assert (
        predict_track.DescriptionPredictor(sqlite_engine)
        .predict(TrackDescription(numbers={"energy": 0.5}))
        .model
        == parent.id
    )


def test_a_refit_is_never_promoted(sqlite_engine: Engine):
    """The error names its parent; it is deleted with its parent."""
    Music().fill(sqlite_engine)
    with pytest.raises(NoChampion):
        refitted(sqlite_engine)
    parent, model = with_refit(sqlite_engine)
    with pytest.raises(BadTrainingConfig, match=f"promote {parent.id}"):
        promote.run(sqlite_engine, model.id, FakeClock(), log=quiet)
    with transaction(sqlite_engine) as connection:
        connection.execute(tables.model.delete().where(tables.model.c.id == parent.id))
    assert stored_models.models(sqlite_engine) == []


def test_a_refit_keeps_the_limit_per_genre(sqlite_engine: Engine):
    """A champion of so many tracks per genre is refitted on as many, from all splits."""
    Music().fill(sqlite_engine)
    trained(sqlite_engine, TrainingConfig(estimator="logistic", per_genre=40, min_tracks=20))
    model = refitted(sqlite_engine)
    tracks = dataset.load_dataset(sqlite_engine).tracks.set_index("track_id")
    learned = tracks.loc[champion.load(sqlite_engine, model).artifact.train_ids]
    assert set(learned["label"].value_counts()) == {40}
    assert np.char.startswith(learned["side"].to_numpy(dtype=str), "test").any()


def test_the_command(database: Engine):
    """The document names the parent; options that the parent decides are refused."""
    parent = with_champion(database)
    made = run_json("train", "--refit")
    assert (made["status"], made["parent"]) == ("refit", parent.id)
    assert made["metrics"]["of_model"] == parent.id
    listed = CliRunner().invoke(app, ["models"], env={"COLUMNS": "200"})
    assert f"refit of {parent.id}" in listed.stdout
    result = " ".join(CliRunner().invoke(app, ["train", "--refit"]).stdout.split())
    assert f"metrics below are of model {parent.id}" in result
    assert f"Nothing new: already stored as model {made['id']}" in result
    assert run_json("train", "--refit")["nothing_new"]
    for wrong in (("--estimator", "dummy"), ("--snapshot", "x")):
        ran = CliRunner().invoke(app, ["train", "--refit", *wrong])
        assert isinstance(ran.exception, GenrebaseError)
        assert ran.exception.exit_code == 2
