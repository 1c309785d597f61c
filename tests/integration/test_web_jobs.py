"""The page of jobs: what a request trains, and what became of it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from genrebase.runtime import job_requests
from genrebase.runtime.processes import ProcessIdentity
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


def test_a_request_that_nobody_takes(engine, client, clock):
    sent = client.post("/jobs/request", data={"job": "train"}, follow_redirects=False)
    address = sent.headers["location"].partition("#")[0]
    page = client.get(address).text
    assert "UTC waits. Until it has begun" in page
    assert "No classifier daemon is running" not in page
    clock.advance(61)
    assert "No classifier daemon is running" in client.get("/jobs").text
    process = {"process": str(ProcessIdentity.current())}
    with transaction(engine) as connection:
        make.add_job_run(connection, "train", "running", clock.now(), counts=process)
    assert "No classifier daemon is running" not in client.get("/jobs").text


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
