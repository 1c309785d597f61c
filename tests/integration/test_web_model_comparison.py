"""Two models on common test tracks: stored at the training, shown without a fit."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, delete, func, select
from starlette.testclient import TestClient

from classifier.evaluation.bootstrap import paired_comparison
from classifier.evaluation.model_comparison import CommonTestTracks, compare
from classifier.registry import stored_models
from classifier.training import promote, train
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import FakeClock
from web.application import Site, application
from web.security import Access, host_headers


@pytest.fixture
def client(database: Engine) -> Iterator[TestClient]:
    clock = FakeClock()
    for features in (("audio",), ("metadata",)):
        config = TrainingConfig(estimator="logistic", features=features)
        train.run(database, config, clock, log=lambda _: None)
    site = Site(database, clock, Access(host_headers(8400)), "genrebase.db")
    yield TestClient(application(site), base_url="http://localhost:8400")
    site.predictor.close()


def accuracies(database: Engine, model: int) -> dict[str, tuple[float, int]]:
    """Return the accuracy and the number of test tracks by test condition, from the metrics."""
    row = tables.model_metric.c
    query = select(row.regime, row.value, row.n).where(
        row.model_id == model, row.side == "test", row.metric == "accuracy", row.genre_id.is_(None)
    )
    with read_transaction(database) as connection:
        return {one.regime: (one.value, one.n) for one in connection.execute(query)}


def records(client: TestClient, address: str, name: str) -> list[dict]:
    section = client.get(address).json()["sections"][name]
    return [dict(zip(section["columns"], row, strict=True)) for row in section["rows"]]


def test_the_page_compares_stored_predictions_on_the_same_tracks(client, database):
    champion = stored_models.champion(database, "main").id
    (other,) = {one.id for one in stored_models.models(database)} - {champion}
    address = f"/models/compare.json?a={champion}&b={other}"
    conditions = records(client, address, "conditions")
    for row in conditions:
        for column, model in (("accuracy", champion), ("other_accuracy", other)):
            value, n = accuracies(database, model)[row["condition"]]
            assert (row[column], row["n"]) == (pytest.approx(value), n)
        assert row["difference"] == pytest.approx(row["accuracy"] - row["other_accuracy"])
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["only_this"] - row["only_other"] == round(row["difference"] * row["n"])
    gained = sum(row["only_this"] - row["only_other"] for row in conditions)
    assert sum(row["hits_gained"] for row in records(client, address, "genres")) == gained
    tracks = records(client, address, "tracks")
    assert tracks
    for row in tracks:
        assert (row["genre"] == row["label"]) != (row["other_genre"] == row["label"])
    turned = records(client, f"/models/compare.json?a={other}&b={champion}", "conditions")
    for row, back in zip(conditions, turned, strict=True):
        assert (back["difference"], back["low"]) == (-row["difference"], -row["high"])
    page = client.get(f"/models/compare?a={champion}&b={other}").text
    assert f'href="/tracks/{tracks[0]["track_id"]}"' in page
    assert f"/models/compare?a={other}&amp;b={champion}" in client.get("/models").text
    assert f"compare with model {other}" in client.get(f"/models/{champion}").text


def test_a_promotion_compares_again(client, database):
    champion = stored_models.champion(database, "main").id
    (other,) = {one.id for one in stored_models.models(database)} - {champion}
    before = records(client, f"/models/compare.json?a={other}&b={champion}", "conditions")
    promote.run(database, other, FakeClock(), log=lambda _: None)
    with read_transaction(database) as connection:
        pairs = connection.execute(select(tables.model_comparison.c["model_id", "other_id"])).all()
        rank = connection.scalar(select(func.max(tables.prediction.c.rank)))
    assert (pairs, rank) == ([(other, champion)], 3)
    after = records(client, f"/models/compare.json?a={other}&b={champion}", "conditions")
    assert after == [pytest.approx(row) for row in before]


def test_what_cannot_be_compared_is_said(client, database):
    for address in ("?a=1&b=99", "?a=1&b=1", ""):
        assert client.get(f"/models/compare{address}").status_code == 404
    with transaction(database) as connection:
        connection.execute(delete(tables.model_comparison))
    page = client.get("/models/compare?a=1&b=2").text
    assert "These two have no stored comparison." in page
    assert "None is stored yet." in page


def test_broad_genres_are_not_compared_by_fine_labels(database):
    for features in (("audio",), ("metadata",)):
        config = TrainingConfig(
            "broad", estimator="logistic", level="broad", unmapped="own", features=features
        )
        assert train.run(database, config, FakeClock(), log=lambda _: None).model.has_artifact
    with read_transaction(database) as connection:
        assert connection.execute(select(tables.model_comparison)).all() == []


def test_a_track_counts_under_the_condition_that_both_models_have():
    columns = ("label", "genre", "other_genre", "condition", "other_condition")
    cells = [
        ("a", "a", "b", "new_artist", "new_artist"),
        ("a", "b", "b", "new_artist", "new_artist"),
        ("b", "a", "b", "seen_artist", "seen_artist"),
        ("b", "b", "a", "seen_artist", "new_artist"),
        ("b", "b", "a", "other", "other"),
    ]
    rows = pd.DataFrame(cells, columns=columns).assign(
        track_id=range(5), probability=0.6, other_probability=0.7
    )
    artists = np.array([1, 2, 3, 4, 5])
    document = compare(CommonTestTracks(rows, artists))
    assert document["not_counted"] == 2
    unseen, seen = document["conditions"]
    assert (unseen["n"], unseen["accuracy"], unseen["other_accuracy"]) == (2, 0.5, 0.0)
    paired = paired_comparison(np.array([True, False]), np.zeros(2, bool), artists[:2], seed=0)
    assert (unseen["low"], unseen["high"]) == (paired.interval.low, paired.interval.high)
    assert (seen["only_this"], seen["only_other"], seen["low"]) == (0, 1, None)
    assert [(one["track_id"], one["genre"]) for one in document["tracks"]] == [(0, "a"), (2, "a")]
    assert {one["genre"]: one["hits_gained"] for one in document["genres"]} == {"a": 1, "b": -1}
