"""Fetch the audio features of tracks that have none, from each provider in leased batches."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from collector.catalogue import feature_queue
from collector.catalogue.attempts import LeasedTrack, LeasedTracks
from collector.catalogue.feature_queue import ProviderResult
from collector.catalogue.lease import Lease
from collector.enrichment.leased_batches import LeasedBatches
from collector.enrichment.result import EnrichmentResult
from collector.enrichment.retry_schedule import retry_at
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
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction

JOB: Final = "enrich"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BudgetedProvider:
    """A provider, and the budget that its requests are taken from."""

    provider: FeatureProvider
    budget: RequestBudget


@dataclass(frozen=True, slots=True)
class FeatureEnricher:
    """Fetches features from several providers."""

    engine: Engine
    clock: Clock
    providers: Sequence[BudgetedProvider]
    """In the order in which they are requested."""
    stop_requested: Callable[[], bool] = lambda: False
    no_other_worker: Callable[[], bool] = lambda: False
    """Whether all other processes that enrich this database are known to be dead."""

    def has_work(self) -> bool:
        """Return whether a track waits for a provider that may be requested now."""
        now = self.clock.now()
        for funded in self.providers:
            if not funded.budget.state().accepts(funded.provider.endpoint, now.timestamp()):
                continue
            with read_transaction(self.engine) as connection:
                if feature_queue.queue_of(funded.provider.name).has_due(connection, now):
                    return True
        return False

    def run(
        self,
        *,
        max_requests: int | None = None,
        advance: Callable[[EnrichmentResult], None] = lambda _: None,
    ) -> EnrichmentResult:
        """Request the tracks that have no features from each provider in turn.

        Every batch is stored before the next is requested, so stopping anywhere loses nothing.
        Tracks that another process has leased are left to it, and waited for. A provider that is
        closed, blocked or broken is skipped.
        """
        outcome = EnrichmentResult()
        limit = RequestLimit(max_requests)
        bans: list[tuple[BudgetedProvider, Blocked]] = []
        with outcome.until_stopped(limit):
            for funded in self.providers:
                try:
                    self._fetch_all(funded, limit, outcome, advance)
                except Blocked as ban:
                    bans.append((funded, ban))
                except EndpointClosed as closed:
                    _log.info("endpoint closed", endpoint=closed.endpoint)
                except (RequestLimitReached, StopRequested):
                    raise
                except CollectorError as error:
                    outcome.problems.append(f"{funded.provider.name}: {error}")
            waiting = [ban for funded, ban in bans if self._batches(funded).has_pending()]
            if waiting:
                raise min(waiting, key=lambda ban: ban.until)
        return outcome

    def _fetch_all(
        self,
        funded: BudgetedProvider,
        limit: RequestLimit,
        outcome: EnrichmentResult,
        advance: Callable[[EnrichmentResult], None],
    ) -> None:
        provider, budget = funded.provider, funded.budget
        if budget.capabilities.is_closed(provider.endpoint, self.clock.now().timestamp()):
            _log.info("endpoint known as closed", endpoint=provider.endpoint)
            return
        for batch in self._batches(funded):
            with suppress(LeaseLost), batch.released_on_failure():
                features = self._fetch(funded, batch, limit)
                self._record(provider.name, batch.rows.tracks, features)
                tracks = batch.rows.tracks
                outcome.requested += len(tracks)
                outcome.found += sum(features.get(one.source_id) is not None for one in tracks)
                outcome.requests = limit.used
                advance(outcome)

    def _batches(self, funded: BudgetedProvider) -> LeasedBatches:
        return LeasedBatches(
            self.engine,
            self.clock,
            feature_queue.queue_of(funded.provider.name),
            funded.provider.batch_size,
            self.no_other_worker,
            self.stop_requested,
        )

    def _fetch(
        self, funded: BudgetedProvider, batch: Lease[LeasedTracks], limit: RequestLimit
    ) -> Mapping[str, AudioFeatures | None]:
        def fetch() -> Mapping[str, AudioFeatures | None]:
            batch.renew_if_due()
            return funded.provider.fetch([track.source_id for track in batch.rows.tracks])

        with recording_closed_endpoint(funded.budget, self.clock):
            return call_with_retries(funded.budget, self.clock, fetch, limit)

    def _record(
        self,
        provider: str,
        tracks: Sequence[LeasedTrack],
        features: Mapping[str, AudioFeatures | None],
    ) -> None:
        now = self.clock.now()
        results = [_result(track, features.get(track.source_id), now) for track in tracks]
        with exclusive_transaction(self.engine) as connection:
            feature_queue.record_results(connection, provider, results, now)


def _result(track: LeasedTrack, features: AudioFeatures | None, now: datetime) -> ProviderResult:
    attempts = track.attempts + 1
    next_at = retry_at(attempts, now) if features is None else None
    return ProviderResult(track.track_id, features, attempts, next_at)
