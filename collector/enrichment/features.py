"""Ask the providers for the audio features of the tracks that have none."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

import structlog

from collector.catalogue import feature_queue as queue
from collector.catalogue.feature_queue import ProviderResult, QueuedTrack
from collector.enrichment.batches import LeasedBatch, LeasedBatches
from collector.errors import (
    Blocked,
    CollectorError,
    EndpointClosed,
    LeaseLost,
    RequestLimitReached,
    StopRequested,
)
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries, recording_closed_endpoint
from collector.ports import FeatureProvider
from collector.records import AudioFeatures
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import RunRecorder
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "enrich"

RETRY_AFTER_DAYS: Final = (1, 7, 30, 90)
"""Gaps after a miss; the last one stays."""

EnrichmentStopReason = Literal["done", "blocked", "limit", "interrupted"]

_RUN_OUTCOMES: Final = {"blocked": "blocked", "interrupted": "interrupted"}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class EnrichmentResult:
    """What asking the providers brought, and why it ended."""

    requested: int = 0
    """Questions put: one per track and provider."""
    found: int = 0
    not_found: int = 0
    requests: int = 0
    """Calls to the providers, retries included."""
    stopped: EnrichmentStopReason = "done"
    blocked: Blocked | None = None
    """The ban that keeps tracks waiting."""
    problems: list[str] = field(default_factory=list)
    """Per provider that could not be asked to the end, why."""

    @property
    def blocked_until(self) -> datetime | None:
        """When the ban ends."""
        return None if self.blocked is None else self.blocked.until

    def write_to(self, run: RunRecorder) -> None:
        """Write what was done into the row of the run."""
        run.count(
            asked=self.requested, known=self.found, unknown=self.not_found, requests=self.requests
        )
        run.set_facts(stopped=self.stopped, problems=list(self.problems))
        run.set_outcome(_RUN_OUTCOMES.get(self.stopped, "done"))


@dataclass(frozen=True, slots=True)
class BudgetedProvider:
    """A provider, and the budget that its requests are taken from."""

    provider: FeatureProvider
    budget: RequestBudget


@dataclass(frozen=True, slots=True)
class FeatureEnricher:
    """Everything that enriching works with."""

    engine: Engine
    clock: Clock
    providers: Sequence[BudgetedProvider]
    """In the order in which they are asked."""
    stop_requested: Callable[[], bool] = lambda: False
    no_other_worker: Callable[[], bool] = lambda: False
    """Whether all other processes that enrich this database are known to be dead."""

    def has_work(self) -> bool:
        """Say whether a track waits for a provider that may be asked now."""
        now = self.clock.now().timestamp()
        for asked in self.providers:
            state = asked.budget.state()
            closed = state.capabilities.is_closed(asked.provider.endpoint, now)
            blocked = state.blocked_until is not None and state.blocked_until > now
            if not closed and not blocked and self._is_due(asked.provider.name):
                return True
        return False

    def _is_due(self, provider: str) -> bool:
        with read_transaction(self.engine) as connection:
            return bool(queue.due_tracks(connection, provider, self.clock.now(), limit=1))

    def run(
        self,
        *,
        max_requests: int | None = None,
        advance: Callable[[EnrichmentResult], None] = lambda _: None,
    ) -> EnrichmentResult:
        """Ask each provider in turn about the tracks that have no features from anybody.

        Every batch is stored before the next is asked for, so that stopping anywhere loses
        nothing; what another process is asking about is left to it, and waited for. A provider
        that is closed, blocked or broken is left, and the next one asked.
        """
        outcome = EnrichmentResult()
        allowance = RequestLimit(max_requests)
        bans: list[tuple[BudgetedProvider, Blocked]] = []
        try:
            for asked in self.providers:
                try:
                    self._ask_all(asked, allowance, outcome, advance)
                except Blocked as ban:
                    bans.append((asked, ban))
                except EndpointClosed as closed:
                    _log.info("endpoint closed", endpoint=closed.endpoint)
                except (RequestLimitReached, StopRequested):
                    raise
                except CollectorError as error:
                    outcome.problems.append(f"{asked.provider.name}: {error}")
        except RequestLimitReached:
            outcome.stopped = "limit"
        except StopRequested:
            outcome.stopped = "interrupted"
        else:
            self._settle_bans(bans, outcome)
        outcome.requests = allowance.used
        return outcome

    def _ask_all(
        self,
        asked: BudgetedProvider,
        allowance: RequestLimit,
        outcome: EnrichmentResult,
        advance: Callable[[EnrichmentResult], None],
    ) -> None:
        provider, budget = asked.provider, asked.budget
        if budget.capabilities.is_closed(provider.endpoint, self.clock.now().timestamp()):
            _log.info("endpoint known as closed", endpoint=provider.endpoint)
            return
        for batch in self._batches(asked).iterate():
            with suppress(LeaseLost), batch.release_on_failure():
                with recording_closed_endpoint(budget, self.clock):
                    fetch = partial(_fetch, provider, batch)
                    found = call_with_retries(budget, self.clock, fetch, allowance)
                self._record(provider.name, batch.tracks, found)
                ids = [waiting.source_id for waiting in batch.tracks]
                known = sum(found.get(source_id) is not None for source_id in ids)
                outcome.requested += len(ids)
                outcome.found += known
                outcome.not_found += len(ids) - known
                outcome.requests = allowance.used
                advance(outcome)

    def _batches(self, asked: BudgetedProvider) -> LeasedBatches:
        return LeasedBatches(
            self.engine,
            self.clock,
            asked.provider.name,
            asked.provider.batch_size,
            self.no_other_worker,
            self.stop_requested,
        )

    def _record(
        self,
        provider: str,
        batch: Sequence[QueuedTrack],
        found: Mapping[str, AudioFeatures | None],
    ) -> None:
        now = self.clock.now()
        answers = [_answer(waiting, found.get(waiting.source_id), now) for waiting in batch]
        with transaction(self.engine) as connection:
            queue.record_results(connection, provider, answers, now)

    def _settle_bans(
        self, bans: Sequence[tuple[BudgetedProvider, Blocked]], outcome: EnrichmentResult
    ) -> None:
        """Say that we are blocked where tracks still wait for a provider that has banned us."""
        waiting = [ban for asked, ban in bans if self._batches(asked).has_pending()]
        if waiting:
            outcome.stopped = "blocked"
            outcome.blocked = min(waiting, key=lambda ban: ban.until)


def retry_at(attempts: int, now: datetime) -> datetime:
    """Return when to ask again after `attempts` misses."""
    days = RETRY_AFTER_DAYS[min(attempts, len(RETRY_AFTER_DAYS)) - 1]
    return now + timedelta(days=days)


def _fetch(provider: FeatureProvider, batch: LeasedBatch) -> Mapping[str, AudioFeatures | None]:
    return provider.fetch(batch.renew())


def _answer(waiting: QueuedTrack, features: AudioFeatures | None, now: datetime) -> ProviderResult:
    attempts = waiting.attempts + 1
    next_at = retry_at(attempts, now) if features is None else None
    return ProviderResult(waiting.track_id, features, attempts, next_at)
