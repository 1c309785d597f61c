"""The order in which a label teaches the most, over a database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from genrebase.digests.refresh import refresh
from genrebase.store.engine import transaction
from tests import factories as make
from tests.fakes import NOON, FakeClock
from web.application import Site, application
from web.security import Access, host_headers


@pytest.fixture
def disputed(engine: Engine) -> Engine:
    """Six rock tracks of two artists predicted as jazz, one of a third predicted as pop."""
    with transaction(engine) as connection:
        rock, jazz, pop = (make.add_genre(connection, name) for name in ("rock", "jazz", "pop"))
        model = make.add_model(connection, feature_schema={"classes": ["rock", "jazz", "pop"]})
        for number in range(6):
            artist = "Ann" if number < 4 else "Bo"
            track = make.add_track(connection, f"Song {number}", [artist], genres=[rock])
            share = 0.9 - number / 100
            make.add_predictions(connection, model, track, [(jazz, share), (rock, 1 - share)])
        track = make.add_track(connection, "Song 6", ["Cy"], genres=[rock])
        make.add_predictions(connection, model, track, [(pop, 0.99), (rock, 0.01)])
        judged = make.add_track(connection, "Song 7", ["Ann"], genres=[rock])
        make.add_verdict(connection, judged, pop, "Zoé")
    return engine


def listed(engine: Engine, address: str) -> list[str]:
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    client = TestClient(application(site), base_url="http://localhost:8400")
    section = client.get(address).json()["sections"]["disputes"]
    return [row[section["columns"].index("title")] for row in section["rows"]]


def test_pairs_count_artists_take_turns_and_judged_ones_wait(disputed: Engine):
    """Bo's first, then Cy's rare pair, then Ann's: she has a label; then the second ones."""
    expected = ["Song 4", "Song 6", "Song 0", "Song 5", "Song 1", "Song 2", "Song 3"]
    assert listed(disputed, "/disputes.json?order=learns_most") == expected
    refresh(disputed, FakeClock())
    assert listed(disputed, "/disputes.json?order=learns_most") == expected
    assert listed(disputed, "/disputes.json")[0] == "Song 6"


def test_the_page_counts_all_disputes_and_those_settled_since(disputed: Engine):
    """Digests are not computed at each label: the page subtracts what people settled since."""
    refresh(disputed, FakeClock())
    site = Site(disputed, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    client = TestClient(application(site), base_url="http://localhost:8400")
    assert ">7 labels<" in client.get("/disputes").text
    with transaction(disputed) as connection:
        for track in (1, 8):  # the second had a label before
            make.add_verdict(connection, track, 2, "Bo", NOON + timedelta(hours=1))
    page = client.get("/disputes").text
    assert ">6 labels<" in page
    assert "1 of these disputes was settled since" in page
    assert "People have given 3 labels in all." in page
    assert "held for you for 5 minutes" in page
    assert "<b>margin</b>: probability" in page
    assert "6 labels" in client.get("/").text
