"""Heartbeats of a run: written at intervals by a thread; without them the run counts as dead."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

DEAD_AFTER: Final = timedelta(hours=24)
"""A run on another host that started longer ago counts as dead. If it is not, it overwrites this
outcome when it ends."""

HEARTBEAT_SECONDS: Final = 30.0
"""Seconds between two heartbeats of an exclusive run."""
HEARTBEAT_TIMEOUT: Final = timedelta(minutes=5)
"""An exclusive run on another host counts as dead after this time without a heartbeat."""


class Heartbeat:
    """Calls a function every `seconds` in its own thread while the block runs."""

    def __init__(self, function: Callable[[], object], seconds: float) -> None:
        """Take a function that handles its own errors: an exception ends the calls."""
        self._function, self._seconds = function, seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread, after the current call."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._function()


def is_alive(started_at: datetime, last_heartbeat: datetime | None, now: datetime) -> bool:
    """Return whether a run on another host counts as alive.

    A time in the future comes from a clock that was set back since, and is believed no longer
    than one in the past.
    """
    if last_heartbeat is not None:
        return abs(now - last_heartbeat) < HEARTBEAT_TIMEOUT
    return abs(now - started_at) < DEAD_AFTER
