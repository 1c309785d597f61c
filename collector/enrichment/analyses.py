"""Ask for the audio analysis of tracks: one request each, so the most wanted come first."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final, Literal

import structlog

from collector.catalogue import analysis_queue
from collector.catalogue.analysis_queue import LeasedTrack
from collector.enrichment.features import retry_at
from collector.errors import (
    BadRequest,
    Blocked,
    CollectorError,
    EndpointClosed,
    InvalidResponse,
    NotFound,
    RequestLimitReached,
    StopRequested,
    UnusableResponse,
)
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries, recording_closed_endpoint
from collector.ports import AnalysisProvider
from genrebase.audio.analysis import TrackAnalysis
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import RunRecorder
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "analyse"
"""Under which its runs are written down."""

PLAN_SIZE: Final = 1_000
"""Tracks of one plan: minutes of requests, beside which planning is cheap."""

LEASE_SIZE: Final = 50
"""Tracks taken at once."""

LEASE_DURATION: Final = timedelta(minutes=10)
"""After which others may ask for what was taken and never asked for."""

MAX_CONSECUTIVE_MISSES: Final = 10
"""Tracks in a row that are not found before any is: the endpoint itself is gone."""

MAX_CONSECUTIVE_INVALID: Final = 3
"""Tracks in a row whose answers cannot be read, each tried again and again."""

AnalysisStopReason = Literal["done", "blocked", "closed", "limit", "interrupted"]

_RUN_OUTCOMES: Final = {"blocked": "blocked", "interrupted": "interrupted"}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class AnalysisResult:
    """What asking for analyses brought, and why it ended."""

    requested: int = 0
    """Tracks asked for."""
    found: int = 0
    requests: int = 0
    """Calls to the provider, retries included."""
    stopped: AnalysisStopReason = "done"
    blocked: Blocked | None = None
    """The ban that keeps tracks waiting."""
    problems: list[str] = field(default_factory=list)
    """Why it could not go on to the end."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Per reason, how many tracks were set aside."""

    @property
    def not_found(self) -> int:
        """Tracks without an analysis that can be used."""
        return self.requested - self.found

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {
            "asked": self.requested,
            "known": self.found,
            "unknown": self.not_found,
            "reasons": dict(self.reasons),
            "requests": self.requests,
            "stopped": self.stopped,
            "blocked_until": None if self.blocked is None else self.blocked.until,
            "problems": list(self.problems),
        }

    def write_to(self, run: RunRecorder) -> None:
        """Write what was done into the row of the run."""
        run.count(
            asked=self.requested, known=self.found, unknown=self.not_found, requests=self.requests
        )
        run.set_facts(
            stopped=self.stopped, reasons=dict(self.reasons), problems=list(self.problems)
        )
        run.set_outcome(_RUN_OUTCOMES.get(self.stopped, "done"))


class _Claims:
    """Tracks taken from the queue; what was not asked for goes back."""

    def __init__(self, engine: Engine, clock: Clock, plan: deque[int]) -> None:
        self._engine, self._clock = engine, clock
        self._plan = plan
        self._left: list[LeasedTrack] = []
        self._until = clock.now()

    def next(self) -> LeasedTrack | None:
        """Return the next track, None where none waits."""
        if self._clock.now() >= self._until:
            self._left = []  # too late: others may have taken them
        while not self._left:
            if not self._plan and not self._planned():
                return None
            self._claim()
        return self._left[0]

    def _planned(self) -> bool:
        with read_transaction(self._engine) as connection:
            self._plan.extend(analysis_queue.by_priority(connection, self._clock.now(), PLAN_SIZE))
        return bool(self._plan)

    def _claim(self) -> None:
        next_ones = [self._plan.popleft() for _ in range(min(LEASE_SIZE, len(self._plan)))]
        now = self._clock.now()
        self._until = now + LEASE_DURATION
        with transaction(self._engine) as connection:
            self._left = analysis_queue.lease(connection, next_ones, now, self._until)

    def done(self) -> None:
        """Keep the track that came last: it was asked for."""
        self._left = self._left[1:]

    def give_back(self) -> None:
        """Leave the rest to others."""
        if self._left:
            with transaction(self._engine) as connection:
                analysis_queue.release(connection, self._left, self._until, self._clock.now())
            self._plan.extendleft(one.track_id for one in reversed(self._left))
        self._left = []


class AnalysisFetcher:
    """Asks one provider, track by track, and stores each answer before the next question."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        provider: AnalysisProvider,
        budget: RequestBudget,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        """Ask `provider` at the expense of `budget`."""
        self.engine, self.clock = engine, clock
        self._provider, self._budget = provider, budget
        self._stop_requested = stop_requested
        self._plan: deque[int] = deque()
        """Who is asked for next; each is looked at again when its turn comes."""
        self._missed = 0
        self._found_any = False
        self._gibberish = 0

    def has_work(self) -> bool:
        """Say whether a track waits that may be asked for now."""
        now = self.clock.now()
        state = self._budget.state()
        blocked = state.blocked_until is not None and state.blocked_until > now.timestamp()
        if blocked or state.capabilities.is_closed(self._provider.endpoint, now.timestamp()):
            return False
        with read_transaction(self.engine) as connection:
            return analysis_queue.has_due(connection, now)

    def run(
        self,
        *,
        max_requests: int | None = None,
        advance: Callable[[AnalysisResult], None] = lambda _: None,
    ) -> AnalysisResult:
        """Ask for one track after another, until none waits or `max_requests` are spent."""
        outcome = AnalysisResult()
        allowance = RequestLimit(max_requests)
        claims = _Claims(self.engine, self.clock, self._plan)
        try:
            self._ask_all(claims, allowance, outcome, advance)
        except RequestLimitReached:
            outcome.stopped = "limit"
        except StopRequested:
            outcome.stopped = "interrupted"
        except Blocked as ban:
            outcome.stopped, outcome.blocked = "blocked", ban
        except EndpointClosed as closed:
            outcome.stopped = "closed"
            _log.info("endpoint closed", endpoint=closed.endpoint)
        except CollectorError as error:
            outcome.problems.append(f"{self._provider.endpoint}: {error}")
        finally:
            claims.give_back()
        outcome.requests = allowance.used
        return outcome

    def _ask_all(
        self,
        claims: _Claims,
        allowance: RequestLimit,
        outcome: AnalysisResult,
        advance: Callable[[AnalysisResult], None],
    ) -> None:
        now = self.clock.now().timestamp()
        if self._budget.capabilities.is_closed(self._provider.endpoint, now):
            raise EndpointClosed(self._provider.endpoint)
        while not self._stop_requested():
            allowance.check()
            claimed = claims.next()
            if claimed is None:
                return
            found, reason = self._ask(claimed, allowance)
            self._record(claimed, found)
            claims.done()
            outcome.requested += 1
            outcome.found += found is not None
            outcome.requests = allowance.used
            if reason is not None:
                outcome.reasons[reason] += 1
            advance(outcome)
        raise StopRequested

    def _ask(
        self, claimed: LeasedTrack, allowance: RequestLimit
    ) -> tuple[TrackAnalysis | None, str | None]:
        """Return the analysis of a track, or why there is none."""
        call = partial(self._provider.fetch, claimed.source_id)
        try:
            with recording_closed_endpoint(self._budget, self.clock):
                found = self._ask_knowing(call, allowance)
        except InvalidResponse as error:
            self._gibberish += 1
            if self._gibberish >= MAX_CONSECUTIVE_INVALID:
                raise
            return None, _set_aside(claimed, error)
        except (BadRequest, UnusableResponse) as error:
            self._gibberish = 0
            return None, _set_aside(claimed, error)
        self._gibberish = 0
        return found, None

    def _ask_knowing(
        self, call: Callable[[], TrackAnalysis], allowance: RequestLimit
    ) -> TrackAnalysis:
        """Ask, and tell a track that was never analysed from an endpoint that is gone."""
        try:
            found = call_with_retries(self._budget, self.clock, call, allowance)
        except NotFound as error:
            self._missed += 1
            if not self._found_any and self._missed >= MAX_CONSECUTIVE_MISSES:
                self._missed = 0
                raise EndpointClosed(self._provider.endpoint) from error
            raise
        self._found_any = True
        return found

    def _record(self, claimed: LeasedTrack, found: TrackAnalysis | None) -> None:
        now = self.clock.now()
        next_at = retry_at(claimed.attempts + 1, now) if found is None else None
        with transaction(self.engine) as connection:
            analysis_queue.record_result(
                connection, claimed, self._provider.name, found, now, next_at
            )


def _set_aside(claimed: LeasedTrack, error: CollectorError) -> str:
    reason = "There is no analysis." if isinstance(error, NotFound) else str(error)
    _log.info("no analysis", track=claimed.track_id, why=reason)
    return reason
