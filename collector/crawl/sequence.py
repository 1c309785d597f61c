"""The whole crawl: what is bound to genres first, what searches find where tracks still lack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.crawl.harvest import Outcome, Progress
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine


class Part(Protocol):
    """Harvests from one source."""

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[Progress], None] = ...,
    ) -> Outcome:
        """Harvest these genres (default: all with a target)."""
        ...

    def has_work(self) -> bool:
        """Whether there is something to ask for now."""
        ...


@dataclass(frozen=True, slots=True)
class Crawl:
    """Harvests from one source after another."""

    engine: Engine
    clock: Clock
    parts: Sequence[Part]
    """In the order in which genres are filled from them; the last one says how it ended."""

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[Progress], None] = lambda _: None,
    ) -> Outcome:
        """Harvest these genres (default: all with a target) until they are done.

        `max_requests` bounds the calls to all sources together. What ends one source's part for
        good ends the crawl: a ban, the limit, a stop.
        """
        before = Outcome()
        for part in self.parts:
            left = None if max_requests is None else max_requests - before.requests
            outcome = part.run(genres, max_requests=left, advance=advance)
            outcome.recorded += before.recorded
            outcome.set_aside += before.set_aside
            outcome.requests += before.requests
            before = outcome
            if outcome.stopped not in {"target", "exhausted"}:
                break
        return before

    def has_work(self) -> bool:
        """Say whether something is missing that may be asked for now."""
        return any(part.has_work() for part in self.parts)
