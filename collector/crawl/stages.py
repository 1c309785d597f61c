"""The whole crawl: one source after another, while tracks are missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.crawl.harvest_loop import HarvestOutcome, HarvestProgress, ShardHarvester
from collector.errors import Blocked
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

        `max_requests` limits the requests to all sources together. The request limit or a stop in
        one stage ends the crawl; a ban ends the stages of its account only. The crawl is blocked
        where tracks are missing and a source is: the ban that ends first is in the outcome.
        """
        total = HarvestOutcome()
        bans: dict[str, Blocked] = {}
        unknown: list[set[str]] = []
        for stage in self.stages:
            if stage.budget.source in bans:
                continue
            left = None if max_requests is None else max_requests - total.requests
            outcome = stage.run(genres, max_requests=left, advance=advance)
            if stage.source.subject_kind == "genre":
                unknown.append(set(outcome.unknown_genres))
            _add_counts(outcome, total)
            total = outcome
            if outcome.blocked is not None:
                bans[stage.budget.source] = outcome.blocked
            elif outcome.stopped not in {"target", "exhausted", "listed"}:
                break
        if bans and total.stopped in {"exhausted", "listed", "blocked"}:
            total.stopped = "blocked"
            total.blocked = min(bans.values(), key=lambda ban: ban.until)
        total.unknown_genres = sorted(set.intersection(*unknown)) if unknown else []
        total.log_exhausted()
        return total

    def has_work(self) -> bool:
        """Return whether tracks are missing that may be requested now."""
        return any(stage.has_work() for stage in self.stages)


def _add_counts(outcome: HarvestOutcome, earlier: HarvestOutcome) -> None:
    """Add the counts of the stages before to those of a stage."""
    outcome.recorded += earlier.recorded
    outcome.unusable_reasons += earlier.unusable_reasons
    outcome.repeating_genres += earlier.repeating_genres
    outcome.requests += earlier.requests
    outcome.token_requests += earlier.token_requests
