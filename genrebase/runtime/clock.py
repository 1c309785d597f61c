"""Clocks: code that needs the time, or sleeps, takes a `Clock` as a parameter."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """Source of the time, so that tests can set it."""

    def now(self) -> datetime:
        """Return the current time in UTC."""

    def monotonic(self) -> float:
        """Return a number of seconds that never decreases."""

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`."""


class SystemClock:
    """The system clock; `interrupt()` ends sleeps early, for a clean stop."""

    def __init__(self) -> None:
        self._interrupted = Event()

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return a number of seconds that never decreases."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`, or until `interrupt()` is called."""
        if seconds > 0:
            self._interrupted.wait(seconds)

    def interrupt(self) -> None:
        """End the current sleep and every later one."""
        self._interrupted.set()
