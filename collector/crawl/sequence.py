"""The whole crawl: what is bound to genres first, what searches find where tracks still lack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.crawl.harvest import HarvestOutcome, HarvestProgress
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine


class HarvestStage(Protocol):
    """Harvests from one source."""

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = ...,
    ) -> HarvestOutcome:
        """Harvest these genres (default: all with a target)."""
        ...

    def has_work(self) -> bool:
        """Whether there is something to ask for now."""
        ...


@dataclass(frozen=True, slots=True)
class CrawlSequence:
    """Harvests from one source after another."""

    engine: Engine
    clock: Clock
    stages: Sequence[HarvestStage]
    """In the order in which genres are filled from them; the last one says how it ended."""

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """Harvest these genres (default: all with a target) until they are done.

        `max_requests` bounds the calls to all sources together. What ends one source's part for
        good ends the crawl: a ban, the limit, a stop.
        """
        before = HarvestOutcome()
        for part in self.stages:
            left = None if max_requests is None else max_requests - before.requests
            outcome = part.run(genres, max_requests=left, advance=advance)
            outcome.recorded += before.recorded
            outcome.unusable_reasons += before.unusable_reasons
            outcome.requests += before.requests
            before = outcome
            if outcome.stopped not in {"target", "exhausted"}:
                break
        return before

    def has_work(self) -> bool:
        """Say whether something is missing that may be asked for now."""
        return any(part.has_work() for part in self.stages)
