"""What was heard in files: descriptors, estimates, sections; and which files were heard.

A file is remembered by its path, size and time, so that it need not be heard again; its sound by
the hash of what was decoded, which is the track's id under the source `audio`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from collector.audio.metadata import SOURCE
from collector.catalogue import analysis_queue, merging, tracks
from collector.records import ArtistCredit, Provenance, RecordResult, SourceTrack, TrackObservation
from genrebase.audio.records import PackedFeatures
from genrebase.audio.scan import AudioFile
from genrebase.errors import UserError
from genrebase.store import bulk, tables

PROVENANCE: Final = Provenance(origin=SOURCE, provider=None)

_file = tables.sound_file
_FILE_COLUMNS: Final = ("path", "size", "modified", "descriptor_schema", "digest", "track_id")
_ALIAS_COLUMNS: Final = ("source", "source_id", "track_id")
_MATRIX_COLUMNS: Final = ("kind", "version", "steps", "channels", "data")
_REPLACED: Final = ", ".join(
    f"{name} = excluded.{name}" for name in (*tables.FEATURES, "fetched_at")
)


class DescriptorSchemaConflict(UserError):
    """A set of values is known under this name, with other columns."""


@dataclass(frozen=True, slots=True)
class StoredAudioFile:
    """A file that was heard."""

    key: str
    size: int
    modified: int
    digest: str
    track_id: int

    def is_unchanged(self, file: AudioFile) -> bool:
        """Say whether the file is as it was then."""
        return (self.size, self.modified) == (file.size, file.modified)


@dataclass(frozen=True, slots=True)
class AudioFileRecord:
    """A file, as a track under its genres, with what was heard in it."""

    file: AudioFile
    digest: str
    track: SourceTrack
    genres: Sequence[str]
    """The first is the one that counts."""
    features: PackedFeatures | None
    """None where the sound was known."""


def stored_files(connection: Connection, schema: str) -> dict[str, StoredAudioFile]:
    """Return the files that were heard, by their keys, as far as `schema` is stored of them."""
    described = tables.descriptor
    query = (
        select(_file.c.path, _file.c.size, _file.c.modified, _file.c.digest, _file.c.track_id)
        .join(described, described.c.track_id == _file.c.track_id)
        .where(
            _file.c.descriptor_schema == schema,
            described.c.provider == SOURCE,
            described.c.schema == schema,
        )
    )
    return {row[0]: StoredAudioFile(*row) for row in connection.execute(query)}


def genres_of(connection: Connection, track_ids: Sequence[int]) -> dict[int, set[str]]:
    """Return under which genres tracks were seen."""
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, g.name FROM {values} CROSS JOIN sighting s CROSS JOIN genre g"
        " WHERE s.track_id = listed.value AND g.id = s.genre_id",
        track_ids,
        sql_type="bigint",
    )
    found: dict[int, set[str]] = {}
    for track_id, name in rows:
        found.setdefault(track_id, set()).add(name)
    return found


def names_of(connection: Connection, track_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return title and primary artist of tracks."""
    rows = bulk.select_in(
        connection,
        "SELECT t.id, t.title, a.name FROM {values} CROSS JOIN track t"
        " JOIN track_artist c ON c.track_id = t.id AND c.position = 0"
        " JOIN artist a ON a.id = c.artist_id WHERE t.id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    return {track_id: (title, artist) for track_id, title, artist in rows}


def register_schema(connection: Connection, schema: str, columns: Sequence[str]) -> None:
    """Make a set of values known; raise `DescriptorSchemaConflict` where its name means another one."""
    table = tables.descriptor_schema
    bulk.lock_identity_writers(connection)
    known = connection.scalar(select(table.c["columns"]).where(table.c.name == schema))
    if known is None:
        connection.execute(insert(table).values(name=schema, columns=list(columns)))
    elif list(known) != list(columns):
        raise DescriptorSchemaConflict(
            f"Descriptors called {schema!r} are stored with other columns "
            f"({len(known)}, not these {len(columns)}): give the file another name."
        )


def store_descriptors(
    connection: Connection,
    described: Mapping[int, bytes],
    provider: str,
    schema: str,
    now: datetime,
) -> None:
    """Store packed values of tracks, in the place of earlier ones."""
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    bulk.upsert(
        connection,
        tables.descriptor,
        ("track_id", "provider", "schema", "data", "fetched_at"),
        [(track_id, provider, schema, data, moment) for track_id, data in described.items()],
        update="data = excluded.data, fetched_at = excluded.fetched_at",
    )


def track_ids(connection: Connection, source: str, ids: Iterable[str]) -> dict[str, int]:
    """Return the tracks of a source's ids."""
    rows = bulk.select_in(
        connection,
        "SELECT a.source_id, a.track_id FROM {values} CROSS JOIN track_alias a"
        " WHERE a.source_id = listed.value AND a.source = {mark}",
        list(dict.fromkeys(ids)),
        source,
    )
    return dict(map(tuple, rows))


def record_files(
    connection: Connection, listened: Sequence[AudioFileRecord], schema: str, now: datetime
) -> RecordResult:
    """Record files in their order; run inside a writing transaction, which the caller commits.

    What is heard takes the place of what was heard in an earlier file of the same track. The
    columns of `schema` must be known (`register_schema`).
    """
    recorded = tracks.record(connection, _seen(listened), PROVENANCE, now)
    _know_sounds(connection, listened, now)
    ids = _tracks_of(connection, listened)
    told = {
        ids[_address(one)]: one.features  # the last one of a track stays
        for one in listened
        if one.features is not None
    }
    store_descriptors(
        connection, {key: one.descriptors for key, one in told.items()}, SOURCE, schema, now
    )
    _estimate(connection, told, now)
    for track_id, one in told.items():
        _analyse(connection, track_id, one, now)
    files = {
        one.file.key: (
            *(one.file.key, one.file.size, one.file.modified, schema, one.digest),
            ids[_address(one)],
        )
        for one in listened
    }
    connection.execute(delete(_file).where(_file.c.path.in_(files)))
    bulk.insert(connection, _file, _FILE_COLUMNS, list(files.values()))
    return recorded


def add_genres(
    connection: Connection, labels: Mapping[StoredAudioFile, Sequence[str]], now: datetime
) -> None:
    """Record genres of files that were heard before; run inside a writing transaction."""
    names = names_of(connection, [one.track_id for one in labels])
    seen = []
    for one, genres in labels.items():
        if one.track_id in names:
            title, artist = names[one.track_id]
            track = SourceTrack(
                SOURCE, one.digest, title, (ArtistCredit(artist),), match_by_name=False
            )
            seen += _sightings(track, genres)
    tracks.record(connection, seen, PROVENANCE, now)


def _seen(listened: Sequence[AudioFileRecord]) -> list[TrackObservation]:
    return [seen for one in listened for seen in _sightings(one.track, one.genres)]


def _sightings(track: SourceTrack, genres: Sequence[str]) -> list[TrackObservation]:
    """Return a track under its genres: the first has the better rank."""
    return [
        TrackObservation(track, genre, min(place, 1))
        for place, genre in enumerate(genres or [None])
    ]


def _address(one: AudioFileRecord) -> tracks.AliasKey:
    return one.track.source, one.track.source_id


def _tracks_of(
    connection: Connection, listened: Sequence[AudioFileRecord]
) -> dict[tracks.AliasKey, int]:
    found: dict[tracks.AliasKey, int] = {}
    for source in sorted({one.track.source for one in listened}):
        ids = [one.track.source_id for one in listened if one.track.source == source]
        known = track_ids(connection, source, ids)
        found.update({(source, source_id): key for source_id, key in known.items()})
    return found


def _know_sounds(
    connection: Connection, listened: Sequence[AudioFileRecord], now: datetime
) -> None:
    """Make the sounds of files that go by another id known as those tracks'.

    Where another track has the sound, the two are one; one that is known by its sound alone takes
    the other's name. Two tracks with such ids stay two, however alike they sound: the catalogue
    that gave the ids says so.
    """
    for one in listened:
        if one.track.source == SOURCE:
            continue
        own = track_ids(connection, one.track.source, [one.track.source_id])
        track_id = own[one.track.source_id]
        holder = track_ids(connection, SOURCE, [one.digest]).get(one.digest)
        if holder is None:
            alias = (SOURCE, one.digest, track_id)
            bulk.insert(connection, tables.track_alias, _ALIAS_COLUMNS, [alias])
        elif holder != track_id:
            _unite(connection, track_id, holder, one.track.source, now)


def _unite(connection: Connection, track_id: int, holder: int, source: str, now: datetime) -> None:
    alias = tables.track_alias
    sources = set(
        connection.scalars(select(alias.c.source).where(alias.c.track_id == holder).distinct())
    )
    if sources == {SOURCE}:
        merging.merge_into(connection, track_id, holder, PROVENANCE.origin, now)
    elif source not in sources:
        pair = (min(holder, track_id), max(holder, track_id))
        merging.merge_pairs(connection, [pair], PROVENANCE.origin, now)


def _estimate(connection: Connection, told: Mapping[int, PackedFeatures], now: datetime) -> None:
    """Store the estimates; one that no feature can be is left out."""
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    rows = []
    for track_id, one in told.items():
        values = [_within(name, one.estimates.get(name)) for name in tables.FEATURES]
        rows.append((track_id, SOURCE, *values, moment))
    columns = ("track_id", "provider", *tables.FEATURES, "fetched_at")
    bulk.upsert(connection, tables.audio_features, columns, rows, update=_REPLACED)


def _within(name: str, value: float | None) -> float | None:
    low, high = tables.FEATURE_RANGES[name]
    return value if value is not None and low <= value <= high else None


def _analyse(connection: Connection, track_id: int, told: PackedFeatures, now: datetime) -> None:
    analysis_queue.store_analysis(connection, track_id, SOURCE, told.analysis, now)
    spectrum = {name: getattr(told.logmel, name) for name in _MATRIX_COLUMNS}
    ids = {"track_id": track_id, "provider": SOURCE}
    connection.execute(insert(tables.sound_matrix).values(**ids, **spectrum))
