"""Several workers on one simulated clock: deterministic, and months pass in minutes.

Each worker is a thread with its own clock, but only one runs at a time: a worker that sleeps hands
over to the one that wakes first.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Semaphore, Thread
from typing import Final

from genrebase.runtime.clock import Clock

START: Final = datetime(2026, 1, 1, tzinfo=UTC)

Work = Callable[[Clock], None]


class _Time:
    """The shared time, and when each worker wakes."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.sleepers: list[tuple[float, int]] = []
        self.turns: list[Semaphore] = []

    def hand_over(self) -> None:
        """Wake the worker that is due first."""
        if self.sleepers:
            moment, number = heapq.heappop(self.sleepers)
            self.elapsed = max(self.elapsed, moment)
            self.turns[number].release()


class _Clock:
    """The clock of one worker."""

    def __init__(self, time: _Time, number: int) -> None:
        self._time, self._number = time, number

    def now(self) -> datetime:
        """Return the simulated time."""
        return START + timedelta(seconds=self._time.elapsed)

    def monotonic(self) -> float:
        """Return the simulated seconds since the start."""
        return self._time.elapsed

    def sleep(self, seconds: float) -> None:
        """Let the other workers run meanwhile."""
        heapq.heappush(self._time.sleepers, (self._time.elapsed + seconds, self._number))
        self._time.hand_over()
        self._time.turns[self._number].acquire()


def run(*works: Work) -> float:
    """Run all workers to their ends; return the simulated seconds.

    Raise the first error of a worker.
    """
    time, failures = _Time(), list[BaseException]()

    def perform(number: int, work: Work) -> None:
        time.turns[number].acquire()
        try:
            work(_Clock(time, number))
        except BaseException as failure:  # noqa: BLE001 - it is raised again where `run` was called
            failures.append(failure)
        finally:
            time.hand_over()

    threads = []
    for number, work in enumerate(works):
        time.turns.append(Semaphore(0))
        time.sleepers.append((0.0, number))
        threads.append(Thread(target=perform, args=(number, work), daemon=True))
    for thread in threads:
        thread.start()
    time.hand_over()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.elapsed
