"""The evidence on the page of a track: inputs hidden from the champion, and percentiles."""

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from classifier.data import dataset
from classifier.registry import stored_models
from classifier.serving import batch_predict, champion, predict_track
from classifier.serving.hidden_inputs import SOUND, HiddenPrediction, predict_with_hidden_inputs
from classifier.serving.predict_track import TrackDescription
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.progress import no_progress
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.find import UnknownTrack
from tests.database_states import once
from tests.fakes import FakeClock
from tests.synthetic_music import Music
from web.application import Site, application
from web.security import Access, host_headers


@pytest.fixture
def predicted(engine: Engine) -> Engine:
    """A champion of audio and metadata, and its predictions."""

    def fill_and_train() -> None:
        Music().fill(engine)
        config = TrainingConfig(estimator="logistic", features=("audio", "metadata"))
        train.run(engine, config, FakeClock(), log=lambda _: None, cores=1)
        batch_predict.run(engine, FakeClock(), progress=no_progress)

    once(engine, __name__, fill_and_train)
    return engine


@pytest.fixture
def client(predicted: Engine) -> Iterator[TestClient]:
    site = Site(predicted, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    yield TestClient(application(site), base_url="http://localhost:8400")
    site.predictor.close()


def tracks(engine: Engine, side: str) -> list[int]:
    """Return tracks with features on one side of the split."""
    view = views.scoring_tracks.c
    query = select(view.track_id).where(view.side == side, view.energy.is_not(None))
    with read_transaction(engine) as connection:
        return list(connection.scalars(query.order_by(view.track_id)))


def explain(engine: Engine, track: int) -> list[HiddenPrediction]:
    """Return the champion's predictions for a track with groups of its inputs hidden."""
    loaded = champion.load(engine, stored_models.champion(engine, "main"))
    predict = loaded.artifact.estimator.predict_proba
    return predict_with_hidden_inputs(engine, loaded, str(track), predict)


def test_hiding_a_group_is_describing_the_track_without_it(predicted: Engine):
    """The probabilities are those of a description without these values; all sum to 1."""
    track = tracks(predicted, "test_new")[0]
    explained = {(one.kind, one.group): one.probabilities for one in explain(predicted, track)}
    assert next(iter(explained)) == ("all", None)
    assert {("without", SOUND), ("without", "release"), ("only", SOUND)} <= set(explained)
    assert ("only", "artists") not in explained  # the model does not use them
    for probabilities in explained.values():
        assert sum(probabilities.values()) == pytest.approx(1)
    stored = predict_track.predict_track(predicted, str(track))
    best = max(explained["all", None].items(), key=lambda pair: pair[1])
    assert best == (stored.top[0][0], pytest.approx(stored.top[0][1]))
    frame = dataset.read_view("scoring_tracks", predicted).set_index("track_id")
    row = frame.loc[track]
    numbers = {
        name: float(row[name])
        for name in ("duration_ms", "popularity", "release_year", "explicit")
        if row[name] is not None and row[name] == row[name]
    }
    alone = predict_track.DescriptionPredictor(predicted).predict(
        TrackDescription(numbers=numbers)
    )
    without = explained["without", SOUND]
    for genre, share in alone.top:
        assert without[genre] == pytest.approx(share)


def test_a_training_track_is_not_explained(predicted: Engine):
    """The model remembers it."""
    with pytest.raises(UserError, match="out of fold"):
        explain(predicted, tracks(predicted, "train")[0])
    with pytest.raises(UnknownTrack):
        explain(predicted, 99999)


def test_the_page_shows_why_and_so_do_its_twins(predicted: Engine, client: TestClient):
    track = tracks(predicted, "test_new")[0]
    explained = explain(predicted, track)
    section = client.get(f"/tracks/{track}.json?why=1&section=why").json()["sections"]["why"]
    assert [row[0] for row in section["rows"]] == [
        " ".join(part for part in (one.kind, one.group) if part) for one in explained
    ]
    for row, one in zip(section["rows"], explained, strict=True):
        assert row[2] == pytest.approx(one.probabilities[row[1]])
        assert row[4] == pytest.approx(one.probabilities[row[3]])
    page = client.get(f"/tracks/{track}?why=1").text
    assert "without the sound" in page
    assert f"{100 * section['rows'][0][2]:.0f} %" in page
    assert "Hide groups of inputs" in client.get(f"/tracks/{track}").text
    trained = tracks(predicted, "train")[0]
    page = client.get(f"/tracks/{trained}?why=1").text
    assert "remembers it" in page
    assert "without the sound" not in page


def test_percentiles_are_those_of_the_tracks_with_the_label(predicted: Engine, client: TestClient):
    """Near the share of the label's tracks with a smaller value."""
    track = tracks(predicted, "test_new")[0]
    frame = dataset.read_view("scoring_tracks", predicted).set_index("track_id")
    label = frame.loc[track, "label"]
    same = frame[(frame["label"] == label) & frame["energy"].notna()]
    document = client.get(f"/tracks/{track}.json").json()["sections"]["percentiles"]
    shown = {row[0]: row[1:] for row in document["rows"]}
    value, of, percentile = shown["energy"]
    assert (of, value) == (label, pytest.approx(float(frame.loc[track, "energy"])))
    assert percentile == pytest.approx(100 * np.mean(same["energy"] < value), abs=7)
    assert "percentile: of the tracks labelled" in client.get(f"/tracks/{track}").text


def test_without_a_champion_or_features_the_page_still_stands(engine: Engine):
    Music().fill(engine)
    with transaction(engine) as connection:
        connection.execute(update(tables.track).values(features_provider=None))
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    client = TestClient(application(site), base_url="http://localhost:8400")
    assert client.get("/tracks/1?why=1").status_code == 200
    assert client.get("/tracks/1.json?why=1").json()["sections"]["why"]["rows"] == []
    with transaction(engine) as connection:
        connection.execute(update(tables.track).values(genre_id=None))
    assert client.get("/tracks/1").status_code == 200
