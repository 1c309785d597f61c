"""Something done again and again beside other work, for as long as that takes."""

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self


class Heartbeat:
    """Calls `beat` every so many seconds while its block runs, in a thread of its own."""

    def __init__(self, beat: Callable[[], object], every: float) -> None:
        """`beat` sees to its own errors: one that it raises ends the beating."""
        self._beat, self._every = beat, every
        self._over = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, after the beat in hand."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._beat()
