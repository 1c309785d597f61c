"""The queue of tracks whose audio features are to be fetched, and the features that came back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from collector.catalogue import analysis_queue, data_sources
from collector.catalogue.attempt_queue import LEASE_DURATION, Attempt, AttemptQueue
from collector.records import AudioFeatures
from genrebase.store import bulk, features_provider, tables
from genrebase.store.source_ids import SPOTIFY

_OTHER_RESULTS: Final = ", ".join(
    f"'{name}'" for name in (*tables.SUBMISSION_PROVIDERS, analysis_queue.ATTEMPT_NAME)
)
"""Names in `feature_attempt` of requests for something else than features, as SQL."""


@dataclass(frozen=True, slots=True)
class ProviderResult(Attempt):
    """What a provider returned for a track.

    `acousticbrainz_submissions` stores AcousticBrainz' numbers: they are found, too.
    """

    features: AudioFeatures | None = None


def queue_of(provider: str, ids_of: str = SPOTIFY) -> AttemptQueue:
    """Return the queue of the tracks to request from a provider that takes ids of a source.

    Of AcousticBrainz these are the tracks without its numbers, whoever else has features of them:
    its numbers are other ones. Of any other provider they are the tracks without features on the
    catalogues' scales: AcousticBrainz' tempo alone is not enough.
    """
    if provider in tables.SUBMISSION_PROVIDERS:
        recordings = tables.acousticbrainz_recording
        own = (recordings.c.provider == provider,)
        return AttemptQueue(provider, recordings, ids_of, own, requests_once=True)
    features = tables.audio_features
    on_scales = (features.c.provider.not_in(tables.SUBMISSION_PROVIDERS),)
    return AttemptQueue(provider, features, ids_of, on_scales)


def record_results(
    connection: Connection, queue: AttemptQueue, results: Iterable[ProviderResult], now: datetime
) -> None:
    """Store what a queue's provider returned.

    Results of tracks that are gone by now (merged, forgotten) are dropped.
    """
    by_track = {result.track_id: result for result in results}
    existing = bulk.existing_tracks(connection, list(by_track))
    kept = [result for track_id, result in by_track.items() if track_id in existing]
    values = {one.track_id: one.features for one in kept if one.features is not None}
    store_features(connection, values, queue.provider, now, replace=True)
    queue.record(connection, kept)


def load_features(
    connection: Connection, track_ids: Sequence[int], provider: str
) -> dict[int, tuple[float | None, ...]]:
    """Return the stored features by a provider, in the order of `tables.FEATURES`."""
    columns = ("track_id", *tables.FEATURES)
    rows = bulk.rows_of(
        connection, "audio_features", "track_id", track_ids, columns, provider=provider
    )
    return {track_id: tuple(values) for track_id, *values in rows}


def store_features(
    connection: Connection,
    values: Mapping[int, Sequence[float | None]],
    provider: str,
    now: datetime,
    *,
    replace: bool,
    licences: Mapping[int, str | None] = MappingProxyType({}),
    new: Collection[int] = (),
) -> None:
    """Store features of tracks, in the order of `tables.FEATURES`.

    `replace` overwrites features by the same provider; otherwise the stored ones stay. `licences`
    are those of tracks that have others than the provider. The provider is stored, too. `new`
    tracks were just inserted with this provider as `features_provider`.
    """
    if not values:
        return
    data_sources.ensure(connection, provider, None, now)
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    columns = (*tables.FEATURES, "licence", "fetched_at")
    bulk.upsert(
        connection,
        tables.audio_features,
        ("track_id", "provider", *columns),
        [
            (track_id, provider, *row, licences.get(track_id), moment)
            for track_id, row in values.items()
        ],
        update=", ".join(f"{name} = excluded.{name}" for name in columns) if replace else None,
    )
    existing = [track_id for track_id in values if track_id not in new]
    features_provider.choose(connection, existing)
    if provider not in tables.SUBMISSION_PROVIDERS:
        _end_repetitions(connection, existing, now)


def _end_repetitions(connection: Connection, track_ids: Sequence[int], now: datetime) -> None:
    """Note that no request for features of these tracks is to be repeated: they have some.

    Otherwise every look at the queue would meet them when their time has come. They are due again
    if their features are deleted. Leases stay.
    """
    moments = (now, now + LEASE_DURATION)
    bulk.execute_in(
        connection,
        "UPDATE feature_attempt SET next_at = NULL, outcome = 'known'"
        f" WHERE provider NOT IN ({_OTHER_RESULTS})"
        " AND (next_at <= {mark} OR next_at > {mark}) AND track_id",
        track_ids,
        *(tables.as_driver_datetime(moment, connection.dialect.name) for moment in moments),
    )


def delete_features(connection: Connection, track_ids: Sequence[int], provider: str) -> None:
    statement = "DELETE FROM audio_features WHERE provider = {mark} AND track_id"
    bulk.execute_in(connection, statement, track_ids, provider)
    features_provider.choose(connection, track_ids)
