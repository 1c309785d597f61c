"""Ask for the audio analysis of tracks: one request each, so the most wanted come first."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final, Literal

import structlog

from collector.catalogue import analysis_queue
from collector.catalogue.analysis_queue import Claimed
from collector.enrichment.features import after_miss
from collector.errors import (
    AllowanceSpent,
    BadAnswer,
    BadRequest,
    Blocked,
    CollectorError,
    EndpointClosed,
    Interrupted,
    NotFound,
    Unusable,
)
from collector.http.rate_limiter import Budget
from collector.http.retry import Allowance, ask, remembering_closed
from collector.ports import AnalysisProvider
from genrebase.audio.analysis import Analysis
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import Run
from genrebase.store.engine import Engine, reading, transaction

JOB: Final = "analyse"
"""Under which its runs are written down."""

PLANNED: Final = 1_000
"""Tracks of one plan: minutes of requests, beside which planning is cheap."""

CLAIMED: Final = 50
"""Tracks taken at once."""

CLAIMED_FOR: Final = timedelta(minutes=10)
"""After which others may ask for what was taken and never asked for."""

MISSES_TO_CLOSE: Final = 10
"""Tracks in a row that are not found before any is: the endpoint itself is gone."""

GIBBERISH_TO_STOP: Final = 3
"""Tracks in a row whose answers cannot be read, each tried again and again."""

Stopped = Literal["done", "blocked", "closed", "limit", "interrupted"]

_RUN_OUTCOMES: Final = {"blocked": "blocked", "interrupted": "interrupted"}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Analysed:
    """What asking for analyses brought, and why it ended."""

    asked: int = 0
    """Tracks asked for."""
    known: int = 0
    requests: int = 0
    """Calls to the provider, retries included."""
    stopped: Stopped = "done"
    blocked: Blocked | None = None
    """The ban that keeps tracks waiting."""
    problems: list[str] = field(default_factory=list)
    """Why it could not go on to the end."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Per reason, how many tracks were set aside."""

    @property
    def unknown(self) -> int:
        """Tracks without an analysis that can be used."""
        return self.asked - self.known

    def as_document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {
            "asked": self.asked,
            "known": self.known,
            "unknown": self.unknown,
            "reasons": dict(self.reasons),
            "requests": self.requests,
            "stopped": self.stopped,
            "blocked_until": None if self.blocked is None else self.blocked.until,
            "problems": list(self.problems),
        }

    def write_to(self, run: Run) -> None:
        """Write what was done into the row of the run."""
        run.count(asked=self.asked, known=self.known, unknown=self.unknown, requests=self.requests)
        run.note(stopped=self.stopped, reasons=dict(self.reasons), problems=list(self.problems))
        run.outcome(_RUN_OUTCOMES.get(self.stopped, "done"))


class _Claims:
    """Tracks taken from the queue; what was not asked for goes back."""

    def __init__(self, engine: Engine, clock: Clock, plan: deque[int]) -> None:
        self._engine, self._clock = engine, clock
        self._plan = plan
        self._left: list[Claimed] = []
        self._until = clock.now()

    def next(self) -> Claimed | None:
        """Return the next track, None where none waits."""
        if self._clock.now() >= self._until:
            self._left = []  # too late: others may have taken them
        while not self._left:
            if not self._plan and not self._planned():
                return None
            self._claim()
        return self._left[0]

    def _planned(self) -> bool:
        with reading(self._engine) as connection:
            self._plan.extend(analysis_queue.wanted(connection, self._clock.now(), PLANNED))
        return bool(self._plan)

    def _claim(self) -> None:
        next_ones = [self._plan.popleft() for _ in range(min(CLAIMED, len(self._plan)))]
        now = self._clock.now()
        self._until = now + CLAIMED_FOR
        with transaction(self._engine) as connection:
            self._left = analysis_queue.claim(connection, next_ones, now, self._until)

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


class Analyser:
    """Asks one provider, track by track, and stores each answer before the next question."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        provider: AnalysisProvider,
        budget: Budget,
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
        with reading(self.engine) as connection:
            return analysis_queue.has_due(connection, now)

    def run(
        self,
        *,
        max_requests: int | None = None,
        advance: Callable[[Analysed], None] = lambda _: None,
    ) -> Analysed:
        """Ask for one track after another, until none waits or `max_requests` are spent."""
        outcome = Analysed()
        allowance = Allowance(max_requests)
        claims = _Claims(self.engine, self.clock, self._plan)
        try:
            self._ask_all(claims, allowance, outcome, advance)
        except AllowanceSpent:
            outcome.stopped = "limit"
        except Interrupted:
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
        outcome.requests = allowance.spent
        return outcome

    def _ask_all(
        self,
        claims: _Claims,
        allowance: Allowance,
        outcome: Analysed,
        advance: Callable[[Analysed], None],
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
            outcome.asked += 1
            outcome.known += found is not None
            outcome.requests = allowance.spent
            if reason is not None:
                outcome.reasons[reason] += 1
            advance(outcome)
        raise Interrupted

    def _ask(self, claimed: Claimed, allowance: Allowance) -> tuple[Analysis | None, str | None]:
        """Return the analysis of a track, or why there is none."""
        call = partial(self._provider.fetch, claimed.source_id)
        try:
            with remembering_closed(self._budget, self.clock):
                found = self._ask_knowing(call, allowance)
        except BadAnswer as error:
            self._gibberish += 1
            if self._gibberish >= GIBBERISH_TO_STOP:
                raise
            return None, _set_aside(claimed, error)
        except (BadRequest, Unusable) as error:
            self._gibberish = 0
            return None, _set_aside(claimed, error)
        self._gibberish = 0
        return found, None

    def _ask_knowing(self, call: Callable[[], Analysis], allowance: Allowance) -> Analysis:
        """Ask, and tell a track that was never analysed from an endpoint that is gone."""
        try:
            found = ask(self._budget, self.clock, call, allowance)
        except NotFound as error:
            self._missed += 1
            if not self._found_any and self._missed >= MISSES_TO_CLOSE:
                self._missed = 0
                raise EndpointClosed(self._provider.endpoint) from error
            raise
        self._found_any = True
        return found

    def _record(self, claimed: Claimed, found: Analysis | None) -> None:
        now = self.clock.now()
        next_at = after_miss(claimed.attempts + 1, now) if found is None else None
        with transaction(self.engine) as connection:
            analysis_queue.record(connection, claimed, self._provider.name, found, now, next_at)


def _set_aside(claimed: Claimed, error: CollectorError) -> str:
    reason = "There is no analysis." if isinstance(error, NotFound) else str(error)
    _log.info("no analysis", track=claimed.track_id, why=reason)
    return reason
