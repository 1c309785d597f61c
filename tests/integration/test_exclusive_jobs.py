"""A job that wants to be alone is: on both engines, in every process, and past every death."""

import subprocess
import sys
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import Engine, insert, select

from genrebase.runtime import jobs
from genrebase.runtime.heartbeat import Heartbeat
from genrebase.runtime.jobs import AlreadyRunning, job_run
from genrebase.runtime.processes import ProcessIdentity
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


def test_a_second_of_its_kind_is_turned_away(engine: Engine) -> None:
    """It is told who runs and since when, and leaves no row; another kind may run."""
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


def test_a_dead_process_frees_its_place_at_once(engine: Engine) -> None:
    """On this host nobody waits for one that was killed."""
    completed = subprocess.run(
        [
            sys.executable,
            "-c",
            "from genrebase.runtime.processes import ProcessIdentity; print(ProcessIdentity.current())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    left_running(engine, completed.stdout.strip())
    with job_run(engine, FakeClock(), "train", exclusive=True):
        pass
    assert outcomes(engine) == [("train", "interrupted"), ("train", "done")]


def test_elsewhere_signs_of_life_are_what_counts(engine: Engine) -> None:
    """A process of another host is taken for dead when it has given none for five minutes."""
    clock = FakeClock()
    left_running(engine, "elsewhere/1:1:x", alive_at=NOON.isoformat())
    clock.advance((jobs.HEARTBEAT_TIMEOUT - timedelta(seconds=1)).total_seconds())
    with (
        pytest.raises(AlreadyRunning, match="on elsewhere"),
        job_run(engine, clock, "train", exclusive=True),
    ):
        pytest.fail("two at once")
    clock.advance(1)
    with job_run(engine, clock, "train", exclusive=True):
        pass
    assert outcomes(engine) == [("train", "interrupted"), ("train", "done")]


def test_a_run_gives_signs_of_life(engine: Engine) -> None:
    """In its row, beside what it noted."""
    clock, beaten = FakeClock(), Event()
    with job_run(engine, clock, "train", exclusive=True) as run:
        run.set_facts(labelled=7)
        clock.advance(60)

        def beat() -> None:
            jobs._write_heartbeat(engine, clock, run)
            beaten.set()

        with Heartbeat(beat, 0.01):
            assert beaten.wait(60)
        with read_transaction(engine) as connection:
            counts = connection.scalar(select(tables.job_run.c.counts))
        assert (counts["labelled"], counts["alive_at"]) == (7, clock.now().isoformat())
