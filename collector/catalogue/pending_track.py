"""A track while a batch is recorded: its stored metadata, what the batch adds, and the writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection

from collector.catalogue.artists import StoredArtist
from collector.catalogue.identity import DurationRange
from collector.records import SourceTrack
from genrebase.store import bulk, names, split, tables

METADATA_COLUMNS: Final = (
    "album",
    "release_date",
    "release_year",
    "duration_ms",
    "explicit",
    "popularity",
    "isrc",
    "split",
)
"""Metadata besides the name: filled once, by the first source that has it."""

_RANGE_COLUMNS: Final = ("shortest_ms", "longest_ms")
_ISRC: Final = METADATA_COLUMNS.index("isrc")
_DURATION: Final = METADATA_COLUMNS.index("duration_ms")
_metadata_of = attrgetter(*METADATA_COLUMNS)

_NEW_COLUMNS: Final = (
    "id",
    "identity",
    "name_key",
    "ordinal",
    "title",
    "artists",
    "origin",
    "track_fold",
    "side",
    "first_seen_at",
    "last_seen_at",
    "updated_at",
    "genre_id",
    "claim_tied",
    "features_provider",
    *METADATA_COLUMNS,
    *_RANGE_COLUMNS,
)
_LOADED_COLUMNS: Final = (
    *("genre_id", "claim_tied", "id", "name_key", "identity", "title"),
    *METADATA_COLUMNS,
    *_RANGE_COLUMNS,
)
_CHANGED_COLUMNS: Final = ("artists", "side", "updated_at", *METADATA_COLUMNS, *_RANGE_COLUMNS)


@dataclass(slots=True)
class PendingTrack:
    """A track that is stored, or will be with its batch."""

    id: int
    name_key: str
    identity: str
    title: str
    metadata: list[Any]
    """In the order of `METADATA_COLUMNS`."""
    new: bool
    durations: DurationRange = field(default_factory=DurationRange)
    """Of everything that was matched to it."""
    changed: bool = False
    credits: list[StoredArtist] = field(default_factory=list)
    credits_added: int = 0
    """How many of `credits`, at their end, are not stored yet."""
    claim: tuple[int | None, bool] = (None, False)
    """The claiming genre, and whether its rank was tied."""
    features_provider: str | None = None
    """Of a new track, the provider of the features that its batch stores."""
    seen_in_batch: bool = False
    """Whether the batch holds this track, not only one of the same name."""

    @property
    def ordinal(self) -> int:
        """Its number among the recordings of its name."""
        return names.identity_ordinal(self.identity, self.name_key)

    @property
    def isrc(self) -> str | None:
        """The ISRC, None if unknown."""
        isrc: str | None = self.metadata[_ISRC]
        return isrc

    def set_value(self, index: int, value: Any) -> None:
        """Fill, correct or restore the value of the column `METADATA_COLUMNS[index]`.

        The range of durations follows a duration that was the only one.
        """
        before, self.metadata[index] = self.metadata[index], value
        self.changed = True
        if index == _DURATION:
            if self.durations == DurationRange(before, before):
                self.durations = DurationRange(value, value)
            else:
                self.durations.extend(value)

    def is_near(self, source_track: SourceTrack) -> bool:
        """Return whether a track has this one's name, and another duration within two seconds.

        Then its duration belongs to the range, also if the track was found by its id.
        """
        duration, known = source_track.duration_ms, self.durations
        return (
            duration is not None
            and duration not in (known.shortest, known.longest)
            and known.is_near(duration)
            and self.name_key == source_track.name_key
        )

    def include_duration(self, duration_ms: int | None) -> None:
        """Include the duration of what was matched to it."""
        self.changed |= self.durations.extend(duration_ms)

    def fill_missing(self, source_track: SourceTrack) -> None:
        self._fill(_metadata_of(source_track))

    def deliver(self, values: Iterable[Any], correctable: int) -> tuple[int, dict[str, Any]]:
        """Fill the missing metadata, and correct the columns whose bit is in `correctable`.

        Returns the bits of the given values that are stored now, and the replaced values by column
        (None for one that was missing). A missing value replaces nothing.
        """
        if self.new and not self.changed:
            return self._set_first(values), {}
        metadata, bits = self.metadata, 0
        replaced: dict[str, Any] = {}
        bit = 1
        for index, value in enumerate(values):
            if value is not None:
                before = metadata[index]
                if before != value and (before is None or correctable & bit):
                    replaced[METADATA_COLUMNS[index]] = before
                    self.set_value(index, value)
                    before = value
                if before == value:
                    bits |= bit
            bit <<= 1
        return bits, replaced

    def _set_first(self, values: Iterable[Any]) -> int:
        """Set the metadata of a track that has none; return the bits of the given values."""
        self.metadata = list(values)
        self.changed = True
        duration = self.metadata[_DURATION]
        self.durations = DurationRange(duration, duration)
        return sum([1 << at for at, value in enumerate(self.metadata) if value is not None])

    def merge_from(self, other: "PendingTrack") -> None:
        """Fill the missing metadata and add the other's credits, except one without a name."""
        self._fill(other.metadata)
        self.include_duration(other.durations.shortest)
        self.include_duration(other.durations.longest)
        self.add_credits(artist for artist in other.credits if artist.name_key)
        self.seen_in_batch = True

    def _fill(self, values: Iterable[Any]) -> None:
        metadata = self.metadata
        for index, value in enumerate(values):
            if value is not None and metadata[index] is None:
                self.set_value(index, value)

    def add_credits(self, credited: Iterable[StoredArtist]) -> list[StoredArtist]:
        """Add the artists that are not credited yet, at the end; return them.

        One without a name is credited only where there is no other.
        """
        present = {artist.name_key for artist in self.credits}
        before = len(self.credits)
        for artist in credited:
            if artist.name_key not in present and (artist.name_key or not present):
                present.add(artist.name_key)
                self.credits.append(artist)
                self.credits_added += 1
                self.changed = True
        return self.credits[before:]

    def artist_names(self) -> str:
        """Return the credited names, joined."""
        return "; ".join(artist.name for artist in self.credits)

    def side(self) -> str:
        """Return its part of the train/validation/test split."""
        folds = (artist.fold for artist in self.credits)
        return split.assign_side(names.hash_fold(self.name_key), folds)


def load(connection: Connection, track_ids: Sequence[int]) -> list[PendingTrack]:
    """Return the stored tracks of these ids, with their credits."""
    tracks = load_by_id(connection, track_ids)
    load_credits(connection, tracks)
    return tracks


def load_by_id(connection: Connection, track_ids: Sequence[int]) -> list[PendingTrack]:
    """Return the stored tracks of these ids, without their credits."""
    return _tracks(bulk.rows_of(connection, "track", "id", track_ids, _LOADED_COLUMNS))


def load_by_name(connection: Connection, keys: Sequence[str]) -> list[PendingTrack]:
    """Return the stored tracks that have one of these names, without their credits."""
    return _tracks(bulk.rows_of(connection, "track", "name_key", keys, _LOADED_COLUMNS))


def _tracks(rows: Sequence[Any]) -> list[PendingTrack]:
    return [
        PendingTrack(
            track_id,
            key,
            identity,
            title,
            list(metadata),
            new=False,
            durations=DurationRange(shortest, longest),
            claim=(genre_id, bool(tied)),
        )
        for genre_id, tied, track_id, key, identity, title, *metadata, shortest, longest in rows
    ]


def load_credits(connection: Connection, tracks: Iterable[PendingTrack]) -> None:
    """Add their credits to stored tracks."""
    by_id = {track.id: track for track in tracks}
    credited = bulk.select_in(
        connection,
        "SELECT c.track_id, a.id, a.source, a.source_id, a.name, a.name_key, a.fold"
        " FROM {values} CROSS JOIN track_artist c CROSS JOIN artist a"
        " WHERE c.track_id = listed.value AND a.id = c.artist_id ORDER BY c.track_id, c.position",
        list(by_id),
    )
    for track_id, *artist in credited:
        by_id[track_id].credits.append(StoredArtist(*artist))


def store(
    connection: Connection, tracks: Iterable[PendingTrack], *, origin: str, now: datetime
) -> None:
    """Write the tracks that the batch holds: new tracks, new metadata, new credits.

    New tracks are written with their claim; `claimed_genre` updates those of stored tracks.
    """
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    stored: list[PendingTrack] = []
    new: list[PendingTrack] = []
    for track in tracks:
        if track.seen_in_batch:
            (new if track.new else stored).append(track)
    rows = [
        (
            track.id,
            track.identity,
            track.name_key,
            track.ordinal,
            track.title,
            track.artist_names(),
            origin,
            names.hash_fold(track.name_key),
            track.side(),
            moment,
            moment,
            moment,
            *track.claim,
            track.features_provider,
            *track.metadata,
            track.durations.shortest,
            track.durations.longest,
        )
        for track in new
    ]
    bulk.insert(connection, tables.track, _NEW_COLUMNS, rows)
    changed = [_changed_values(track, moment) for track in stored if track.changed]
    bulk.update(connection, tables.track, _CHANGED_COLUMNS, changed)
    seen = [track.id for track in stored]
    bulk.execute_in(connection, "UPDATE track SET last_seen_at = {mark} WHERE id", seen, moment)
    _insert_credits(connection, (*new, *stored))


def rewrite(connection: Connection, tracks: Sequence[PendingTrack], now: datetime) -> None:
    """Write the metadata and all credits of stored tracks, which may be fewer than before."""
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    rows = [_changed_values(track, moment) for track in tracks]
    bulk.update(connection, tables.track, _CHANGED_COLUMNS, rows)
    track_ids = [track.id for track in tracks]
    bulk.execute_in(connection, "DELETE FROM track_artist WHERE track_id", track_ids)
    for track in tracks:
        track.credits_added = len(track.credits)
    _insert_credits(connection, tracks)


def _changed_values(track: PendingTrack, moment: Any) -> tuple[Any, ...]:
    durations = track.durations
    return (
        track.artist_names(),
        track.side(),
        moment,
        *track.metadata,
        durations.shortest,
        durations.longest,
        track.id,
    )


def _insert_credits(connection: Connection, tracks: Iterable[PendingTrack]) -> None:
    rows = [
        (track.id, track.credits[position].id, position)
        for track in tracks
        for position in range(len(track.credits) - track.credits_added, len(track.credits))
    ]
    bulk.insert(connection, tables.track_artist, ("track_id", "artist_id", "position"), rows)
