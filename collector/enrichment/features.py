"""Fetch the audio features of tracks that have none, from each provider in leased batches."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from collector.acousticbrainz_submissions import Submission
from collector.catalogue import acousticbrainz_submissions, data_sources, feature_queue
from collector.catalogue.attempt_queue import (
    LEASE_DURATION,
    AttemptQueue,
    LeasedTrack,
    LeasedTracks,
    QueuePosition,
    retry_at,
)
from collector.catalogue.feature_queue import ProviderResult
from collector.catalogue.lease import POLL_SECONDS, Lease
from collector.enrichment.result import EnrichmentResult
from collector.errors import (
    Blocked,
    CollectorError,
    EndpointClosed,
    LeaseLost,
    RequestLimitReached,
    SourceUnavailable,
    StopRequested,
)
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries
from collector.ports import FeatureProvider, ProviderFeatures
from collector.records import AudioFeatures
from genrebase.runtime.clock import Clock
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "enrich"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BudgetedProvider:
    """A provider, and the budget that its requests are taken from."""

    provider: FeatureProvider
    budget: RequestBudget

    @property
    def queue(self) -> AttemptQueue:
        """The tracks to request from it."""
        return feature_queue.queue_of(self.provider.name, self.provider.ids_of)


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
    positions: defaultdict[str, QueuePosition] = field(
        default_factory=lambda: defaultdict(QueuePosition), init=False
    )
    """By provider, up to where its queue was looked at."""

    def has_work(self) -> bool:
        """Return whether a track waits for a provider that may be requested now."""
        now = self.clock.now()
        for funded in self.providers:
            if not funded.budget.state().accepts(funded.provider.endpoint, now.timestamp()):
                continue
            with read_transaction(self.engine) as connection:
                position = self.positions[funded.provider.name]
                if funded.queue.has_due(connection, now, position):
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
        closed, blocked or broken is skipped; one that seems to have ended is not requested again
        for a week.
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
                    outcome.problems.append(self._problem(funded, error))
            waiting = [ban for funded, ban in bans if self._has_pending(funded)]
            if waiting:
                raise min(waiting, key=lambda ban: ban.until)
        return outcome

    def _problem(self, funded: BudgetedProvider, error: CollectorError) -> str:
        """Return a sentence on a provider that failed, and close one that seems to have ended.

        An answer that is no data says so at once; no answer, only if that lasts for a day: our own
        network may be down.
        """
        provider, budget = funded.provider, funded.budget
        if not provider.may_have_ended:
            return f"{provider.name}: {error}"
        now = self.clock.now().timestamp()
        if isinstance(error, SourceUnavailable):
            budget.record_failure(provider.endpoint, now)
            if not budget.capabilities.has_failed_for_long(provider.endpoint):
                return f"{provider.name}: {error}"
        budget.record_closed_endpoint(provider.endpoint, now)
        return f"{provider.name}: {error} It may have ended, and is requested again in a week."

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
                results = self._record(funded, batch.rows.tracks, features)
                outcome.requested += len(results)
                outcome.found += sum(one.found for one in results)
                outcome.requests = limit.used
                advance(outcome)

    def _batches(self, funded: BudgetedProvider) -> Iterator[Lease[LeasedTracks]]:
        """Yield leased batches until no track is due and no other process has leased any.

        The leases of others are waited for, because they may expire or be released. Raises
        `StopRequested` if a stop is requested while something is pending.
        """
        while True:
            if self.stop_requested() and self._has_pending(funded):
                raise StopRequested
            batch = self._lease(funded)
            if batch.tracks:
                yield Lease(self.engine, self.clock, batch)
            elif not self._has_pending(funded):
                return
            elif not self._expire_leases_of_the_dead(funded):
                self.clock.sleep(POLL_SECONDS)

    def _has_pending(self, funded: BudgetedProvider) -> bool:
        """Return whether a track is due, or is leased and may fall due."""
        position = self.positions[funded.provider.name]
        with read_transaction(self.engine) as connection:
            return funded.queue.has_due(connection, self.clock.now() + LEASE_DURATION, position)

    def _lease(self, funded: BudgetedProvider) -> LeasedTracks:
        position, size = self.positions[funded.provider.name], funded.provider.batch_size
        with transaction(self.engine) as connection:
            leased = funded.queue.lease_next(connection, position, self.clock.now, size)
        if leased.tracks:
            position.advance(leased.tracks[-1].track_id)
        return leased

    def _expire_leases_of_the_dead(self, funded: BudgetedProvider) -> bool:
        now = self.clock.now()  # before looking who lives: a lease taken since is somebody's
        if not self.no_other_worker():
            return False
        with exclusive_transaction(self.engine) as connection:
            return funded.queue.expire_leases(connection, now)

    def _fetch(
        self, funded: BudgetedProvider, batch: Lease[LeasedTracks], limit: RequestLimit
    ) -> Mapping[str, ProviderFeatures | None]:
        """Return what the provider has of the batch's ids, in as many requests as these need."""
        ids = [source_id for track in batch.rows.tracks for source_id in track.source_ids]
        size = funded.provider.batch_size
        features: dict[str, ProviderFeatures | None] = {}
        for start in range(0, len(ids), size):
            fetch = partial(funded.provider.fetch, ids[start : start + size])
            features |= call_with_retries(
                funded.budget, self.clock, fetch, limit, batch.renew_if_due
            )
            funded.budget.record_response(funded.provider.endpoint)
        return features

    def _record(
        self,
        funded: BudgetedProvider,
        tracks: Sequence[LeasedTrack],
        features: Mapping[str, ProviderFeatures | None],
    ) -> list[ProviderResult]:
        now, queue = self.clock.now(), funded.queue
        results = [_result(track, features, queue, now) for track in tracks]
        numbers = _submissions(tracks, features)
        with exclusive_transaction(self.engine) as connection:
            if any(one.found for one in results):
                provider = funded.provider
                data_sources.ensure(connection, provider.name, provider.licence, now)
            feature_queue.record_results(connection, queue, results, now)
            acousticbrainz_submissions.store_submissions(connection, numbers, now)
        return results


def _result(
    track: LeasedTrack,
    features: Mapping[str, ProviderFeatures | None],
    queue: AttemptQueue,
    now: datetime,
) -> ProviderResult:
    returned = [one for source_id in track.source_ids if (one := features.get(source_id))]
    audio = next((one for one in returned if isinstance(one, AudioFeatures)), None)
    if queue.requests_once:
        return ProviderResult(track.track_id, len(track.source_ids), None, bool(returned), audio)
    attempts = track.attempts + 1
    next_at = None if returned else retry_at(attempts, now)
    return ProviderResult(track.track_id, attempts, next_at, bool(returned), audio)


def _submissions(
    tracks: Sequence[LeasedTrack], features: Mapping[str, ProviderFeatures | None]
) -> dict[acousticbrainz_submissions.RecordingKey, Sequence[Submission]]:
    """Return the submissions of each track's recordings."""
    return {
        (track.track_id, source_id): returned
        for track in tracks
        for source_id in track.source_ids
        if (returned := features.get(source_id)) and not isinstance(returned, AudioFeatures)
    }
