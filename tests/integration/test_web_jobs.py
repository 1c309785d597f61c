"""The page of jobs: what a request trains, and what became of it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert
from starlette.testclient import TestClient

from genrebase.runtime import daemons, job_requests
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests import factories as make
from tests.fakes import FakeClock
from web.application import Site, application
from web.security import Access, host_headers


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(engine: Engine, clock: FakeClock) -> Iterator[TestClient]:
    site = Site(engine, clock, Access(host_headers(8400)), "genrebase.db", engine)
    yield TestClient(application(site), base_url="http://localhost:8400")
    site.predictor.close()


def test_what_is_trained_stands_beside_the_button(engine, client, monkeypatch):
    monkeypatch.delenv("CLASSIFIER_LICENCE", raising=False)
    with transaction(engine) as connection:
        make.add_model(connection, training_config={"licence": "open"})
    page = client.get("/jobs").text
    assert "under open licences, as model" in page
    monkeypatch.setenv("CLASSIFIER_LICENCE", "any")
    page = client.get("/jobs").text
    assert "under any licence, while model" in page
    assert "<code>--licence open</code>" in page


def test_whether_a_daemon_takes_requests(engine, client, clock):
    sent = client.post("/jobs/request", data={"job": "train"}, follow_redirects=False)
    page = client.get(sent.headers["location"].partition("#")[0]).text
    assert "UTC waits. Until it has begun" in page
    assert "No classifier daemon is running." in page
    assert "No collector daemon is running." in page
    with daemons.registered(engine, clock, daemons.COLLECTOR):
        page = client.get("/jobs").text
        assert "No classifier daemon is running." in page
        assert "The collector daemon runs since" in page
    with daemons.registered(engine, clock, daemons.CLASSIFIER):
        clock.advance(12)
        page = client.get("/jobs").text
        assert "The classifier daemon runs since" in page
        assert "heartbeat: 12 s ago" in page
    assert "No classifier daemon is running." in client.get("/jobs").text


def test_a_daemon_of_another_host_is_known_by_its_heartbeat(engine, client, clock):
    row = {"name": "classifier", "process": "elsewhere:1:2", "started_at": clock.now()}
    with transaction(engine) as connection:
        connection.execute(insert(tables.daemon).values(**row, alive_at=clock.now()))
    clock.advance(240)
    assert "The classifier daemon runs since" in client.get("/jobs").text
    clock.advance(61)
    assert "the last one ended without recording it" in client.get("/jobs").text
    with daemons.registered(engine, clock, daemons.CLASSIFIER):
        (alive,) = client.get("/jobs.json").json()["sections"]["daemons"]["rows"]
    assert (alive[0], alive[-1]) == ("classifier", True)


def test_a_request_leads_to_its_run_and_the_run_to_its_model(engine, client, clock):
    request = job_requests.add(engine, clock, "train")
    with transaction(engine) as connection:
        make.add_job_run(connection, "train", at=clock.now())
    clock.advance(5)
    job_requests.take(engine, clock, ["train"])
    with transaction(engine) as connection:
        model = make.add_model(connection, "rejected", reason="It is worse.")
        counts = {"model": model, "status": "rejected"}
        run = make.add_job_run(connection, "train", at=clock.now(), counts=counts)
    (row,) = client.get("/jobs.json").json()["sections"]["requests"]["rows"]
    assert (row[0], row[-1]) == (request.id, run)
    page = client.get(f"/jobs?request={request.id}").text
    assert f'<a href="/jobs?before={run + 1}#runs">{run}</a>' in page
    assert f'<a href="/models/{model}">model {model}</a>' in page
    assert "It is worse." in page
