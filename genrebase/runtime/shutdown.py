"""Graceful shutdown on SIGINT and SIGTERM: the first signal requests it, the second aborts."""

import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from types import FrameType
from typing import Final

from genrebase.runtime.clock import Clock, SystemClock

DUPLICATE_SIGNAL_SECONDS: Final = 1.0
"""Seconds after the first signal in which another one counts as its duplicate: a terminal or a
supervisor may signal the whole process group, and our parent forwards the signal, too."""

_SIGNALS: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
]
"""SIGBREAK exists on Windows only; SIGTERM never arrives there, but does no harm."""
_POLL_SECONDS: Final = 1.0
"""Seconds of one wait; on Windows Ctrl-C does not interrupt a wait without a timeout."""


class StopSignal:
    """A request to stop, which can be waited for."""

    def __init__(self, *on_request: Callable[[], object]) -> None:
        """`on_request` is called once at the request: to end a sleep early, to forward it."""
        self._event = Event()
        self._on_request = on_request

    @property
    def requested(self) -> bool:
        """Whether a stop was requested."""
        return self._event.is_set()

    def request(self) -> None:
        """Request a stop."""
        if not self._event.is_set():
            self._event.set()
            for call in self._on_request:
                call()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a stop is requested, or for `seconds`; return whether it was requested."""
        if seconds is not None:
            return self._event.wait(seconds)
        while not self._event.wait(_POLL_SECONDS):
            pass
        return True


@contextmanager
def stop_on_signals(
    *on_request: Callable[[], object],
    abort: Callable[[int], object] = os._exit,
    clock: Clock | None = None,
    notice: str | None = None,
) -> Iterator[StopSignal]:
    """Turn SIGINT and SIGTERM into a request to stop while the block runs.

    A second signal (not a duplicate) ends the process at once through `abort`, with 128 + its
    number; the database rolls back open transactions. `notice` says on standard error at once what
    is finished before the process ends. Use it in the main thread only.
    """
    notices = () if notice is None else (lambda: _write_at_once(notice),)
    stop = StopSignal(*notices, *on_request)
    clock, first = clock or SystemClock(), [math.inf]

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if clock.monotonic() - first[0] > DUPLICATE_SIGNAL_SECONDS:
            abort(128 + number)
        first[0] = min(first[0], clock.monotonic())
        stop.request()

    previous = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _write_at_once(notice: str) -> None:
    """Write a line to standard error from a signal handler, in which buffers cannot be used."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"\n{notice}\n".encode())
