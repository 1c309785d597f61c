"""Exclusive jobs run once at a time, on both engines, across processes and after crashes."""

import subprocess
import sys
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import Engine, insert, select

from genrebase.runtime import heartbeat, jobs
from genrebase.runtime.heartbeat import beating
from genrebase.runtime.jobs import AlreadyRunning, job_run
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON, FakeClock


def outcomes(engine: Engine) -> list[tuple[str, str]]:
    row = tables.job_run.c
    with read_transaction(engine) as connection:
        rows = connection.execute(select(row.job, row.outcome).order_by(row.id))
        return [(job, outcome) for job, outcome in rows]


def left_running(engine: Engine, process: str, **facts: str) -> None:
    values = {"job": "train", "started_at": NOON, "counts": {"process": process, **facts}}
    with transaction(engine) as connection:
        connection.execute(insert(tables.job_run).values(**values))


def test_a_second_exclusive_run_is_refused(engine: Engine) -> None:
    """The error names the running process and its start and leaves no row; another job may run."""
    clock = FakeClock()
    with job_run(engine, clock, "train", exclusive=True, facts={"choice": "x"}):
        clock.advance(3600)
        with (
            pytest.raises(AlreadyRunning) as met,
            job_run(engine, clock, "train moods", exclusive=True),
        ):
            pytest.fail("two at once")
        with (
            job_run(engine, clock, "trainspotting", exclusive=True),
            job_run(engine, clock, "train"),
        ):
            pass
    process = ProcessIdentity.current()
    assert "since 2026-01-01 12:00:00 UTC" in str(met.value)
    assert f"process {process.pid} on " in str(met.value)
    assert met.value.run.counts["choice"] == "x"
    assert met.value.exit_code == 2  # a refusal: nothing was changed
    assert outcomes(engine) == [("train", "done"), ("trainspotting", "done"), ("train", "done")]


def test_of_many_that_begin_at_once_one_runs(engine: Engine) -> None:
    """However close together they come."""
    begun, ended, met = Barrier(4), Event(), []

    def begin() -> None:
        begun.wait()
        try:
            with job_run(engine, FakeClock(), "train", exclusive=True):
                ended.wait(60)
        except AlreadyRunning:
            met.append(1)
            if len(met) == 3:
                ended.set()

    threads = [Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(met), outcomes(engine)) == (3, [("train", "done")])


def test_a_killed_process_releases_the_job_at_once(engine: Engine) -> None:
    """On the same host a killed process is detected without waiting."""
    program = (
        "from genrebase.runtime.process_identity import ProcessIdentity\n"
        "print(ProcessIdentity.current())"
    )
    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    left_running(engine, completed.stdout.strip())
    with job_run(engine, FakeClock(), "train", exclusive=True):
        pass
    assert outcomes(engine) == [("train", "interrupted"), ("train", "done")]


def test_heartbeats_decide_on_other_hosts(engine: Engine) -> None:
    """A process of another host counts as ended after five minutes without a heartbeat."""
    clock = FakeClock()
    left_running(engine, "elsewhere/1:1:x", alive_at=NOON.isoformat())
    clock.advance((heartbeat.HEARTBEAT_TIMEOUT - timedelta(seconds=1)).total_seconds())
    with (
        pytest.raises(AlreadyRunning, match="on elsewhere"),
        job_run(engine, clock, "train", exclusive=True),
    ):
        pytest.fail("two at once")
    clock.advance(1)
    with job_run(engine, clock, "train", exclusive=True):
        pass
    assert outcomes(engine) == [("train", "interrupted"), ("train", "done")]


def test_a_run_writes_heartbeats(engine: Engine) -> None:
    """The heartbeat is stored in the run's row, next to its facts."""
    clock, beaten = FakeClock(), Event()
    with job_run(engine, clock, "train", exclusive=True) as run:
        run.set_facts(labelled=7)
        clock.advance(60)

        def beat() -> None:
            jobs._write_heartbeat(engine, clock, run)
            beaten.set()

        with beating(beat, 0.01):
            assert beaten.wait(60)
        with read_transaction(engine) as connection:
            counts = connection.scalar(select(tables.job_run.c.counts))
        assert (counts["labelled"], counts["alive_at"]) == (7, clock.now().isoformat())
