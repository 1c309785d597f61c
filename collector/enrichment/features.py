"""Ask the providers for the audio features of the tracks that have none."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

import structlog

from collector.catalogue import feature_queue as queue
from collector.catalogue.feature_queue import Answer, Waiting
from collector.enrichment.batches import Batch, Batches
from collector.errors import (
    AllowanceSpent,
    Blocked,
    CollectorError,
    EndpointClosed,
    Interrupted,
    LeaseLost,
)
from collector.http.rate_limiter import Budget
from collector.http.retry import Allowance, ask, remembering_closed
from collector.ports import FeatureProvider
from collector.records import AudioFeatures
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import Run
from genrebase.store.engine import Engine, reading, transaction

JOB: Final = "enrich"

ASK_AGAIN_AFTER_DAYS: Final = (1, 7, 30, 90)
"""Gaps after a miss; the last one stays."""

Stopped = Literal["done", "blocked", "limit", "interrupted"]

_RUN_OUTCOMES: Final = {"blocked": "blocked", "interrupted": "interrupted"}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Enriched:
    """What asking the providers brought, and why it ended."""

    asked: int = 0
    """Questions put: one per track and provider."""
    known: int = 0
    unknown: int = 0
    requests: int = 0
    """Calls to the providers, retries included."""
    stopped: Stopped = "done"
    blocked: Blocked | None = None
    """The ban that keeps tracks waiting."""
    problems: list[str] = field(default_factory=list)
    """Per provider that could not be asked to the end, why."""

    @property
    def blocked_until(self) -> datetime | None:
        """When the ban ends."""
        return None if self.blocked is None else self.blocked.until

    def write_to(self, run: Run) -> None:
        """Write what was done into the row of the run."""
        run.count(asked=self.asked, known=self.known, unknown=self.unknown, requests=self.requests)
        run.note(stopped=self.stopped, problems=list(self.problems))
        run.outcome(_RUN_OUTCOMES.get(self.stopped, "done"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A provider, and the budget that its requests are taken from."""

    provider: FeatureProvider
    budget: Budget


@dataclass(frozen=True, slots=True)
class Enricher:
    """Everything that enriching works with."""

    engine: Engine
    clock: Clock
    providers: Sequence[Asked]
    """In the order in which they are asked."""
    stop_requested: Callable[[], bool] = lambda: False
    alone: Callable[[], bool] = lambda: False
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
        with reading(self.engine) as connection:
            return bool(queue.due(connection, provider, self.clock.now(), limit=1))

    def run(
        self,
        *,
        max_requests: int | None = None,
        advance: Callable[[Enriched], None] = lambda _: None,
    ) -> Enriched:
        """Ask each provider in turn about the tracks that have no features from anybody.

        Every batch is stored before the next is asked for, so that stopping anywhere loses
        nothing; what another process is asking about is left to it, and waited for. A provider
        that is closed, blocked or broken is left, and the next one asked.
        """
        outcome = Enriched()
        allowance = Allowance(max_requests)
        bans: list[tuple[Asked, Blocked]] = []
        try:
            for asked in self.providers:
                try:
                    self._ask_all(asked, allowance, outcome, advance)
                except Blocked as ban:
                    bans.append((asked, ban))
                except EndpointClosed as closed:
                    _log.info("endpoint closed", endpoint=closed.endpoint)
                except (AllowanceSpent, Interrupted):
                    raise
                except CollectorError as error:
                    outcome.problems.append(f"{asked.provider.name}: {error}")
        except AllowanceSpent:
            outcome.stopped = "limit"
        except Interrupted:
            outcome.stopped = "interrupted"
        else:
            self._settle_bans(bans, outcome)
        outcome.requests = allowance.spent
        return outcome

    def _ask_all(
        self,
        asked: Asked,
        allowance: Allowance,
        outcome: Enriched,
        advance: Callable[[Enriched], None],
    ) -> None:
        provider, budget = asked.provider, asked.budget
        if budget.capabilities.is_closed(provider.endpoint, self.clock.now().timestamp()):
            _log.info("endpoint known as closed", endpoint=provider.endpoint)
            return
        for batch in self._batches(asked).walk():
            with suppress(LeaseLost), batch.held():
                with remembering_closed(budget, self.clock):
                    fetch = partial(_fetch, provider, batch)
                    found = ask(budget, self.clock, fetch, allowance)
                self._record(provider.name, batch.waiting, found)
                ids = [waiting.source_id for waiting in batch.waiting]
                known = sum(found.get(source_id) is not None for source_id in ids)
                outcome.asked += len(ids)
                outcome.known += known
                outcome.unknown += len(ids) - known
                outcome.requests = allowance.spent
                advance(outcome)

    def _batches(self, asked: Asked) -> Batches:
        return Batches(
            self.engine,
            self.clock,
            asked.provider.name,
            asked.provider.batch_size,
            self.alone,
            self.stop_requested,
        )

    def _record(
        self, provider: str, batch: Sequence[Waiting], found: Mapping[str, AudioFeatures | None]
    ) -> None:
        now = self.clock.now()
        answers = [_answer(waiting, found.get(waiting.source_id), now) for waiting in batch]
        with transaction(self.engine) as connection:
            queue.record(connection, provider, answers, now)

    def _settle_bans(self, bans: Sequence[tuple[Asked, Blocked]], outcome: Enriched) -> None:
        """Say that we are blocked where tracks still wait for a provider that has banned us."""
        waiting = [ban for asked, ban in bans if self._batches(asked).is_wanted()]
        if waiting:
            outcome.stopped = "blocked"
            outcome.blocked = min(waiting, key=lambda ban: ban.until)


def after_miss(attempts: int, now: datetime) -> datetime:
    """Return when to ask again after `attempts` misses."""
    days = ASK_AGAIN_AFTER_DAYS[min(attempts, len(ASK_AGAIN_AFTER_DAYS)) - 1]
    return now + timedelta(days=days)


def _fetch(provider: FeatureProvider, batch: Batch) -> Mapping[str, AudioFeatures | None]:
    return provider.fetch(batch.keep())


def _answer(waiting: Waiting, features: AudioFeatures | None, now: datetime) -> Answer:
    attempts = waiting.attempts + 1
    next_at = after_miss(attempts, now) if features is None else None
    return Answer(waiting.track_id, features, attempts, next_at)
