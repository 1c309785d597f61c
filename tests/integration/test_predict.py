"""Predictions of the champion: for a track by title, or for a description."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.serving import predict_track
from classifier.serving.predict_track import TrackDescription
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables
from tests.database_states import once
from tests.synthetic_music import Music


@pytest.fixture
def taught(engine: Engine) -> Engine:
    def fill_and_train() -> None:
        Music().fill(engine)
        choice = TrainingConfig(estimator="logistic", features=("audio", "metadata"))
        train.run(engine, choice, SystemClock(), log=lambda _: None, cores=1)

    once(engine, __name__, fill_and_train)
    return engine


def test_a_title_search_returns_predictions(taught: Engine) -> None:
    """Words of title and artist match regardless of case and spacing."""
    (predictions,) = predict_track.predict_search(taught, "  SONG   480 ")
    assert predictions.title == "Song 480"
    assert (
        predictions.as_json()
        == predict_track.predict_track(taught, str(predictions.track)).as_json()
    )
    assert len(predict_track.predict_search(taught, "song")) == predict_track.MAX_SEARCH_RESULTS


@pytest.mark.parametrize("text", ["%", "_", "   ", "no such song"])
def test_no_track_is_a_sentence(taught: Engine, text: str) -> None:
    """Signs that SQL would take for patterns are only signs."""
    with pytest.raises(UserError, match="--title"):
        predict_track.predict_search(taught, text)


def test_a_described_track_is_predicted_like_a_stored_one(taught: Engine) -> None:
    """The same values give the same probabilities; nothing is stored."""
    held_out = next(
        int(row.track_id)
        for row in dataset.read_view("scoring_tracks", taught).itertuples()
        if row.side == "test_new"
    )
    row = dataset.read_view("scoring_tracks", taught).set_index("track_id").loc[held_out]
    numbers = {
        name: float(row[name]) for name in predict_track.NUMERIC_INPUTS if row.notna()[name]
    }
    predictions = predict_track.DescriptionPredictor(taught).predict(
        TrackDescription(row["title"], (row["artists"],), None, numbers)
    )
    stored = predict_track.predict_track(taught, str(held_out))
    assert dict(predictions.top) == pytest.approx(dict(stored.top))
    assert (predictions.regime, predictions.track) == (stored.regime, None) == ("new_artist", None)


def test_a_described_track_of_a_seen_artist_has_its_regime(taught: Engine) -> None:
    """Case and accents of the name do not matter."""
    tracks = dataset.read_view("training_tracks", taught)
    artist = str(tracks.loc[tracks["side"] == "train", "artists"].iloc[0]).split("; ")[0]
    assert (
        predict_track.DescriptionPredictor(taught)
        .predict(TrackDescription("?", (artist.upper(),)))
        .regime
        == "seen_artist"
    )
    assert (
        predict_track.DescriptionPredictor(taught)
        .predict(TrackDescription("?", ("Nobody",)))
        .regime
        == "new_artist"
    )


def test_what_cannot_be_is_refused() -> None:
    """An unknown feature with the nearest one, a number out of range with the range."""
    with pytest.raises(BadTrainingConfig, match="'energy'"):
        TrackDescription(numbers={"enrgy": 0.5})
    with pytest.raises(BadTrainingConfig, match="between 0 and 1"):
        TrackDescription(numbers={"energy": 80})


def test_commands_write_documents(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search gives a list of predictions, a description one; a bad feature is refused."""
    monkeypatch.setenv("STORE_URL", sqlite_url)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, [*arguments, "--json"])

    from genrebase.store.engine import make_engine

    engine = make_engine(sqlite_url)
    Music().fill(engine)
    engine.dispose()
    assert run("train", "--estimator", "logistic", "--features", "audio").exit_code == 0
    document = json.loads(run("predict", "--search", "song 12").stdout)
    assert document["search"] == "song 12"
    assert {"track", "genre", "top", "regime"} <= set(document["answers"][0])
    document = json.loads(run("predict", "--artist", "X", "--feature", "energy=0.4").stdout)
    assert document["track"] is None
    assert len(document["top"]) == min(tables.PREDICTIONS_PER_TRACK, 3)
    refused = run("predict", "--feature", "energy")
    assert "write --feature name=value" in str(refused.exception)
    refused = run("predict", "--feature", "energy=loud")
    assert isinstance(refused.exception, BadTrainingConfig)
