"""The harvester's health checks and metrics, on both databases and as a daemon."""

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
import requests
from sqlalchemy import event, text
from typer.testing import CliRunner

from collector.cli import app
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.errors import CatalogueMismatch, RateLimited
from collector.http.rate_limiter import RequestBudget
from collector.monitoring.metrics import STALLED_AFTER_SECONDS, HarvesterHealth
from genrebase.errors import GenrebaseError, NothingToDo, UserError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.jobs import job_run
from genrebase.runtime.monitoring import check_health, probe, render_metrics
from genrebase.settings import child_environment
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine, transaction
from sandbox.server import serve_in_thread
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.fakes import FakeClock, FakeSource


def metrics(engine, clock):
    """Return what a monitor reads, by name and labels."""
    text = render_metrics(HarvesterHealth(engine, clock)).decode()
    return dict(re.findall(r"^(genrebase_\S+) (\S+)$", text, re.MULTILINE))


def test_measures_the_harvest(engine):
    """New tracks, requests, 429s, the time bans cost, yield, queues, pace and the last run."""
    clock = FakeClock()
    source = FakeSource({"rock": [(f"r{n}", f"R {n}", "A", 1999) for n in range(24)]})
    budget = RequestBudget.open(engine, source.account)
    genre_use.add(engine, clock, "rock", 100)
    harvester = SearchHarvester(engine, source, budget, clock)
    with job_run(engine, clock, "harvest"):
        harvester.run(max_requests=2)

    def refuse(_query):
        raise RateLimited(5_000)

    source.fetch = refuse
    assert harvester.run().stopped == "blocked"
    clock.advance(60)
    values = metrics(engine, clock)
    expected = {
        "genrebase_tracks": 20,
        "genrebase_tracks_missing": 80,
        "genrebase_features_queue": 20,
        'genrebase_tracks_new_total{source="spotify"}': 20,
        'genrebase_pages_total{source="spotify"}': 2,
        'genrebase_yield{source="spotify"}': 10,
        'genrebase_shards{source="spotify",status="open"}': 1,
        'genrebase_requests_total{source="spotify"}': 3,
        'genrebase_refusals_total{source="spotify"}': 1,
        'genrebase_ban_seconds_total{source="spotify"}': 5_001,
        'genrebase_runs_total{job="harvest",outcome="done"}': 1,
    }
    assert {name: float(values[name]) for name in expected} == expected
    assert float(values['genrebase_blocked_seconds{source="spotify"}']) == pytest.approx(4_941)
    assert float(values['genrebase_last_run_age_seconds{job="harvest"}']) >= 60
    assert 0 < float(values['genrebase_rate{source="spotify"}']) < 1_000 / 30


def test_an_empty_database_has_metrics(engine):
    """Before the first harvest the metrics are zero, without errors."""
    assert metrics(engine, FakeClock())["genrebase_tracks"] == "0.0"


def test_a_failed_job_is_unhealthy(engine):
    """The last run counts: a later one that ends well is health again."""
    clock = FakeClock()
    with pytest.raises(GenrebaseError), job_run(engine, clock, "harvest", service=True):
        raise GenrebaseError("The source is down.")
    result = HarvesterHealth(engine, clock).check()
    assert not result.ok
    assert "The source is down." in result.sentence
    clock.advance(timedelta(minutes=1).total_seconds())
    with job_run(engine, clock, "harvest"):
        pass
    assert HarvesterHealth(engine, clock).check().ok


@pytest.mark.parametrize("job", HarvesterHealth.monitored_jobs)
@pytest.mark.parametrize("error", [CatalogueMismatch, NothingToDo, UserError, GenrebaseError])
def test_a_command_that_fails_or_is_refused_does_not_make_the_daemon_unhealthy(engine, job, error):
    """The daemon's own last run counts, whatever happens to commands beside it."""
    clock = FakeClock()
    with job_run(engine, clock, job, service=True):
        pass
    clock.advance(1)
    with pytest.raises(error), job_run(engine, clock, job):
        raise error("No.")
    assert HarvesterHealth(engine, clock).check().ok


def test_a_job_without_progress_is_unhealthy(engine):
    """A harvest that made no request for a quarter of an hour, without a ban, hangs."""
    clock = FakeClock()
    source = FakeSource({"rock": [(f"r{n}", f"R {n}", "A", 1999) for n in range(24)]})
    budget = RequestBudget.open(engine, source.account)
    with job_run(engine, clock, "harvest", service=True):
        clock.advance(STALLED_AFTER_SECONDS - 1)
        assert HarvesterHealth(engine, clock).check().ok
        clock.advance(2)
        assert "no progress" in HarvesterHealth(engine, clock).check().sentence
        budget.acquire(clock.now().timestamp())
        assert HarvesterHealth(engine, clock).check().ok
        budget.record_ban(clock.now().timestamp(), 7_200.0, None)
        clock.advance(3_600)
        assert HarvesterHealth(engine, clock).check().ok
        clock.advance(7_200)
        assert not HarvesterHealth(engine, clock).check().ok
    assert HarvesterHealth(engine, clock).check().ok


def test_a_schema_that_changed_under_a_daemon_is_unhealthy(engine):
    """A daemon of an older version must be restarted."""
    target = HarvesterHealth(engine, FakeClock())
    assert check_health(target).ok
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'next'"))
    result = check_health(target)
    assert not result.ok
    assert "schema revision next" in result.sentence
    with transaction(engine) as connection:
        revision = {"revision": schema_upgrade.EXPECTED_REVISION}
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), revision)


def test_a_database_that_became_read_only_is_unhealthy(postgres_engine):
    """After a failover the old primary answers every query, and stores nothing."""
    target = HarvesterHealth(postgres_engine, FakeClock())
    assert check_health(target).ok

    @event.listens_for(postgres_engine, "begin")
    def standby(connection):
        connection.exec_driver_sql("SET LOCAL default_transaction_read_only = on")

    result = check_health(target)
    event.remove(postgres_engine, "begin", standby)
    assert not result.ok
    assert "read-only" in result.sentence


def test_an_unreachable_database_is_unhealthy(tmp_path):
    """The check reports the reason."""
    engine = make_engine(f"sqlite:///{tmp_path / 'nowhere' / 'genrebase.db'}")
    result = check_health(HarvesterHealth(engine, FakeClock()))
    assert not result.ok
    assert "There is no folder" in result.sentence
    engine.dispose()


def test_the_command_looks_at_the_database(sqlite_url, monkeypatch):
    """Without a daemon's address: 0 where all is well, 1 where the database has no schema."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.delenv("COLLECTOR_HTTP", raising=False)
    ended = CliRunner().invoke(app, ["health", "--json"])
    assert (ended.exit_code, '"ok": true' in ended.stdout) == (0, True)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_daemon_serves_health_and_metrics(sqlite_url, tmp_path):
    """`collector run` serves both; `collector health` reports a missing daemon."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = ListenAddress("127.0.0.1", free.getsockname()[1])
    path, clock = tmp_path / "catalogue.csv", SystemClock()
    path.write_text("track_name,artists,track_genre\nSong,Band,rock\n")
    with serve_in_thread(SandboxCatalogue(catalogue_file.read_table(path))) as running:
        environment = child_environment(
            STORE_URL=sqlite_url,
            COLLECTOR_SPOTIFY_URL=running.url,
            COLLECTOR_HTTP=str(address.port),
            SPOTIPY_CLIENT_ID="an-id",
            SPOTIPY_CLIENT_SECRET="a-secret",
        )
        command = [sys.executable, "-m", "collector", "run"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
            while not probe(address).ok:
                assert process.poll() is None, process.communicate()
                clock.sleep(0.05)
            output = requests.get(f"{address.url}/metrics", timeout=5)
            process.send_signal(signal.SIGTERM)
            process.communicate()
    assert process.returncode == 0
    assert "genrebase_tracks 0.0" in output.text
    ended = probe(address)
    assert not ended.ok
    assert address.url in ended.sentence
