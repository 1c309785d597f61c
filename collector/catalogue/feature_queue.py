"""The queue of tracks whose audio features are to be fetched, and the features that came back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection

from collector.catalogue.attempts import Attempt, AttemptQueue
from collector.records import AudioFeatures
from genrebase.store import bulk, tables

_values_of = attrgetter(*tables.FEATURES)


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """What a provider returned for a track."""

    track_id: int
    features: AudioFeatures | None
    attempts: int
    """Requests for it so far, this one included."""
    next_at: datetime | None
    """When to request it again, None for never."""


def queue_of(provider: str) -> AttemptQueue:
    """Return the queue of the tracks that have no features from any provider."""
    return AttemptQueue(provider, tables.audio_features)


def record_results(
    connection: Connection, provider: str, results: Iterable[ProviderResult], now: datetime
) -> None:
    """Store what `provider` returned; run inside a writing transaction, which the caller commits.

    Results of tracks that are gone by now (merged, forgotten) are dropped.
    """
    by_track = {result.track_id: result for result in results}
    stored = bulk.select_in(
        connection,
        "SELECT t.id FROM {values} CROSS JOIN track t WHERE t.id = listed.value",
        list(by_track),
        sql_type="bigint",
    )
    kept = [by_track[track_id] for (track_id,) in stored]
    values = {
        result.track_id: _values_of(result.features)
        for result in kept
        if result.features is not None
    }
    store_features(connection, values, provider, now, replace=True)
    queue_of(provider).record(
        connection,
        [
            Attempt(one.track_id, one.attempts, one.features is not None, one.next_at)
            for one in kept
        ],
    )


def load_features(
    connection: Connection, track_ids: Sequence[int], provider: str
) -> dict[int, tuple[float | None, ...]]:
    """Return the stored features by a provider, in the order of `tables.FEATURES`."""
    columns = ", ".join(f"f.{name}" for name in tables.FEATURES)
    rows = bulk.select_in(
        connection,
        f"SELECT f.track_id, {columns} FROM {{values}} CROSS JOIN audio_features f"
        " WHERE f.track_id = listed.value AND f.provider = {mark}",
        track_ids,
        provider,
        sql_type="bigint",
    )
    return {track_id: tuple(values) for track_id, *values in rows}


def store_features(
    connection: Connection,
    values: Mapping[int, Sequence[float | None]],
    provider: str,
    now: datetime,
    *,
    replace: bool,
) -> None:
    """Store features of tracks, in the order of `tables.FEATURES`.

    `replace` overwrites features by the same provider; otherwise the stored ones stay.
    """
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    columns = (*tables.FEATURES, "fetched_at")
    bulk.upsert(
        connection,
        tables.audio_features,
        ("track_id", "provider", *columns),
        [(track_id, provider, *row, moment) for track_id, row in values.items()],
        update=", ".join(f"{name} = excluded.{name}" for name in columns) if replace else None,
    )
