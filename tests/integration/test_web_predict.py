"""The page that predicts described tracks, with a real champion."""

import csv
import io
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from classifier.serving.predict_track import DescriptionPredictor, TrackDescription
from tests.classifier_cli import run_text
from tests.fakes import FakeClock
from tests.trained_music import fill_and_train
from web.application import Site, application
from web.predictor import ModelThread
from web.security import Access, host_headers


@pytest.fixture
def client(database: Engine) -> Iterator[TestClient]:
    fill_and_train(database)
    site = Site(database, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    yield TestClient(application(site), base_url="http://localhost:8400")
    site.predictor.close()


def test_the_page_and_its_twins_give_the_commands_prediction(client, database):
    address = "?title=Blue+Moon&artists=Nobody+%3B+Somebody+Else&energy=0.5&tempo=120"
    expected = DescriptionPredictor(database).predict(
        TrackDescription(
            "Blue Moon", ("Nobody", "Somebody Else"), None, {"energy": 0.5, "tempo": 120.0}
        )
    )
    document = client.get(f"/predict.json{address}").json()
    rows = document["sections"]["prediction"]["rows"]
    assert [(genre, share) for _, genre, share in rows] == list(expected.top)
    assert document["sections"]["model"]["rows"] == [[expected.model, expected.regime, None]]
    table = list(csv.reader(io.StringIO(client.get(f"/predict.csv{address}").text)))
    assert [row[1] for row in table[1:]] == [genre for genre, _ in expected.top]
    page = client.get(f"/predict{address}").text
    assert f"{100 * expected.top[0][1]:.1f} %" in page
    assert "The model has not seen the artists." in page


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("?tempo=fast", "tempo is a number, not"),
        ("?energy=7", "energy is between 0 and 1, not 7"),
        ("?loudness=nan", "loudness is a number, not"),
        ("?duration_ms=210", "A duration of 210 ms is shorter than a second: write minutes"),
        ("?duration_ms=3:75", "duration_ms is a number, not"),
        ("?title=&tempo=", "Nothing was filled in"),
    ],
)
def test_a_wrong_number_gets_a_sentence(client, address, sentence):
    response = client.get(f"/predict{address}")
    assert response.status_code == 422
    assert sentence in response.text
    assert "Fill in the form." not in response.text
    twin = client.get(f"/predict.json{address}")
    assert twin.status_code == 422
    assert sentence in twin.json()["detail"]


def test_a_duration_in_minutes_and_a_number_without_effect(client):
    """No track of the training has explicit words, so the model ignores that, and says so."""
    rows = client.get("/predict.json?title=x&duration_ms=3:30").json()["sections"]["prediction"]
    same = client.get("/predict.json?title=x&duration_ms=210000").json()["sections"]["prediction"]
    assert rows == same
    page = client.get("/predict?title=x&explicit=0&energy=0.9").text
    assert "does not use explicit here" in page


def test_what_the_model_does_not_use_of_a_description_is_said(client):
    """On the page, by the API and by the command, in one sentence."""
    sentence = "Model 1 does not use the title and artists: it was trained without."
    assert sentence in client.get("/predict?title=Blue+Moon&artists=Ann&energy=0.5").text
    items = [{"title": "x", "artists": ["Ann"]}, {"title": "x"}, {"features": {"tempo": 90}}]
    results = client.post("/api/v1/predict", json={"items": items}).json()["results"]
    assert [one["note"] for one in results] == [
        sentence, "Model 1 does not use the title: it was trained without.", None
    ]  # fmt: skip
    printed = run_text("predict", "--title", "Blue Moon", "--artist", "Ann")
    assert sentence in " ".join(printed.split())


def test_waiting_predictions_hold_no_connection(client, database, monkeypatch):
    """While many predictions wait for the model, other pages are still answered."""
    in_use = []
    submit = ModelThread.submit

    def observed(self, rows):
        in_use.append(database.pool.checkedout())
        return submit(self, rows)

    monkeypatch.setattr(ModelThread, "submit", observed)
    assert client.get("/predict.json?title=Blue+Moon").status_code == 200
    assert in_use == [0]


def test_without_a_champion(engine):
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    empty = TestClient(application(site), base_url="http://localhost:8400")
    assert empty.get("/predict").status_code == 200
    response = empty.get("/predict?title=x")
    assert response.status_code == 422
    assert "has no champion yet" in response.text
