"""The whole crawl: first the playlists bound to genres, then searches while tracks are missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.crawl.harvest_loop import HarvestOutcome, HarvestProgress, ShardHarvester
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine


@dataclass(frozen=True, slots=True)
class CrawlStages:
    """Harvests from one source after another."""

    engine: Engine
    clock: Clock
    stages: Sequence[ShardHarvester]
    """In the order in which they fill genres; the outcome's `stopped` is the last one's."""

    def run(
        self,
        genres: Sequence[str] = (),
        *,
        max_requests: int | None = None,
        advance: Callable[[HarvestProgress], None] = lambda _: None,
    ) -> HarvestOutcome:
        """Harvest these genres (default: all with a target) until they are done.

        `max_requests` limits the requests to all sources together. A ban, the request limit or a
        stop in one stage ends the crawl.
        """
        total = HarvestOutcome()
        for stage in self.stages:
            left = None if max_requests is None else max_requests - total.requests
            outcome = stage.run(genres, max_requests=left, advance=advance)
            outcome.recorded += total.recorded
            outcome.unusable_reasons += total.unusable_reasons
            outcome.repeating_genres += total.repeating_genres
            outcome.requests += total.requests
            outcome.token_requests += total.token_requests
            total = outcome
            if outcome.stopped not in {"target", "exhausted"}:
                break
        total.log_exhausted()
        return total

    def has_work(self) -> bool:
        """Return whether tracks are missing that may be requested now."""
        return any(stage.has_work() for stage in self.stages)
