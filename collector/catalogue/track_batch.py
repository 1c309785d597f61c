"""Match the tracks of a batch to stored ones, or make new ones; `tracks` stores the batch."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from collector.catalogue import identity, pending_track
from collector.catalogue.aliases import AliasKey, tracks_of_all
from collector.catalogue.import_ledger import ImportLedger
from collector.catalogue.pending_track import PendingTrack
from collector.catalogue.sightings import BatchSighting, Key
from collector.records import SourceTrack
from genrebase.store import names
from genrebase.store.source_ids import NAME_ONLY


@dataclass(slots=True)
class TrackBatch:
    """The stored and new tracks of a batch, and what is to be written."""

    tracks: dict[int, PendingTrack] = field(default_factory=dict)
    by_name: dict[str, list[PendingTrack]] = field(default_factory=dict)
    aliases: dict[AliasKey, int] = field(default_factory=dict)
    new_aliases: dict[AliasKey, int] = field(default_factory=dict)
    sighted: dict[Key, BatchSighting] = field(default_factory=dict)
    features: dict[int, Sequence[Any]] = field(default_factory=dict)
    feature_licences: dict[int, str | None] = field(default_factory=dict)
    same: list[tuple[int, int]] = field(default_factory=list)
    """Pairs of tracks that turned out to be the same recording."""
    merged: Collection[int] = ()
    """Tracks that were merged into older ones."""
    ledger: ImportLedger | None = None
    features_not_taken: int = 0
    """Tracks with other features than those that another source delivered."""
    conflicts: int = 0
    """Items whose own id belongs to a track of another name."""

    def add(self, pending: PendingTrack) -> None:
        """Add a track to the batch, by its id and its name."""
        if pending.id not in self.tracks:
            self.tracks[pending.id] = pending
            self.by_name.setdefault(pending.name_key, []).append(pending)


def load_batch(
    connection: Connection, source_tracks: Sequence[SourceTrack]
) -> tuple[TrackBatch, int]:
    """Return the stored tracks of these ids and names, and how many tracks may be new."""
    batch = TrackBatch(aliases=tracks_of_all(connection, ids_by_source(source_tracks)))
    for pending in pending_track.load_by_id(connection, sorted({*batch.aliases.values()})):
        batch.add(pending)
    keys, may_be_new = _names_to_load(batch, source_tracks)
    for pending in pending_track.load_by_name(connection, sorted(keys)):
        batch.add(pending)
    pending_track.load_credits(connection, batch.tracks.values())
    return batch, may_be_new


def ids_by_source(source_tracks: Iterable[SourceTrack]) -> dict[str, list[str]]:
    """Return the ids of tracks by their sources, without those that have only a name."""
    by_source: dict[str, list[str]] = {}
    for track in source_tracks:
        if track.source != NAME_ONLY:
            by_source.setdefault(track.source, []).extend(track.ids)
    return by_source


def _names_to_load(
    batch: TrackBatch, source_tracks: Iterable[SourceTrack]
) -> tuple[set[str], int]:
    """Return the names of tracks that may be new or have a new ISRC, and how many may be new."""
    keys, may_be_new = set(), 0
    for track in source_tracks:
        pending = match_by_id(batch, track)
        if pending is None or track.needs_name:
            keys.add(track.name_key)
            may_be_new += 1
        elif track.isrc not in (None, pending.isrc) or pending.is_near(track):
            keys.add(pending.name_key)
    return keys, may_be_new


def match_by_id(batch: TrackBatch, source_track: SourceTrack) -> PendingTrack | None:
    """Return the track of an id; None if there is none, or a file's own id is another song's."""
    source, aliases = source_track.source, batch.aliases
    stored_id = aliases.get((source, source_track.source_id)) if aliases else None
    if stored_id is None and source_track.merged_ids:
        addresses = [(source, one) for one in source_track.merged_ids]
        stored_id = next((aliases[one] for one in addresses if one in aliases), None)
    if stored_id is None:
        return None
    pending = batch.tracks[stored_id]
    if not source_track.needs_name:
        return pending
    if pending.name_key == source_track.name_key and identity.match_recordings(
        [pending], source_track.duration_ms, source_track.isrc
    ):
        return pending
    return None


def resolve(batch: TrackBatch, source_track: SourceTrack, ids: Iterator[int]) -> PendingTrack:
    """Return the stored track that `source_track` is, or a new one."""
    pending = match_by_id(batch, source_track)
    if pending is not None:
        _flag_duplicates(batch, pending, source_track.isrc)
        is_corrected = batch.ledger is not None and batch.ledger.can_correct(pending.id)
        if pending.is_near(source_track) and not is_corrected:
            same = match_by_content(batch, source_track)
            batch.same += ((pending.id, other.id) for other in same if other is not pending)
            pending.include_duration(source_track.duration_ms)
        return pending
    key = source_track.name_key
    candidates = batch.by_name.get(key)
    same = match_by_content(batch, source_track) if candidates else []
    chosen = None
    if same:
        chosen = same[0]
        batch.same += ((chosen.id, other.id) for other in same[1:])
    elif candidates:
        chosen = match_corrected(batch, source_track)
    if chosen is None:
        ordinal = max((one.ordinal for one in candidates or ()), default=0) + 1
        stored_identity = names.track_identity(key, ordinal)
        facts = [None] * len(pending_track.METADATA_COLUMNS)
        chosen = PendingTrack(next(ids), key, stored_identity, source_track.title, facts, new=True)
        batch.add(chosen)
    if same:
        chosen.include_duration(source_track.duration_ms)
    _add_alias(batch, source_track, key, chosen)
    return chosen


def match_by_content(batch: TrackBatch, source_track: SourceTrack) -> list[PendingTrack]:
    """Return the tracks of the same name and duration; they are one recording, the oldest first.

    Where the name does not identify it, only those of the same ISRC.
    """
    candidates = batch.by_name.get(source_track.name_key)
    if not candidates:
        return []
    isrc = source_track.isrc
    if not source_track.match_by_name:
        candidates = [one for one in candidates if isrc is not None and one.isrc == isrc]
    return identity.match_recordings(candidates, source_track.duration_ms, isrc)


def match_corrected(batch: TrackBatch, source_track: SourceTrack) -> PendingTrack | None:
    """Return the track of which an earlier version of the file gave another duration, if any.

    It has the row's own id and name or, for a row without an id, is the only one of the name.
    """
    if batch.ledger is None or not batch.ledger.earlier:
        return None
    candidates = batch.by_name.get(source_track.name_key, [])
    if source_track.source != NAME_ONLY:
        own = batch.aliases.get(source_track.address)
        candidates = [one for one in candidates if one.id == own]
    if len(candidates) == 1 and batch.ledger.can_correct(candidates[0].id):
        return candidates[0]
    return None


def _add_alias(
    batch: TrackBatch, source_track: SourceTrack, key: str, chosen: PendingTrack
) -> None:
    address = source_track.address
    owner = batch.aliases.get(address)
    if owner == chosen.id:
        return
    if owner is not None:
        batch.conflicts += batch.tracks[owner].name_key != key
    if owner is not None or source_track.source == NAME_ONLY:
        address = (NAME_ONLY, hashlib.sha256(chosen.identity.encode()).hexdigest())
    else:
        batch.aliases[address] = chosen.id
    batch.new_aliases[address] = chosen.id


def add_merged_ids(batch: TrackBatch, source_track: SourceTrack, pending: PendingTrack) -> None:
    """Make all ids of a recording that was merged aliases of its track, unless they are stored."""
    for source_id in source_track.ids if source_track.merged_ids else ():
        address = (source_track.source, source_id)
        if address not in batch.aliases:
            batch.aliases[address] = batch.new_aliases[address] = pending.id


def _flag_duplicates(batch: TrackBatch, pending: PendingTrack, isrc: str | None) -> None:
    """Note the tracks of the same name that a new ISRC shows to be this recording."""
    if isrc is None or isrc == pending.isrc:
        return
    for other in batch.by_name[pending.name_key]:
        same = other.isrc == isrc and other.durations.is_near_range(pending.durations)
        if other.id != pending.id and same:
            batch.same.append((min(pending.id, other.id), max(pending.id, other.id)))
