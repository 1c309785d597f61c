"""What ran, when, and how it ended: the rows of `job_run`, the truth behind every schedule."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.clock import Clock
from genrebase.runtime.heartbeat import Heartbeat
from genrebase.runtime.processes import ProcessIdentity
from genrebase.runtime.redaction import redact
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction

DEAD_AFTER: Final = timedelta(hours=24)
"""A run on another host that began longer ago is taken for dead. A wrong guess rights itself: the
run writes its own ending over it."""

HEARTBEAT_SECONDS: Final = 30.0
"""Seconds between two signs of life of a run that wants to be alone."""
HEARTBEAT_TIMEOUT: Final = timedelta(minutes=5)
"""Without one for so long such a run on another host is taken for dead."""

COMPLETED_OUTCOMES: Final = ("done", "nothing_new")
"""Outcomes after which the job need not run again before its time."""

PROCESS_DIED: Final = "Its process ended without saying how."

_PROCESS: Final = "process"
_BEAT: Final = "alive_at"
_BY_EXIT_CODE: Final = {3: "nothing_new", 4: "blocked"}
_ERROR_LIMIT: Final = 2_000
"""Characters of an error that are kept."""

_log = structlog.get_logger(__name__)


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
    """A job that wants to be alone met another of its kind: nothing was touched."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        super().__init__(
            f"`{run.job}` runs already, since {run.started_at:%Y-%m-%d %H:%M:%S} UTC "
            f"({_told(run.counts)}): one at a time. Wait for it, or end it."
        )


class RunRecorder:
    """The run in hand: collects what it did and how it ends."""

    def __init__(self, run_id: int, job: str, facts: Mapping[str, Any] | None = None) -> None:
        self.id = run_id
        self.job = job
        self.counts: dict[str, Any] = dict(facts or {})
        self._outcome = "done"

    def count(self, **counts: float) -> None:
        """Add to the counts; several calls add up."""
        for name, more in counts.items():
            self.counts[name] = self.counts.get(name, 0) + more

    def set_facts(self, **facts: Any) -> None:
        """Set facts beside the counts (anything JSON knows); the last one stands."""
        self.counts.update(facts)

    def set_outcome(self, outcome: str) -> None:
        """Say how the run ends when its block ends without an error (default `done`)."""
        if outcome not in tables.JOB_OUTCOMES:
            known = ", ".join(tables.JOB_OUTCOMES)
            raise ValueError(f"{outcome!r} is no outcome of a job: {known}")
        self._outcome = outcome


@contextmanager
def job_run(
    engine: Engine,
    clock: Clock,
    job: str,
    *,
    exclusive: bool = False,
    facts: Mapping[str, Any] | None = None,
) -> Iterator[RunRecorder]:
    """Write down that `job` runs, and how the block ends.

    The row says `running` from its own transaction on; at the end `done`, or what `set_outcome()` was
    told. An error ends it as `failed` with the error's text and is raised again; an error with
    exit code 3 as `nothing_new`, with 4 as `blocked`; Ctrl-C and an exit as `interrupted`.
    Rows of this job whose process is dead are set to `interrupted` first. `facts` stand in the
    row from the start.

    With `alone`, no other run of the same kind (the first word of `job`) may be under way in any
    process on any host: `AlreadyRunning` is raised, nothing is written. A process that dies frees
    its place at once on its host, after five minutes elsewhere.
    Do not open it inside a transaction.
    """
    run = _start(engine, clock, job, alone=exclusive, facts=facts)
    alive = (
        Heartbeat(lambda: _beat(engine, clock, run), HEARTBEAT_SECONDS)
        if exclusive
        else nullcontext()
    )
    try:
        with alive:
            yield run
    except BaseException as error:
        _end_quietly(engine, clock, run, error)
        raise
    _end(engine, clock, run, run._outcome, None)  # noqa: SLF001 - Run is this module's own


def last_run(
    engine: Engine, job: str, outcomes: tuple[str, ...] = tables.JOB_OUTCOMES
) -> JobRun | None:
    """Return the run of `job` that started last among those with one of `outcomes`."""
    row = tables.job_run
    query = (
        select(row)
        .where(row.c.job == job, row.c.outcome.in_(outcomes))
        .order_by(row.c.started_at.desc(), row.c.id.desc())
        .limit(1)
    )
    with read_transaction(engine) as connection:
        found = connection.execute(query).mappings().first()
    return None if found is None else JobRun(**found)


def effective_run(run: JobRun, now: datetime) -> JobRun:
    """Return a run as it ended, also where its process died and could not say so."""
    if run.outcome == "running" and not _lives(run, now):
        return replace(run, outcome="interrupted", error=PROCESS_DIED)
    return run


def no_other_process(engine: Engine, clock: Clock, job: str) -> bool:
    """Tell whether no other process may be running `job`."""
    row, ours = tables.job_run, str(ProcessIdentity.current())
    with read_transaction(engine) as connection:
        running = select(row).where(row.c.job == job, row.c.outcome == "running")
        runs = [JobRun(**found) for found in connection.execute(running).mappings()]
    now = clock.now()
    return not any(_lives(run, now) for run in runs if run.counts.get(_PROCESS) != ours)


def _start(
    engine: Engine, clock: Clock, job: str, *, alone: bool, facts: Mapping[str, Any] | None
) -> RunRecorder:
    now = clock.now()
    row = tables.job_run
    counts = {**(facts or {}), _PROCESS: str(ProcessIdentity.current())}
    if alone:
        counts[_BEAT] = now.isoformat()
    values = {"job": job, "started_at": now, "outcome": "running", "counts": counts}
    with transaction(engine) as connection:
        if alone:
            _one_after_another(connection)
        living = _bury_the_dead(connection, _of_kind(job) if alone else row.c.job == job, now)
        if not (alone and living):
            key = connection.execute(insert(row).values(values)).inserted_primary_key
    if alone and living:
        raise AlreadyRunning(living[0])
    return RunRecorder(int(key[0]), job, facts)  # type: ignore[index]  # one inserted row has one key


def _of_kind(job: str) -> ColumnElement[bool]:
    kind = job.split(maxsplit=1)[0]
    return or_(tables.job_run.c.job == kind, tables.job_run.c.job.startswith(f"{kind} "))


def _one_after_another(connection: Connection) -> None:
    """Let nobody else begin a run until this transaction ends; on SQLite it is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE job_run IN SHARE ROW EXCLUSIVE MODE")


def _bury_the_dead(
    connection: Connection, which: ColumnElement[bool], now: datetime
) -> list[JobRun]:
    """End the rows of dead processes; return the others that run."""
    row = tables.job_run
    running = select(row).where(which, row.c.outcome == "running").order_by(row.c.id)
    living = []
    for found in connection.execute(running).mappings().all():
        run = JobRun(**found)
        if _lives(run, now):
            living.append(run)
            continue
        ended = update(row).where(row.c.id == run.id)
        connection.execute(
            ended.values(outcome="interrupted", finished_at=now, error=PROCESS_DIED)
        )
    return living


def _lives(run: JobRun, now: datetime) -> bool:
    try:
        alive = ProcessIdentity.parse(str(run.counts[_PROCESS])).is_alive()
    except (KeyError, ValueError):
        alive = None
    if alive is not None:
        return alive
    if _BEAT in run.counts:
        return now - datetime.fromisoformat(run.counts[_BEAT]) < HEARTBEAT_TIMEOUT
    return now - run.started_at < DEAD_AFTER


def _told(counts: Mapping[str, Any]) -> str:
    try:
        process = ProcessIdentity.parse(str(counts[_PROCESS]))
    except (KeyError, ValueError):
        return "nobody knows in which process"
    return f"process {process.pid} on {process.host.partition('/')[0]}"


def _beat(engine: Engine, clock: Clock, run: RunRecorder) -> None:
    """Say that a run is alive; where the database does not listen, the next time will do."""
    row = tables.job_run
    signs = {_PROCESS: str(ProcessIdentity.current()), _BEAT: clock.now().isoformat()}
    alive = update(row).where(row.c.id == run.id, row.c.outcome == "running")
    try:
        with transaction(engine) as connection:
            connection.execute(alive.values(counts=run.counts | signs))
    except (SQLAlchemyError, GenrebaseError) as why:
        _log.warning("sign_of_life_not_written", job=run.job, reason=_sentence(why))


def _end(engine: Engine, clock: Clock, run: RunRecorder, outcome: str, error: str | None) -> None:
    row = tables.job_run
    counts = run.counts | {_PROCESS: str(ProcessIdentity.current())}
    ended = update(row).where(row.c.id == run.id)
    values = {"outcome": outcome, "finished_at": clock.now(), "counts": counts, "error": error}
    with transaction(engine) as connection:
        connection.execute(ended.values(values))


def _end_quietly(engine: Engine, clock: Clock, run: RunRecorder, error: BaseException) -> None:
    """Write how the run failed; where even that fails, the first error is the one to show."""
    try:
        _end(engine, clock, run, _outcome_of(error), _sentence(error))
    except (SQLAlchemyError, GenrebaseError) as why:
        _log.warning("job_run_not_written", job=run.job, reason=_sentence(why))


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, GenrebaseError):
        return _BY_EXIT_CODE.get(error.exit_code, "failed")
    return "failed" if isinstance(error, Exception) else "interrupted"


def _sentence(error: BaseException) -> str:
    text = str(error) if isinstance(error, GenrebaseError) else f"{type(error).__name__}: {error}"
    return redact(text)[:_ERROR_LIMIT]
