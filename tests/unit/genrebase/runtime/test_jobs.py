"""Job runs and their outcomes."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine, insert, select, update

from classifier.errors import TooFewTracks
from collector.errors import BadCredentials, CatalogueMismatch
from genrebase.errors import GenrebaseError, NothingToDo, UserError
from genrebase.runtime import heartbeat, jobs
from genrebase.runtime.jobs import job_run, last_run
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.fakes import NOON, FakeClock


class AlreadyThere(UserError):
    """A refusal of a plug-in."""


class Blocked(GenrebaseError):
    exit_code: ClassVar[int] = 4


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{(tmp_path / 'jobs.db').as_posix()}")
    with transaction(made) as connection:
        tables.job_run.create(connection)
    yield made
    made.dispose()


def rows(engine: Engine) -> list[Any]:
    with read_transaction(engine) as connection:
        return list(connection.execute(select(tables.job_run).order_by(tables.job_run.c.id)).all())


def test_a_run_is_visible_while_it_runs(engine: Engine) -> None:
    """The row is `running` from the start, and `done` at the end."""
    clock = FakeClock()
    with job_run(engine, clock, "harvest") as run:
        (row,) = rows(engine)
        assert (row.job, row.outcome, row.started_at, row.finished_at) == (
            "harvest",
            "running",
            NOON,
            None,
        )
        clock.advance(90)
        run.count(requests=2, tracks_new=50)
        run.count(requests=1)
        run.set_facts(stopped="target")
    (row,) = rows(engine)
    assert row.outcome == "done"
    assert row.finished_at == NOON + timedelta(seconds=90)
    assert row.counts["requests"] == 3
    assert row.counts["stopped"] == "target"
    assert row.error is None


@pytest.mark.parametrize("outcome", ["nothing_new", "blocked"])
def test_a_run_stores_its_outcome(engine: Engine, outcome: str) -> None:
    """An outcome set by the job is stored."""
    with job_run(engine, FakeClock(), "harvest") as run:
        run.set_outcome(outcome)
    assert rows(engine)[0].outcome == outcome


def test_an_unknown_outcome_is_refused(engine: Engine) -> None:
    """An outcome outside the schema is refused when it is set."""
    with (
        pytest.raises(ValueError, match="not an outcome"),
        job_run(engine, FakeClock(), "x") as run,
    ):
        run.set_outcome("splendid")


@pytest.mark.parametrize(
    ("error", "outcome", "text"),
    [
        (lambda: ValueError("no such thing"), "failed", "ValueError: no such thing"),
        (lambda: GenrebaseError("Buy a disk."), "failed", "Buy a disk."),
        (lambda: NothingToDo("All done."), "nothing_new", "All done."),
        (lambda: Blocked("Until noon."), "blocked", "Until noon."),
        (KeyboardInterrupt, "interrupted", "KeyboardInterrupt: "),
        (lambda: SystemExit(0), "interrupted", "SystemExit: 0"),
        (
            lambda: ValueError("postgresql://me:hunter2@host/db is gone"),
            "failed",
            "ValueError: postgresql://me:***@host/db is gone",
        ),
    ],
)
def test_an_error_is_stored_and_raised_again(
    engine: Engine, error: Callable[[], BaseException], outcome: str, text: str
) -> None:
    """The run has its outcome and its text without secrets."""
    made = error()
    with pytest.raises(type(made)), job_run(engine, FakeClock(), "harvest"):
        raise made
    (row,) = rows(engine)
    assert (row.outcome, row.error) == (outcome, text)


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("refusal", [UserError, CatalogueMismatch, TooFewTracks, AlreadyThere])
def test_a_refusal_leaves_no_run(
    engine: Engine, refusal: type[GenrebaseError], *, exclusive: bool
) -> None:
    """Nothing was run: the last run stays the one before it."""
    with job_run(engine, FakeClock(), "train"):
        pass
    with (
        pytest.raises(refusal),
        job_run(engine, FakeClock(), "train", exclusive=exclusive, service=True),
    ):
        raise refusal("Write it another way.")
    assert [row.outcome for row in rows(engine)] == ["done"]


def test_refused_credentials_are_a_failure(engine: Engine) -> None:
    """A daemon's credentials can expire while it runs: its health reports that."""
    with pytest.raises(BadCredentials), job_run(engine, FakeClock(), "harvest"):
        raise BadCredentials
    assert rows(engine)[0].outcome == "failed"


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([("failed", True)], "failed"),
        ([("failed", False)], None),
        ([("done", True), ("failed", False)], "done"),
        ([("failed", True), ("interrupted", False)], "failed"),
        ([("failed", True), ("done", False)], "done"),
        ([("failed", True), ("nothing_new", False)], "nothing_new"),
        ([("done", False), ("failed", True)], "failed"),
        ([("failed", True), ("blocked", True)], "blocked"),
    ],
)
def test_the_last_run_of_a_service(
    engine: Engine, runs: list[tuple[str, bool]], expected: str | None
) -> None:
    """Failures by hand do not count; a completed run by hand is as good as the service's."""
    errors = {
        "failed": GenrebaseError("x"),
        "interrupted": KeyboardInterrupt(),
        "blocked": Blocked("x"),
        "nothing_new": NothingToDo("x"),
    }
    clock = FakeClock()
    for outcome, service in runs:
        clock.advance(1)
        with (
            suppress(GenrebaseError, KeyboardInterrupt),
            job_run(engine, clock, "train", service=service) as run,
        ):
            run.set_facts(rows=3)
            if outcome in errors:
                raise errors[outcome]
    last = jobs.last_service_run(engine, "train")
    assert (None if last is None else last.outcome) == expected


def test_all_runs_of_a_service_process_are_the_service_s(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon marks its child processes, whose jobs are functions deep inside."""
    monkeypatch.setattr(jobs, "_in_service", False)
    jobs.mark_service_process()
    with pytest.raises(KeyError), job_run(engine, FakeClock(), "train", exclusive=True):
        raise KeyError
    last = jobs.last_service_run(engine, "train")
    assert last is not None
    assert last.outcome == "failed"


def test_an_ended_run_is_closed_by_the_next(engine: Engine) -> None:
    """A row left `running` by an ended process becomes `interrupted` at the next start."""
    _leave_running(engine, "harvest", "gone/1:1:x", NOON - heartbeat.DEAD_AFTER)
    with job_run(engine, FakeClock(), "harvest"):
        dead, alive = rows(engine)
        assert (dead.outcome, dead.finished_at) == ("interrupted", NOON)
        assert alive.outcome == "running"


def test_a_live_run_is_unchanged(engine: Engine) -> None:
    """Runs of a living process, of another host recently, and of another job stay."""
    clock = FakeClock()
    with job_run(engine, clock, "harvest"):
        _leave_running(engine, "harvest", "elsewhere/1:1:x", NOON - timedelta(hours=1))
        _leave_running(engine, "train", "gone/1:1:x", NOON - heartbeat.DEAD_AFTER)
        with job_run(engine, clock, "harvest"):
            assert [row.outcome for row in rows(engine)] == ["running"] * 4


def test_other_running_processes_are_detected(engine: Engine) -> None:
    """Neither ended processes count nor the own one, nor one without a recent heartbeat."""
    clock, ours = FakeClock(), ProcessIdentity.current()
    _leave_running(
        engine, "enrich", str(ProcessIdentity(ours.host, ours.pid, "born before")), NOON
    )
    _leave_running(engine, "harvest", "elsewhere/1:1:x", NOON)
    with job_run(engine, clock, "enrich"):
        assert jobs.no_other_process(engine, clock, "enrich")
        _leave_running(engine, "enrich", "elsewhere/1:1:x", NOON)
        assert not jobs.no_other_process(engine, clock, "enrich")
        clock.advance(heartbeat.DEAD_AFTER.total_seconds())
        assert jobs.no_other_process(engine, clock, "enrich")


def test_a_run_closed_by_mistake_stores_its_outcome(engine: Engine) -> None:
    """A run that was wrongly closed is corrected at its end."""
    with job_run(engine, FakeClock(), "harvest"), transaction(engine) as connection:
        connection.execute(update(tables.job_run).values(outcome="interrupted"))
    assert rows(engine)[0].outcome == "done"


def test_the_job_s_error_is_raised_if_storing_fails_too(engine: Engine) -> None:
    """When the database is gone at the end, the job's own error is the one that is raised."""

    def fail_for_good() -> None:
        with job_run(engine, FakeClock(), "harvest"):
            with transaction(engine) as connection:
                tables.job_run.drop(connection)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail_for_good()


def test_a_failed_heartbeat_is_ignored(engine: Engine) -> None:
    """The run continues when the database is briefly unreachable."""
    with job_run(engine, FakeClock(), "train", exclusive=True) as run:
        with transaction(engine) as connection:
            tables.job_run.drop(connection)
        jobs._write_heartbeat(engine, FakeClock(), run)
        with transaction(engine) as connection:
            tables.job_run.create(connection)


def test_the_last_run_of_a_job(engine: Engine) -> None:
    """It is the run started last among the given outcomes."""
    clock = FakeClock()
    assert last_run(engine, "train") is None
    with job_run(engine, clock, "train"):
        pass
    clock.advance(60)
    with job_run(engine, clock, "train") as run:
        run.set_outcome("blocked")
    last, completed = last_run(engine, "train"), last_run(engine, "train", jobs.COMPLETED_OUTCOMES)
    assert last is not None
    assert completed is not None
    assert (last.outcome, last.started_at) == ("blocked", NOON + timedelta(seconds=60))
    assert (completed.outcome, completed.started_at) == ("done", NOON)


def _leave_running(engine: Engine, job: str, process: str, started: Any) -> None:
    values = {
        "job": job,
        "started_at": started,
        "outcome": "running",
        "counts": {"process": process},
    }
    with transaction(engine) as connection:
        connection.execute(insert(tables.job_run).values(values))
