"""Heartbeats of a run: written at intervals by a thread; without them the run counts as dead."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

DEAD_AFTER: Final = timedelta(hours=24)
"""A run on another host that started longer ago counts as dead. If it is not, it overwrites this
outcome when it ends."""

HEARTBEAT_SECONDS: Final = 30.0
"""Seconds between two heartbeats of an exclusive run."""
HEARTBEAT_TIMEOUT: Final = timedelta(minutes=5)
"""An exclusive run on another host counts as dead after this time without a heartbeat."""


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


def is_alive(started_at: datetime, last_heartbeat: datetime | None, now: datetime) -> bool:
    """Return whether a run on another host counts as alive.

    A time in the future comes from a clock that was set back since, and is believed no longer
    than one in the past.
    """
    if last_heartbeat is not None:
        return abs(now - last_heartbeat) < HEARTBEAT_TIMEOUT
    return abs(now - started_at) < DEAD_AFTER
