"""The one clock. Everything that needs the time or waits is given one."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """Time, as a thing that can be handed in."""

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The computer's clock; `interrupt()` ends a wait early, for a clean stop."""

    def __init__(self) -> None:
        self._interrupted = Event()

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once when interrupted."""
        if seconds > 0:
            self._interrupted.wait(seconds)

    def interrupt(self) -> None:
        """End the wait in hand and every later one."""
        self._interrupted.set()
