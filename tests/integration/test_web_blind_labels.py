"""One track in twenty is drawn at random and labelled blind: the rate of wrong labels."""

from collections import Counter
from random import Random

import pytest
from sqlalchemy import Engine, delete, select
from starlette.testclient import TestClient

from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.database_states import filled_once
from tests.fakes import FakeClock
from web import blind_labels
from web.application import Site, application
from web.blind_labels import wilson_interval
from web.read_only import make_read_only
from web.security import Access, host_headers


@pytest.fixture
def labelled(engine: Engine) -> Engine:
    """Thirty rock tracks predicted as jazz, and thirty pop tracks predicted as pop."""
    filled_once(engine, __name__, lambda: fill(engine))
    return engine


def fill(engine: Engine) -> None:
    with transaction(engine) as connection:
        rock, jazz, pop = (make.add_genre(connection, name) for name in ("rock", "jazz", "pop"))
        model = make.add_model(connection, feature_schema={"classes": ["rock", "jazz", "pop"]})
        for number in range(60):
            claim, predicted = (rock, jazz) if number < 30 else (pop, pop)
            track = make.add_track(
                connection, f"Song {number}", [f"Band {number}"], genres=[claim]
            )
            make.add_predictions(connection, model, track, [(predicted, 0.9), (rock, 0.05)])


@pytest.fixture
def site(labelled: Engine, database_url: str):
    reader = make_engine(database_url)
    make_read_only(reader)
    yield Site(reader, FakeClock(), Access(host_headers(8400)), "genrebase.db", labelled)
    reader.dispose()


def browser(site: Site) -> TestClient:
    return TestClient(application(site), base_url="http://localhost:8400")


def decide(client: TestClient, response, **fields: str):
    """Decide the track of a response, and return the response after it."""
    form = {"track": response.url.path.rpartition("/")[2], "disputes": "1", "by": "Ann", **fields}
    return client.post("/label", data=form)


def blind_verdicts(engine: Engine) -> dict[int, bool]:
    verdict = tables.verdict.c
    with read_transaction(engine) as connection:
        return {
            row.track_id: row.blind
            for row in connection.execute(select(verdict.track_id, verdict.blind))
        }


def test_the_twentieth_track_is_drawn_and_its_answers_are_hidden(site, labelled):
    ann = browser(site)
    response = ann.get("/disputes/next")
    for _ in range(19):
        assert "blind" not in response.url.params
        assert "Prediction</h2>" in response.text
        response = decide(ann, response, genre="rock")
    assert response.url.params["blind"] == "1"
    track = int(response.url.path.rpartition("/")[2])
    assert "Prediction</h2>" not in response.text
    assert "Claim</h2>" not in response.text
    keys = [
        f'value="{name}" data-key="{key}"' for key, name in enumerate(("jazz", "pop", "rock"), 1)
    ]
    assert all(key in response.text for key in keys)  # all genres, in alphabetical order
    assert ann.get("/disputes/next").url.path == response.url.path  # no other is drawn
    refused = decide(ann, response, other="jaz")
    assert (refused.status_code, "Did you mean" in refused.text) == (422, True)
    assert "Prediction</h2>" not in refused.text
    assert decide(ann, response, genre="jazz").url.params.get("blind") is None
    flags = blind_verdicts(labelled)
    assert flags.pop(track)
    assert not any(flags.values())


def test_undo_leads_back_to_the_blind_track(site, labelled):
    ann = browser(site)
    response = ann.get("/disputes/next")
    for _ in range(19):
        response = decide(ann, response, action="skip")
    drawn = response.url
    after = decide(ann, response, genre="pop")
    again = decide(ann, after, action="undo")
    assert (again.url.path, again.url.params["blind"]) == (drawn.path, "1")
    assert blind_verdicts(labelled) == {}
    decide(ann, again, genre="rock")
    assert list(blind_verdicts(labelled).values()) == [True]


def test_answers_can_be_hidden_for_all_tracks(site, labelled):
    """The choice stays from track to track; such labels are not drawn, so they are not blind."""
    ann = browser(site)
    response = ann.get("/disputes/next?hide=1")
    for _ in range(2):
        assert "Prediction</h2>" not in response.text
        assert response.url.params["hide"] == "1"
        response = decide(ann, response, genre="rock", hide="1")
    assert list(blind_verdicts(labelled).values()) == [False, False]


def test_every_track_with_a_claim_is_drawn_as_often(labelled):
    """Gaps between the ids change nothing; tracks without a claim are never drawn."""
    with transaction(labelled) as connection:
        gone = list(range(1, 60, 3))
        for table in (tables.prediction, tables.sighting, tables.track_artist):
            connection.execute(delete(table).where(table.c.track_id.in_(gone)))
        connection.execute(delete(tables.track).where(tables.track.c.id.in_(gone)))
        without = make.add_track(connection, "No claim", ["Nobody"])
    random = Random(0)
    with read_transaction(labelled) as connection:
        drawn = Counter(blind_labels.draw(connection, random) for _ in range(1_000))
    assert len(drawn) == 40
    assert without not in drawn
    chi_square = sum((count - 25) ** 2 / 25 for count in drawn.values())
    assert chi_square < 62  # 99 % of a chi-square distribution with 39 degrees of freedom


def test_nothing_is_drawn_from_an_empty_database(engine):
    with read_transaction(engine) as connection:
        assert blind_labels.draw(connection, Random(0)) is None


def test_choices_hold_the_likely_genres_and_do_not_show_which(labelled):
    names = [f"genre {number:02d}" for number in range(30)]
    chosen = blind_labels.choices(names, ["genre 07", "genre 21"], 1)
    assert len(chosen) == blind_labels.MAX_CHOICES
    assert {"genre 07", "genre 21"} <= set(chosen)
    assert chosen == sorted(chosen) == blind_labels.choices(names, ["genre 21", "genre 07"], 1)


def test_the_rate_of_wrong_labels_counts_blind_labels_only(site, labelled):
    with transaction(labelled) as connection:
        genres = {row.name: row.id for row in connection.execute(select(tables.genre))}
        verdict = tables.verdict
        for track, name, blind in (
            *((track, "rock", True) for track in range(1, 8)),
            (8, "jazz", True),
            (9, "jazz", False),
            (31, "pop", True),
        ):
            make.add_verdict(connection, track, genres[name])
            where = verdict.c.track_id == track
            connection.execute(verdict.update().where(where).values(blind=blind))
    section = browser(site).get("/disputes.json?section=wrong_labels").json()["sections"]
    assert section["wrong_labels"]["rows"] == [
        [None, 9, 1, 1 / 9, *wilson_interval(1, 9)],
        ["rock", 8, 1, 1 / 8, *wilson_interval(1, 8)],
        ["pop", 1, 0, 0.0, *wilson_interval(0, 1)],
    ]
    page = browser(site).get("/disputes").text
    assert "all genres" in page
    assert f"{wilson_interval(1, 9)[0]:.0%}".replace("%", " %") in page
