"""Of the tracks of a database, how many a model was trained on, and why not on the others."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from starlette.testclient import TestClient

from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.fakes import FakeClock
from web.application import Site, application
from web.security import Access, host_headers

LIMITED = {
    "licence_or_level": 40,
    "no_label": 7,
    "few_tracks": 3,
}


@pytest.fixture
def catalogue(database: Engine) -> Engine:
    """Tracks without a label, of a genre with three tracks, and with a label under CC BY-NC."""
    with transaction(database) as connection:
        rare = make.add_genre(connection, "skiffle")
        for number in range(7):
            make.add_track(connection, f"Nothing {number}", [f"Nobody {number}"])
        for number in range(3):
            make.add_track(connection, f"Rare {number}", [f"Rare {number}"], genres=[rare])
        sighting = tables.sighting.c
        some = sighting.track_id.in_(range(1, 41))
        for where, licence in ((~some, "cc0"), (some, "cc-by-nc-4.0")):
            connection.execute(update(tables.sighting).where(where).values(licence=licence))
    return database


def counts(database: Engine, **options: Any) -> dict[str, Any]:
    config = TrainingConfig(estimator="logistic", **options)
    model = train.run(database, config, FakeClock(), log=lambda _: None).model
    row = tables.model.c
    query = select(row.track_counts, row.trained_rows).where(row.id == model.id)
    with read_transaction(database) as connection:
        stored, trained = connection.execute(query).one()
        tracks = connection.scalar(select(func.count()).select_from(tables.track))
    assert stored["trained"] == trained
    assert stored["tracks"] == tracks
    assert trained + sum(stored["left_out"].values()) == tracks
    left_out: dict[str, Any] = stored["left_out"]
    return left_out


def sides(database: Engine, side: str) -> int:
    """Return how many labelled tracks of the common genres a side has."""
    row = tables.track.c
    query = select(func.count()).where(row.side.startswith(side), row.genre_id <= 3)
    with read_transaction(database) as connection:
        return connection.scalar(query) or 0


def test_each_track_counts_once(catalogue):
    plain = counts(catalogue)
    assert plain == {
        "no_label": 7,
        "few_tracks": 3,
        "test": sides(catalogue, "test"),
        "validation": sides(catalogue, "validation"),
        **({"no_side": sides(catalogue, "none")} if sides(catalogue, "none") else {}),
    }
    assert counts(catalogue, per_genre=20)["per_genre"] == sides(catalogue, "train") - 60
    assert counts(catalogue, exclude=("metal",))["other_genre"] == 160
    limited = counts(catalogue, tracks_per_genre=20)
    assert limited["tracks_per_genre"] >= sides(catalogue, "train") - 60
    restricted = counts(catalogue, licence="open", tracks_per_genre=30)
    assert {name: restricted[name] for name in LIMITED} == LIMITED


def test_the_pages_say_why(catalogue):
    counts(catalogue, licence="open")
    site = Site(catalogue, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    client = TestClient(application(site), base_url="http://localhost:8400")
    rows = client.get("/models/1.json?section=training").json()["sections"]["training"]["rows"]
    assert ["without a label under an open licence", 40, 40 / 490] in rows
    assert sum(tracks for _, tracks, _ in rows) == 490
    overview = client.get("/").text
    assert f"trained on {rows[0][1]} of 490 tracks" in overview
    assert "40 without a label under an open licence" in overview
    assert "Tracks it was not trained on" in client.get("/models/1").text
