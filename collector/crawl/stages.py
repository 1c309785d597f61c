"""The whole crawl: one source after another, while tracks are missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from collector.crawl.harvest_loop import HarvestOutcome, HarvestProgress, ShardHarvester
from collector.errors import Blocked, TransientError
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine

_log = structlog.get_logger(__name__)


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
        one stage ends the crawl; a ban or failure ends the stages of its account only. The crawl
        is blocked where tracks are missing and a source is: the ban that ends first is in the
        outcome. Where tracks are missing and a source failed, its `TransientError` is there.
        """
        total = HarvestOutcome()
        bans: dict[str, Blocked] = {}
        failures: dict[str, TransientError] = {}
        unknown: list[set[str]] = []
        for stage in self.stages:
            name, made_before = stage.budget.source, stage.budget.requests_made
            if name in bans or name in failures:
                continue
            left = None if max_requests is None else max_requests - total.requests
            try:
                outcome = stage.run(genres, max_requests=left, advance=advance)
            except TransientError as error:
                _log.warning("source failed", source=name, why=str(error))
                failures[name] = error
                unknown.append(set())  # what it has is not known
                total.requests += stage.budget.requests_made - made_before
                continue
            if stage.source.subject_kind == "genre":
                unknown.append(set(outcome.unknown_genres))
            _add_counts(outcome, total)
            total = outcome
            if outcome.blocked is not None:
                bans[name] = outcome.blocked
            elif outcome.stopped not in {"target", "exhausted", "listed"}:
                break
        if bans and total.stopped in {"exhausted", "listed", "blocked"}:
            total.stopped = "blocked"
            total.blocked = min(bans.values(), key=lambda ban: ban.until)
        elif failures and total.stopped in {"exhausted", "listed"}:
            total.failure = next(iter(failures.values()))
        total.unknown_genres = sorted(set.intersection(*unknown)) if unknown else []
        total.log_exhausted()
        return total

    def has_work(self) -> bool:
        """Return whether tracks are missing that may be requested now."""
        return any(stage.has_work() for stage in self.stages)


def _add_counts(outcome: HarvestOutcome, earlier: HarvestOutcome) -> None:
    """Add the counts of the previous stages to those of a stage."""
    outcome.recorded += earlier.recorded
    outcome.unusable_reasons += earlier.unusable_reasons
    outcome.repeating_genres += earlier.repeating_genres
    outcome.items_waiting += earlier.items_waiting
    outcome.requests += earlier.requests
    outcome.token_requests += earlier.token_requests
