"""Refresh the stored digests: by the command, by daemons, and after commands that change data.

The index of the search (`genrebase.store.search_index`) is filled at the same occasions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from genrebase.digests import store
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime import cores, jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import ScheduledJob
from genrebase.runtime.jobs import AlreadyRunning, job_run
from genrebase.runtime.schedule import IntervalSchedule
from genrebase.settings import GenrebaseSettings
from genrebase.store import search_index
from genrebase.store.engine import Engine, read_transaction, transaction

if TYPE_CHECKING:
    from genrebase.digests.compute import ComputedView

JOB: Final = "digests"
_MAX_THREADS: Final = 4
_MAX_SHARE: Final = 0.05
"""The share of the time that refreshes after commands may take."""

_INDEX_EVERY: Final = 60.0
"""Maximum seconds between two checks of a daemon whether tracks are to be indexed."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DigestRefresh:
    """The outcome of a refresh."""

    as_of: datetime
    views: "Sequence[ComputedView]"
    reading_seconds: float
    seconds: float
    """In all, with writing."""
    indexed: int
    """Tracks that were indexed for the search."""


def refresh(engine: Engine, clock: Clock, *, everything: bool = True) -> DigestRefresh:
    """Compute the digests and store them, after the index of the search is filled.

    Raises `AlreadyRunning` if another process does.

    Without `everything`, the digests of predictions are kept while these are the same
    (`store.reusable`).
    """
    # it imports DuckDB and pyarrow, which most commands need not load
    from genrebase.digests.compute import compute

    began = clock.monotonic()
    with job_run(engine, clock, JOB, exclusive=True) as run:
        indexed = search_index.fill(engine)
        moment = clock.now()
        kept: Sequence[str] = ()
        if not everything:
            with read_transaction(engine) as connection:
                kept = store.reusable(connection, moment)
        computed = compute(engine, clock, min(cores.usable_cores(), _MAX_THREADS), kept)
        documents = {one.view: one.documents for one in computed.views}
        with transaction(engine) as connection:
            store.replace(connection, documents, moment, kept)
        run.count(rows=sum(one.rows for one in computed.views))
    return DigestRefresh(
        moment, computed.views, computed.reading_seconds, clock.monotonic() - began, indexed
    )


def refresh_if_due(engine: Engine, clock: Clock, every: float) -> None:
    """Refresh unless the digests are current, or were refreshed less than `every` seconds ago.

    After a refresh that took a short time, that time is shorter: twenty times as long as it took.
    Errors are logged; the digests stay as they are.
    """
    try:
        if _is_due(engine, clock, every):
            done = refresh(engine, clock, everything=False)
            _log.info("digests_refreshed", seconds=round(done.seconds, 1))
    except AlreadyRunning:
        pass  # the daemon's next check finds what changed meanwhile
    except Exception as error:  # noqa: BLE001 - what was done before must not fail for a digest
        _log.warning("digests_not_refreshed", reason=str(error) or type(error).__name__)


def fill_search_index(engine: Engine, stop_requested: Callable[[], bool] = lambda: False) -> None:
    """Index the tracks that wait for it; errors are logged, and the tracks wait for the next."""
    try:
        search_index.fill(engine, stop_requested)
    except Exception as error:  # noqa: BLE001 - what was done before must not fail for an index
        _log.warning("search_index_not_filled", reason=str(error) or type(error).__name__)


@contextmanager
def refreshed_after(
    engine: Engine, clock: Clock, stop_requested: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Refresh the digests, where due, after a block that changes data, also if it fails.

    Not after a refusal, which changed nothing, Ctrl-C or a requested stop, and not in a process of
    a daemon, which refreshes them by a job of its own.
    """
    try:
        yield
    except (UserError, NothingToDo):
        raise
    except Exception:
        _refresh_after_command(engine, clock, stop_requested)
        raise
    _refresh_after_command(engine, clock, stop_requested)


def daemon_jobs(engine: Engine, clock: Clock) -> list[ScheduledJob]:
    """Return the daemon's jobs that index names and refresh digests; none if that is set."""
    every = GenrebaseSettings.load().digests_every
    if every == 0:
        return []
    check, index = IntervalSchedule(every), IntervalSchedule(min(every, _INDEX_EVERY))
    return [
        ScheduledJob("search_index", lambda: fill_search_index(engine), index),
        ScheduledJob(JOB, lambda: refresh_if_due(engine, clock, every), check),
    ]


def _refresh_after_command(
    engine: Engine, clock: Clock, stop_requested: Callable[[], bool]
) -> None:
    every = GenrebaseSettings.load().digests_every
    if every and not stop_requested() and not jobs.is_service_process():
        fill_search_index(engine, stop_requested)
        refresh_if_due(engine, clock, every)


def _is_due(engine: Engine, clock: Clock, every: float) -> bool:
    now = clock.now()
    last = jobs.last_run(engine, JOB)
    if last is not None and last.finished_at is not None and last.started_at <= now:
        took = (last.finished_at - last.started_at).total_seconds()
        pause = min(every, took / _MAX_SHARE)
        if now < last.finished_at + timedelta(seconds=pause):
            return False
    with read_transaction(engine) as connection:
        stored = store.as_of(connection)
        changed = store.changed_since(connection, stored or _NEVER)
        return changed or (stored is not None and not store.is_complete(connection))
