"""Fetch the audio analyses of tracks by priority, one request per track."""

from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from collector.catalogue import analysis_queue
from collector.catalogue.analysis_queue import ANALYSES
from collector.catalogue.attempt_queue import LeasedTrack, LeasedTracks, retry_at
from collector.catalogue.lease import Lease
from collector.enrichment.result import EnrichmentResult
from collector.errors import (
    BadRequest,
    Blocked,
    CollectorError,
    EndpointClosed,
    InvalidResponse,
    LeaseLost,
    NotFound,
    RequestLimitReached,
    StopRequested,
    UnusableResponse,
)
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries
from collector.ports import AnalysisProvider
from genrebase.audio.analysis import TrackAnalysis
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "analyse"
"""The job's name in `job_run`."""

PLAN_SIZE: Final = 1_000
"""Tracks ranked at once: minutes of requests, compared with which ranking is cheap."""

LEASE_SIZE: Final = 50
"""Tracks leased at once."""

MAX_CONSECUTIVE_MISSES: Final = 10
"""Misses in a row, before any track is found, after which the endpoint counts as closed."""

MAX_CONSECUTIVE_INVALID: Final = 3
"""Tracks in a row with invalid responses, each after its retries, that end the run."""

_log = structlog.get_logger(__name__)


@dataclass
class AnalysisResult(EnrichmentResult):
    """What a run of analyses fetched."""

    reasons: Counter[str] = field(default_factory=Counter)
    """Tracks without a usable analysis, by reason."""

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "reasons": dict(self.reasons)}


@dataclass
class AnalysisFetcher:
    """Requests one provider track by track, and stores each analysis before the next request."""

    engine: Engine
    clock: Clock
    provider: AnalysisProvider
    budget: RequestBudget
    stop_requested: Callable[[], bool] = lambda: False
    _plan: deque[int] = field(default_factory=deque, init=False)
    """Track ids to request next; each is checked again when it is leased."""
    _misses: int = field(default=0, init=False)
    _found_any: bool = field(default=False, init=False)
    _invalid: int = field(default=0, init=False)

    def has_work(self) -> bool:
        """Return whether a track waits that may be requested now."""
        now = self.clock.now()
        if not self.budget.state().accepts(self.provider.endpoint, now.timestamp()):
            return False
        with read_transaction(self.engine) as connection:
            return ANALYSES.has_due(connection, now)

    def run(
        self,
        *,
        max_requests: int | None = None,
        advance: Callable[[AnalysisResult], None] = lambda _: None,
    ) -> AnalysisResult:
        """Request track after track, until none is due or `max_requests` are used."""
        outcome = AnalysisResult()
        limit = RequestLimit(max_requests)
        with outcome.until_stopped(limit):
            try:
                self._fetch_all(limit, outcome, advance)
            except EndpointClosed as closed:
                outcome.stopped = "closed"
                _log.info("endpoint closed", endpoint=closed.endpoint)
            except (Blocked, RequestLimitReached, StopRequested):
                raise
            except CollectorError as error:
                outcome.problems.append(f"{self.provider.endpoint}: {error}")
        return outcome

    def _fetch_all(
        self,
        limit: RequestLimit,
        outcome: AnalysisResult,
        advance: Callable[[AnalysisResult], None],
    ) -> None:
        now = self.clock.now().timestamp()
        if self.budget.capabilities.is_closed(self.provider.endpoint, now):
            raise EndpointClosed(self.provider.endpoint)
        lease: Lease[LeasedTracks] | None = None
        try:
            while not self.stop_requested():
                limit.check()
                if lease is None or not lease.rows.tracks:
                    lease = self._next_lease()
                    if lease is None:
                        return
                with suppress(LeaseLost):
                    self._fetch_next(lease, limit, outcome)
                    advance(outcome)
            raise StopRequested
        finally:
            if lease is not None:
                self._release(lease)

    def _next_lease(self) -> Lease[LeasedTracks] | None:
        """Lease the next tracks of the plan, None if no track is due."""
        while True:
            if not self._plan:
                with read_transaction(self.engine) as connection:
                    now = self.clock.now()
                    self._plan.extend(analysis_queue.by_priority(connection, now, PLAN_SIZE))
            if not self._plan:
                return None
            ids = [self._plan.popleft() for _ in range(min(LEASE_SIZE, len(self._plan)))]
            with transaction(self.engine) as connection:
                rows = analysis_queue.lease(connection, ids, self.clock.now)
            if rows.tracks:
                return Lease(self.engine, self.clock, rows)

    def _release(self, lease: Lease[LeasedTracks]) -> None:
        """Release the tracks that were not requested, and plan them again."""
        if lease.rows.tracks:
            with bulk.exclusive_transaction(self.engine) as connection:
                lease.rows.forget(connection)
            self._plan.extendleft(track.track_id for track in reversed(lease.rows.tracks))

    def _fetch_next(
        self, lease: Lease[LeasedTracks], limit: RequestLimit, outcome: AnalysisResult
    ) -> None:
        """Fetch and record the first track of a lease, and drop it from the lease."""
        track = lease.rows.tracks[0]
        analysis: TrackAnalysis | None = None
        try:
            analysis = self._fetch(track, lease, limit)
            self._invalid = 0
        except InvalidResponse as error:
            self._invalid += 1
            if self._invalid >= MAX_CONSECUTIVE_INVALID:
                raise
            reason = str(error)
        except (BadRequest, UnusableResponse) as error:
            self._invalid = 0
            missing = isinstance(error, NotFound)
            reason = "Spotify has none of this track." if missing else str(error)
        self._record(track, analysis)
        lease.rows.tracks.remove(track)
        outcome.requested += 1
        outcome.found += analysis is not None
        outcome.requests = limit.used
        if analysis is None:
            outcome.reasons[reason] += 1
            _log.info("no analysis", track=track.track_id, why=reason)

    def _fetch(
        self, track: LeasedTrack, lease: Lease[LeasedTracks], limit: RequestLimit
    ) -> TrackAnalysis:
        """Fetch an analysis; raise `EndpointClosed` after many misses without a single hit."""

        def keep_lease() -> None:
            lease.renew_if_due()
            if track not in lease.rows.tracks:
                raise LeaseLost

        def fetch() -> TrackAnalysis:
            try:
                return self.provider.fetch(track.source_ids[0])
            except NotFound as error:
                self._misses += 1
                if not self._found_any and self._misses >= MAX_CONSECUTIVE_MISSES:
                    self._misses = 0
                    raise EndpointClosed(self.provider.endpoint) from error
                raise

        analysis = call_with_retries(self.budget, self.clock, fetch, limit, keep_lease)
        self._found_any = True
        return analysis

    def _record(self, track: LeasedTrack, analysis: TrackAnalysis | None) -> None:
        now = self.clock.now()
        next_at = retry_at(track.attempts + 1, now) if analysis is None else None
        with bulk.exclusive_transaction(self.engine) as connection:
            analysis_queue.record_result(
                connection, track, self.provider.name, analysis, now, next_at
            )
