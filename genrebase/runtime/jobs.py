"""Record job runs in the table `job_run`: start, heartbeat, outcome."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, or_, select, update

from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.clock import Clock
from genrebase.runtime.heartbeat import HEARTBEAT_SECONDS, beating, failure_logged, is_alive
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.runtime.redaction import redact
from genrebase.runtime.shortages import describe_shortage
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction

COMPLETED_OUTCOMES: Final = ("done", "nothing_new")
"""Outcomes after which the job need not run again before its next scheduled time."""

PROCESS_DIED: Final = "Its process ended without recording an outcome."

_PROCESS: Final = "process"
_SERVICE: Final = "service"
_HEARTBEAT: Final = "alive_at"
_BY_EXIT_CODE: Final = {3: "nothing_new", 4: "blocked"}
_ERROR_LIMIT: Final = 2_000
"""Maximum number of characters of a stored error."""

_in_service = False


@dataclass(frozen=True, slots=True)
class JobRun:
    """One row of `job_run`."""

    id: int
    job: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    counts: Mapping[str, Any]
    error: str | None


class AlreadyRunning(UserError):
    """Another run of the same kind is active; nothing was changed."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        super().__init__(
            f"`{run.job}` is running already, since {run.started_at:%Y-%m-%d %H:%M:%S} UTC "
            f"({_describe_process(run.counts)}): one at a time. Wait for it, or stop it."
        )


class RunRecorder:
    """Collects the counts, facts and outcome of the current run."""

    def __init__(self, run_id: int, job: str, facts: Mapping[str, Any] | None = None) -> None:
        self.id = run_id
        self.job = job
        self.counts: dict[str, Any] = dict(facts or {})
        self._outcome = "done"

    def count(self, **counts: float) -> None:
        """Add to the counts; several calls add up."""
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def set_facts(self, **facts: Any) -> None:
        """Set values next to the counts (of any JSON type); the last value of a name wins."""
        self.counts.update(facts)

    def set_outcome(self, outcome: str) -> None:
        """Set the outcome for a block that ends without an error (default `done`)."""
        if outcome not in tables.JOB_OUTCOMES:
            outcomes = ", ".join(tables.JOB_OUTCOMES)
            raise ValueError(f"{outcome!r} is not an outcome of a job: {outcomes}")
        self._outcome = outcome


def mark_service_process() -> None:
    """Mark all later runs of this process as a daemon's: a daemon calls it in its children."""
    global _in_service  # noqa: PLW0603 - what a process is for does not change
    _in_service = True


def is_service_process() -> bool:
    """Return whether this process was started by a daemon."""
    return _in_service


@contextmanager
def job_run(
    engine: Engine,
    clock: Clock,
    job: str,
    *,
    exclusive: bool = False,
    facts: Mapping[str, Any] | None = None,
    service: bool = False,
) -> Iterator[RunRecorder]:
    """Record a run of `job` while the block runs, and its outcome.

    The row is committed as `running` first. At the end it becomes `done`, or the value given to
    `set_outcome()`. An error ends it as `failed` with the error's text and is raised again; an
    error with exit code 3 as `nothing_new`, with 4 as `blocked`; Ctrl-C and an exit as
    `interrupted`. A refusal (`GenrebaseError.is_refusal`) removes the row: nothing was
    run. Rows of this job whose process is dead are set to `interrupted` first. `facts` are in the
    row from the start. `service` marks a daemon's own run, for its health.

    With `exclusive`, raise `AlreadyRunning` and write nothing if another run of the same kind
    (the first word of `job`) is active in any process on any host. The run of a process that died
    stops counting at once on its host, and after five minutes on others.
    Do not open it inside a transaction.
    """
    if service or _in_service:
        facts = {**(facts or {}), _SERVICE: True}
    run = _start(engine, clock, job, exclusive=exclusive, facts=facts)
    beats = beating(lambda: _write_heartbeat(engine, clock, run), HEARTBEAT_SECONDS)
    try:
        with beats if exclusive else nullcontext():
            yield run
    except BaseException as error:
        _end_quietly(engine, clock, run, error)
        raise
    _end(engine, clock, run, run._outcome, None)  # noqa: SLF001 - a class of this module


def last_run(
    engine: Engine, job: str, outcomes: tuple[str, ...] = tables.JOB_OUTCOMES
) -> JobRun | None:
    """Return the latest run of `job` with one of `outcomes`."""
    row = tables.job_run
    return _latest(engine, (row.c.job == job) & row.c.outcome.in_(outcomes))


def last_service_run(engine: Engine, job: str) -> JobRun | None:
    """Return the latest run of `job` by a daemon, or by anybody if it completed."""
    row = tables.job_run
    by_service = row.c.counts[_SERVICE].as_boolean().is_(True)
    completed = row.c.outcome.in_(COMPLETED_OUTCOMES)
    return _latest(engine, (row.c.job == job) & (by_service | completed))


def _latest(engine: Engine, which: ColumnElement[bool]) -> JobRun | None:
    row = tables.job_run
    newest_first = row.c.started_at.desc(), row.c.id.desc()
    query = select(row).where(which).order_by(*newest_first).limit(1)
    with read_transaction(engine) as connection:
        latest = connection.execute(query).mappings().first()
    return None if latest is None else JobRun(**latest)


def effective_run(run: JobRun, now: datetime) -> JobRun:
    """Return a run with its effective outcome: `interrupted` if its process died."""
    if run.outcome == "running" and not _is_active(run, now):
        return replace(run, outcome="interrupted", error=PROCESS_DIED)
    return run


def no_other_process(engine: Engine, clock: Clock, job: str) -> bool:
    """Return whether no other process can be running `job`."""
    row, ours = tables.job_run, str(ProcessIdentity.current())
    with read_transaction(engine) as connection:
        running = select(row).where(row.c.job == job, row.c.outcome == "running")
        runs = [JobRun(**record) for record in connection.execute(running).mappings()]
    now = clock.now()
    return not any(_is_active(run, now) for run in runs if run.counts.get(_PROCESS) != ours)


def fail_dead_runs(engine: Engine, clock: Clock, job: str, reason: str) -> None:
    """Record why runs of `job` failed whose process ended without recording an outcome."""
    now = clock.now()
    with transaction(engine) as connection:
        _close_dead_runs(connection, tables.job_run.c.job == job, now, "failed", reason)


def _start(
    engine: Engine, clock: Clock, job: str, *, exclusive: bool, facts: Mapping[str, Any] | None
) -> RunRecorder:
    now = clock.now()
    row = tables.job_run
    counts = {**(facts or {}), _PROCESS: str(ProcessIdentity.current())}
    if exclusive:
        counts[_HEARTBEAT] = now.isoformat()
    values = {"job": job, "started_at": now, "outcome": "running", "counts": counts}
    with transaction(engine) as connection:
        if exclusive:
            _lock_job_runs(connection)
        active = _close_dead_runs(
            connection, _same_kind(job) if exclusive else row.c.job == job, now
        )
        if not (exclusive and active):
            key = connection.execute(insert(row).values(values)).inserted_primary_key
    if exclusive and active:
        raise AlreadyRunning(active[0])
    return RunRecorder(int(key[0]), job, facts)  # type: ignore[index]  # one inserted row has one key


def _same_kind(job: str) -> ColumnElement[bool]:
    kind = job.split(maxsplit=1)[0]
    return or_(tables.job_run.c.job == kind, tables.job_run.c.job.startswith(f"{kind} "))


def _lock_job_runs(connection: Connection) -> None:
    """Block other starts until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE job_run IN SHARE ROW EXCLUSIVE MODE")


def _close_dead_runs(
    connection: Connection,
    which: ColumnElement[bool],
    now: datetime,
    outcome: str = "interrupted",
    error: str = PROCESS_DIED,
) -> list[JobRun]:
    """Set the outcome and error of the rows of dead processes; return the active runs."""
    row = tables.job_run
    running = select(row).where(which, row.c.outcome == "running").order_by(row.c.id)
    active = []
    for record in connection.execute(running).mappings().all():
        run = JobRun(**record)
        if _is_active(run, now):
            active.append(run)
            continue
        ended = update(row).where(row.c.id == run.id)
        error = redact(error)[:_ERROR_LIMIT]
        connection.execute(ended.values(outcome=outcome, finished_at=now, error=error))
    return active


def _is_active(run: JobRun, now: datetime) -> bool:
    last = run.counts.get(_HEARTBEAT)
    heartbeat = None if last is None else datetime.fromisoformat(last)
    return is_alive(str(run.counts.get(_PROCESS)), run.started_at, heartbeat, now)


def _describe_process(counts: Mapping[str, Any]) -> str:
    try:
        process = ProcessIdentity.parse(str(counts[_PROCESS]))
    except (KeyError, ValueError):
        return "in an unknown process"
    return f"process {process.pid} on {process.host.partition('/')[0]}"


def _write_heartbeat(engine: Engine, clock: Clock, run: RunRecorder) -> None:
    """Write the heartbeat of a run; if that fails, the next one suffices."""
    row = tables.job_run
    values = {_PROCESS: str(ProcessIdentity.current()), _HEARTBEAT: clock.now().isoformat()}
    query = update(row).where(row.c.id == run.id, row.c.outcome == "running")
    logged = failure_logged("heartbeat_not_written", job=run.job)
    with logged, transaction(engine) as connection:
        connection.execute(query.values(counts=run.counts | values))


def _end(engine: Engine, clock: Clock, run: RunRecorder, outcome: str, error: str | None) -> None:
    row = tables.job_run
    counts = run.counts | {_PROCESS: str(ProcessIdentity.current())}
    ended = update(row).where(row.c.id == run.id)
    values = {"outcome": outcome, "finished_at": clock.now(), "counts": counts, "error": error}
    with transaction(engine) as connection:
        connection.execute(ended.values(values))


def _end_quietly(engine: Engine, clock: Clock, run: RunRecorder, error: BaseException) -> None:
    """Write the outcome of a failed run; if that fails too, log it: the first error is raised."""
    with failure_logged("job_run_not_written", job=run.job):
        if isinstance(error, GenrebaseError) and error.is_refusal:
            with transaction(engine) as connection:
                connection.execute(delete(tables.job_run).where(tables.job_run.c.id == run.id))
        else:
            _end(engine, clock, run, _outcome_of(error), _error_text(error))


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, GenrebaseError):
        return _BY_EXIT_CODE.get(error.exit_code, "failed")
    return "failed" if isinstance(error, Exception) else "interrupted"


def _error_text(error: BaseException) -> str:
    if isinstance(error, GenrebaseError):
        text = str(error)
    else:
        text = describe_shortage(error) or f"{type(error).__name__}: {error}"
    return redact(text)[:_ERROR_LIMIT]
