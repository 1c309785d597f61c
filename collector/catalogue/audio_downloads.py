"""Record downloaded audio files: their tracks with features, and that they are done or failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, select, update

from collector.catalogue import audio_files, audio_items, tracks
from collector.catalogue.aliases import tracks_of_aliases
from collector.records import Provenance, RecordResult, TrackObservation
from genrebase.audio.records import AudioAnalysis
from genrebase.store import bulk, tables

TRACK_REMOVED: Final = "its track was removed"
_download = tables.audio_download
_DAY: Final = timedelta(hours=24)


class DownloadKey(NamedTuple):
    """A file of an item."""

    source: str
    item_id: str
    name: str


def record_analysed(
    connection: Connection,
    key: DownloadKey,
    analysis: AudioAnalysis,
    seen: Sequence[TrackObservation],
    now: datetime,
    *,
    received: int,
    licence: str,
    schema: str,
) -> RecordResult | None:
    """Record a file as done, with its track and features.

    `seen` are the sightings of its track; empty: the one with the item's id, which is stored
    already. The file of a track that is gone by now is recorded as failed, and None returned.
    `received` is in bytes, `licence` the file's; `schema` must be registered.
    """
    bulk.lock_identity_writers(connection)
    recorded = RecordResult()
    source_id = seen[0].track.source_id if seen else key.item_id
    if seen:
        provenance = Provenance(origin=key.source, provider=None)
        recorded = tracks.record(connection, seen, provenance, now)
        sounds = [(key.source, source_id, analysis.digest)]
        audio_files.add_digest_aliases(connection, sounds, now)
    track_id = tracks_of_aliases(connection, key.source, [source_id]).get(source_id)
    if track_id is None:
        record_failed(connection, key, TRACK_REMOVED, received, now)
        return None
    if analysis.features is not None:
        features, licences = {track_id: analysis.features}, {track_id: licence}
        audio_files.store_audio_features(connection, features, schema, now, licences)
    audio_files.store_vectors(connection, {track_id: analysis.vectors}, now)
    values = {"status": "done", "reason": None, "track_id": track_id}
    _close(connection, key, values, received, now)
    return recorded


def record_failed(
    connection: Connection, key: DownloadKey, reason: str, received: int, now: datetime
) -> None:
    """Record that a file cannot be used; it is not downloaded again."""
    _close(connection, key, {"status": "failed", "reason": reason}, received, now)


def record_attempt(connection: Connection, key: DownloadKey, reason: str) -> None:
    """Record a failed attempt of a file that is to be downloaded again."""
    _set(connection, key, {"reason": reason, "attempts": _download.c.attempts + 1})


def add_received(connection: Connection, key: DownloadKey, received: int, now: datetime) -> None:
    """Record bytes that came for a file."""
    _set(connection, key, {"received": _download.c.received + received, "received_at": now})


def received_lately(connection: Connection, now: datetime) -> int:
    """Return the bytes that came in the last 24 hours."""
    query = select(func.sum(_download.c.received)).where(_download.c.received_at > now - _DAY)
    return int(connection.scalar(query) or 0)


def _close(
    connection: Connection, key: DownloadKey, values: dict[str, Any], received: int, now: datetime
) -> None:
    _set(connection, key, values)
    if received:
        add_received(connection, key, received, now)
    audio_items.close_if_done(connection, key.source, key.item_id, now)


def _set(connection: Connection, key: DownloadKey, values: dict[str, Any]) -> None:
    connection.execute(
        update(_download)
        .where(
            _download.c.source == key.source,
            _download.c.item_id == key.item_id,
            _download.c.name == key.name,
        )
        .values(values)
    )
