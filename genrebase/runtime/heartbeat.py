"""Call a function at intervals, in a thread, while other work runs."""

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self


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
