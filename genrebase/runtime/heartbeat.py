"""Heartbeats of a run: written at intervals by a thread; without them the run counts as dead."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from genrebase.errors import GenrebaseError
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.runtime.redaction import redact

DEAD_AFTER: Final = timedelta(hours=24)
"""A run on another host that started longer ago counts as dead. If it is not, it overwrites this
outcome when it ends."""

HEARTBEAT_SECONDS: Final = 30.0
"""Seconds between two heartbeats of an exclusive run."""
HEARTBEAT_TIMEOUT: Final = timedelta(minutes=5)
"""An exclusive run on another host counts as dead after this time without a heartbeat."""

_log = structlog.get_logger(__name__)


@contextmanager
def beating(function: Callable[[], object], seconds: float) -> Iterator[None]:
    """Call a function every `seconds` in its own thread while the block runs.

    It handles its own errors: an exception ends the calls. The block's end waits for the last one.
    """
    stopped = Event()

    def run() -> None:
        while not stopped.wait(seconds):
            function()

    thread = Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@contextmanager
def failure_logged(event: str, **facts: object) -> Iterator[None]:
    """Log, and do not raise, that the database could not do what the block writes."""
    try:
        yield
    except (SQLAlchemyError, GenrebaseError) as failure:
        _log.warning(event, **facts, reason=redact(str(failure)).partition("\n")[0])


def is_alive(
    process: str, started_at: datetime, last_heartbeat: datetime | None, now: datetime
) -> bool:
    """Return whether a run is alive: on this host if its process is, elsewhere by its heartbeat.

    `process` is a `ProcessIdentity` as text, or unknown. A time in the future comes from a clock
    that was set back since, and is believed no longer than one in the past.
    """
    try:
        alive = ProcessIdentity.parse(process).is_alive()
    except ValueError:
        alive = None
    if alive is not None:
        return alive
    if last_heartbeat is not None:
        return abs(now - last_heartbeat) < HEARTBEAT_TIMEOUT
    return abs(now - started_at) < DEAD_AFTER
