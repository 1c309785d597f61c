"""A clean stop: the first signal asks for one, the second does not wait."""

import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Final

from genrebase.runtime.clock import Clock, SystemClock

DUPLICATE_SIGNAL_SECONDS: Final = 1.0
"""Seconds after the first signal in which another one is its echo: a terminal or a supervisor may
signal a whole group, and our parent passes it on as well."""

_SIGNAL_NAMES: Final = ("SIGINT", "SIGTERM", "SIGBREAK")
"""SIGBREAK is Windows' own; SIGTERM reaches nobody there, but does no harm."""
_LOOK_EVERY: Final = 1.0
"""Seconds between two looks; on Windows a wait without an end does not hear Ctrl-C."""


class StopSignal:
    """Whether somebody asked us to stop, and a way to wait for it."""

    def __init__(self, *wake: Callable[[], object]) -> None:
        """`wake` is called once at the request: to end a sleep early, to pass it on."""
        self._event = Event()
        self._wake = wake

    @property
    def requested(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask for a stop."""
        if not self._event.is_set():
            self._event.set()
            for call in self._wake:
                call()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a stop is asked for, at most so long; return whether it was."""
        if seconds is not None:
            return self._event.wait(seconds)
        while not self._event.wait(_LOOK_EVERY):
            pass
        return True


@contextmanager
def stop_on_signals(
    *wake: Callable[[], object],
    abort: Callable[[int], object] = os._exit,
    clock: Clock | None = None,
) -> Iterator[StopSignal]:
    """Turn SIGINT and SIGTERM into a request to stop while the block runs.

    The second signal (but its echo) ends the process at once through `abort`, with 128 + its
    number: whatever was in hand is rolled back by the database. In the main thread only.
    """
    stop, clock, first = StopSignal(*wake), clock or SystemClock(), [math.inf]

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if clock.monotonic() - first[0] > DUPLICATE_SIGNAL_SECONDS:
            abort(128 + number)
        first[0] = min(first[0], clock.monotonic())
        stop.request()

    before = {number: signal.signal(number, on_signal) for number in _signals()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signals() -> list[int]:
    return [getattr(signal, name) for name in _SIGNAL_NAMES if hasattr(signal, name)]
