"""Store imported audio files and what was extracted from them: descriptors, estimates, sections.

A file is identified by its path, size and time, so that it need not be analysed again; its sound
by the hash of the decoded samples, which is the track's id under the source `audio`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, insert, select

from collector.audio.metadata import SOURCE
from collector.catalogue import (
    analysis_queue,
    audio_names,
    feature_queue,
    track_claims,
    track_merging,
    tracks,
)
from collector.catalogue.aliases import tracks_of_aliases, tracks_of_all
from collector.catalogue.audio_names import AudioFileRecord
from collector.catalogue.track_batch import ids_by_source
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.audio.records import PackedFeatures
from genrebase.audio.scan import AudioFile
from genrebase.errors import UserError
from genrebase.store import bulk, tables

PROVENANCE: Final = Provenance(origin=SOURCE, provider=None)

_file = tables.sound_file
_FILE_COLUMNS: Final = ("path", "size", "modified", "descriptor_schema", "digest", "track_id")
_ALIAS_COLUMNS: Final = ("source", "source_id", "track_id")


@dataclass(frozen=True, slots=True)
class StoredAudioFile:
    """A file that was imported."""

    key: str
    size: int
    modified: int
    digest: str
    track_id: int

    def is_unchanged(self, file: AudioFile) -> bool:
        """Return whether size and time are as they were then."""
        return (self.size, self.modified) == (file.size, file.modified)


@dataclass(frozen=True, slots=True)
class RecordedFiles:
    """Counts of recorded files."""

    tracks_new: int = 0
    renamed: int = 0
    """Tracks that got another name."""
    relabelled: int = 0
    """Tracks whose genres were replaced."""
    other_names: Mapping[str, str] = field(default_factory=dict)
    """The name under which the audio of a file is stored, if it is not the file's; by its key."""


def stored_files(connection: Connection, schema: str) -> dict[str, StoredAudioFile]:
    """Return the imported files by key, those whose descriptors of `schema` are stored."""
    query = select(_file.c.path, _file.c.size, _file.c.modified, _file.c.digest, _file.c.track_id)
    described = _described(query, schema).where(_file.c.descriptor_schema == schema)
    return {row[0]: StoredAudioFile(*row) for row in connection.execute(described)}


def digests_with_set(connection: Connection, schema: str) -> frozenset[str]:
    """Return the digests of imported audio whose descriptors of `schema` are stored."""
    return frozenset(connection.scalars(_described(select(_file.c.digest), schema)))


def _described(files: Select[Any], schema: str) -> Select[Any]:
    """Narrow a query of files to those whose descriptors of `schema` are stored."""
    own = tables.descriptor.c
    return files.join(tables.descriptor, own.track_id == _file.c.track_id).where(
        own.provider == SOURCE, own.schema == schema
    )


def store_vectors(
    connection: Connection, vectors: Mapping[int, Mapping[str, bytes]], now: datetime
) -> None:
    """Store values of pre-trained networks, by track and descriptor set, which is registered."""
    by_set: dict[str, dict[int, bytes]] = {}
    for track_id, packed in vectors.items():
        for name, data in packed.items():
            by_set.setdefault(name, {})[track_id] = data
    for name, rows in sorted(by_set.items()):
        store_descriptors(connection, rows, SOURCE, name, now)


def names_of(connection: Connection, track_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return title and primary artist of tracks."""
    rows = bulk.select_in(
        connection,
        "SELECT t.id, t.title, a.name FROM {values} CROSS JOIN track t"
        " JOIN track_artist c ON c.track_id = t.id AND c.position = 0"
        " JOIN artist a ON a.id = c.artist_id WHERE t.id = listed.value",
        track_ids,
    )
    return {track_id: (title, artist) for track_id, title, artist in rows}


def register_schema(connection: Connection, schema: str, columns: Sequence[str]) -> None:
    """Register a descriptor schema; raise `UserError` if its columns differ."""
    table = tables.descriptor_schema
    bulk.lock_identity_writers(connection)
    stored = connection.scalar(select(table.c["columns"]).where(table.c.name == schema))
    if stored is None:
        connection.execute(insert(table).values(name=schema, columns=list(columns)))
    elif list(stored) != list(columns):
        raise UserError(
            f"Descriptors called {schema!r} are stored with other columns "
            f"({len(stored)}, not these {len(columns)}): give the file another name."
        )


def store_descriptors(
    connection: Connection,
    packed: Mapping[int, bytes],
    provider: str,
    schema: str,
    now: datetime,
) -> None:
    """Store packed descriptors of tracks, replacing earlier ones."""
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    bulk.upsert(
        connection,
        tables.descriptor,
        ("track_id", "provider", "schema", "data", "fetched_at"),
        [(track_id, provider, schema, data, moment) for track_id, data in packed.items()],
        update="data = excluded.data, fetched_at = excluded.fetched_at",
    )


def record_files(
    connection: Connection, records: Sequence[AudioFileRecord], schema: str, now: datetime
) -> RecordedFiles:
    """Record files in their order.

    Features replace those of an earlier file of the same track. `schema` and the sets of
    `vectors` must be registered (`register_schema`).
    """
    bulk.lock_identity_writers(connection)
    replacements = audio_names.begin(connection, records)
    tracks_of_files = audio_names.unify_names(records, replacements)
    observations = [
        observation
        for record, track in zip(records, tracks_of_files, strict=True)
        for observation in _observe(track, record.genres)
    ]
    recorded = tracks.record(connection, observations, PROVENANCE, now)
    renamed = audio_names.finish(connection, replacements, now)
    sounds = [(*record.track.address, record.digest) for record in records]
    add_digest_aliases(connection, sounds, now)
    ids = tracks_of_all(connection, ids_by_source(record.track for record in records))
    features = {
        ids[record.track.address]: record.features  # the last file of a track wins
        for record in records
        if record.features is not None
    }
    licences = {ids[record.track.address]: record.track.licence for record in records}
    store_audio_features(connection, features, schema, now, licences)
    vectors: dict[int, dict[str, bytes]] = {}
    for record in records:
        vectors.setdefault(ids[record.track.address], {}).update(record.vectors)
    store_vectors(connection, vectors, now)
    files = {}
    for record in records:
        file, track_id = record.file, ids[record.track.address]
        row = (file.key, file.size, file.modified, schema, record.digest, track_id)
        files[file.key] = row
    connection.execute(delete(_file).where(_file.c.path.in_(files)))
    bulk.insert(connection, _file, _FILE_COLUMNS, list(files.values()))
    return RecordedFiles(
        max(0, recorded.tracks_new - renamed),
        renamed,
        len(replacements.relabelled),
        replacements.other_names,
    )


def set_licence(connection: Connection, track_ids: Sequence[int], licence: str) -> None:
    """Set the licence of the labels and features that audio files gave these tracks."""
    for table, column in (("sighting", "source"), ("audio_features", "provider")):
        statement = f"UPDATE {table} SET licence = {{mark}} WHERE {column} = {{mark}} AND track_id"
        bulk.execute_in(connection, statement, track_ids, licence, SOURCE)


def add_genres(
    connection: Connection, genres_of_files: Mapping[StoredAudioFile, Sequence[str]], now: datetime
) -> None:
    """Record genres of files that were imported earlier.

    They replace those of a track that only this file delivered.
    """
    bulk.lock_identity_writers(connection)
    keys = {file.track_id: file.key for file in genres_of_files}
    own = audio_names.own_tracks(connection, keys)
    genres_of_own = {
        file.track_id: genres for file, genres in genres_of_files.items() if file.track_id in own
    }
    relabelled = audio_names.detach_genres(connection, genres_of_own)
    names = names_of(connection, [file.track_id for file in genres_of_files])
    observations = []
    for file, genres in genres_of_files.items():
        if file.track_id in names:
            title, artist = names[file.track_id]
            credits_ = (ArtistCredit(artist),)
            track = SourceTrack(SOURCE, file.digest, title, credits_, match_by_name=False)
            observations += _observe(track, genres)
    tracks.record(connection, observations, PROVENANCE, now)
    track_claims.recompute(connection, sorted(relabelled))


def _observe(track: SourceTrack, genres: Sequence[str]) -> list[TrackObservation]:
    """Return a track under its genres: the first has the better rank."""
    ranked = enumerate(genres or [None])
    return [TrackObservation(track, genre, min(position, 1)) for position, genre in ranked]


def add_digest_aliases(
    connection: Connection, sounds: Sequence[tuple[str, str, str]], now: datetime
) -> None:
    """Add the hash of the sound as an alias of tracks that have an id of another source.

    `sounds` are (source, source's id, hash). If another track has that alias, the two are merged;
    one that only its sound identifies takes the other's name. Two tracks with different ids of the
    same source stay two, even if they sound the same: that catalogue distinguishes them.
    """
    for source, source_id, digest in sounds:
        if source == SOURCE:
            continue
        track_id = tracks_of_aliases(connection, source, [source_id])[source_id]
        holder = tracks_of_aliases(connection, SOURCE, [digest]).get(digest)
        if holder is None:
            alias = (SOURCE, digest, track_id)
            bulk.insert(connection, tables.track_alias, _ALIAS_COLUMNS, [alias])
        elif holder != track_id:
            _merge(connection, track_id, holder, source, now)


def _merge(connection: Connection, track_id: int, holder: int, source: str, now: datetime) -> None:
    alias = tables.track_alias
    query = select(alias.c.source).where(alias.c.track_id == holder).distinct()
    sources = set(connection.scalars(query))
    if sources == {SOURCE}:
        track_merging.merge_into(connection, track_id, holder, PROVENANCE.origin, now)
    elif source not in sources:
        pair = (min(holder, track_id), max(holder, track_id))
        track_merging.merge_pairs(connection, [pair], PROVENANCE.origin, now)


def store_audio_features(
    connection: Connection,
    features: Mapping[int, PackedFeatures],
    schema: str,
    now: datetime,
    licences: Mapping[int, str | None],
) -> None:
    """Store what was extracted from the audio of tracks, replacing what was stored of it.

    An estimate outside its feature's range is left out. `schema` must be registered
    (`register_schema`). `licences` are those of the audio; None where it is not known.
    """
    descriptors = {track_id: packed.descriptors for track_id, packed in features.items()}
    store_descriptors(connection, descriptors, SOURCE, schema, now)
    values = {
        track_id: [_in_range(name, packed.estimates.get(name)) for name in tables.FEATURES]
        for track_id, packed in features.items()
    }
    feature_queue.store_features(connection, values, SOURCE, now, replace=True, licences=licences)
    for track_id, packed in features.items():
        matrices = [*packed.analysis.matrices, packed.logmel]
        analysis = replace(packed.analysis, matrices=matrices)
        analysis_queue.store_analysis(connection, track_id, SOURCE, analysis, now)


def _in_range(name: str, value: float | None) -> float | None:
    low, high = tables.FEATURE_RANGES[name]
    return value if value is not None and low <= value <= high else None
