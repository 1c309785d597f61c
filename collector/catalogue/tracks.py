"""Record the tracks that a source returned: deduplication, sightings and claims.

The transaction is the caller's. Writers of new identities are serialised, because "the same within
two seconds" is not a unique key that a database could enforce.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, func, select

from collector.catalogue import (
    artists,
    data_sources,
    feature_licences,
    feature_queue,
    genres,
    identity,
    import_features,
    merging,
    pending_track,
    primary_genre,
    sighting_parts,
    sightings,
)
from collector.catalogue.import_ledger import ALIASES, ImportLedger
from collector.catalogue.pending_track import PendingTrack
from collector.catalogue.sightings import BatchSighting, Key
from collector.records import Provenance, RecordResult, SourceTrack, TrackObservation
from genrebase import licences
from genrebase.store import bulk, names, tables
from genrebase.store.claims import choose_claim
from genrebase.store.source_ids import NAME_ONLY

_features_of = attrgetter(*tables.FEATURES)

AliasKey = tuple[str, str]
"""(source, source's id) of a track."""


@dataclass(slots=True)
class _Batch:
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


def record(
    connection: Connection, seen: Sequence[TrackObservation], delivery: Provenance, now: datetime
) -> RecordResult:
    """Record a batch; run inside a writing transaction, which the caller commits.

    Every item becomes a sighting, by `delivery.origin`, of one track: the track of its (source,
    id) if that is stored, otherwise the one that `catalogue.identity` matches, or a new one. An
    own id of a file is believed only where the names are equal. Recording the same batch again
    changes only how often and when its tracks were seen. What an import delivers is recorded with
    its id; see `import_ledger` for what it corrects.
    """
    bulk.lock_identity_writers(connection)
    before = primary_genre.tie_break_keys(connection)
    genre_names = {item.genre for item in seen if item.genre is not None}
    genre_ids = genres.ensure(connection, genre_names, now)
    source_tracks = [item.track for item in seen]
    batch = _load(connection, source_tracks)
    if delivery.import_id is not None:
        batch.ledger = ImportLedger(connection, delivery.import_id, sorted(batch.tracks))
    credited = artists.resolve(
        connection, ((track.source, credit) for track in source_tracks for credit in track.artists)
    )
    ids = iter(bulk.next_ids(connection, tables.track, _max_new(batch, source_tracks)))
    for item in seen:
        track = item.track
        pending = _resolve(batch, track, ids)
        pending.seen_in_batch = True
        _add_merged_ids(batch, track, pending)
        artists_ = [credited[track.source, credit] for credit in track.artists]
        if batch.ledger is None:
            pending.fill_missing(track)
            pending.add_credits(artists_)
        else:
            batch.ledger.deliver(pending, track, artists_)
        if item.genre is not None:
            sightings.observe(batch.sighted, (pending.id, genre_ids[item.genre]), item)
        if track.features is not None and pending.id not in batch.features:
            batch.features[pending.id] = _features_of(track.features)
            if track.licence is not None:
                batch.feature_licences[pending.id] = sightings.stored_licence(track.licence)
    moved = _store(connection, batch, before, delivery, now)
    new = sum(one.new and one.id not in batch.merged for one in batch.tracks.values())
    return RecordResult(new, len(seen) - new, moved, batch.conflicts, batch.features_not_taken)


def are_stored(
    connection: Connection, source_tracks: Sequence[SourceTrack], versions: Sequence[int]
) -> list[bool]:
    """Return whether `record` would find each of these tracks in the database.

    `versions` are the imports that the tracks' import would correct.
    """
    batch = _load(connection, source_tracks)
    if versions:
        batch.ledger = ImportLedger(connection, 0, sorted(batch.tracks), versions)
    return [_is_stored(batch, track) for track in source_tracks]


def _is_stored(batch: _Batch, track: SourceTrack) -> bool:
    """Return whether a track is stored; include its duration in its range, as `_resolve` does."""
    pending = _by_id(batch, track)
    if pending is None:
        same = _by_content(batch, track)
        if same:
            same[0].include_duration(track.duration_ms)
        return bool(same) or _corrected(batch, track) is not None
    is_corrected = batch.ledger is not None and batch.ledger.can_correct(pending.id)
    if pending.is_near(track) and not is_corrected:
        pending.include_duration(track.duration_ms)
    return True


def last_id(connection: Connection) -> int:
    """Return the highest id of a track, 0 if there is none."""
    return connection.scalar(select(func.max(tables.track.c.id))) or 0


def tracks_of_aliases(
    connection: Connection, source: str, source_ids: Iterable[str]
) -> dict[str, int]:
    """Return the track of each of a source's ids that is stored."""
    rows = bulk.select_in(
        connection,
        "SELECT a.source_id, a.track_id FROM {values} CROSS JOIN track_alias a"
        " WHERE a.source_id = listed.value AND a.source = {mark}",
        list(dict.fromkeys(source_ids)),
        source,
    )
    return dict(map(tuple, rows))


def _load(connection: Connection, source_tracks: Sequence[SourceTrack]) -> _Batch:
    batch = _Batch()
    by_source: dict[str, list[str]] = {}
    for track in source_tracks:
        if track.source != NAME_ONLY:
            by_source.setdefault(track.source, []).extend(track.ids)
    for source, ids in by_source.items():
        stored = tracks_of_aliases(connection, source, ids)
        batch.aliases.update(((source, source_id), track) for source_id, track in stored.items())
    for pending in pending_track.load(connection, sorted({*batch.aliases.values()})):
        batch.add(pending)
    for pending in pending_track.load_named(
        connection, sorted(_names_to_load(batch, source_tracks))
    ):
        batch.add(pending)
    return batch


def _names_to_load(batch: _Batch, source_tracks: Iterable[SourceTrack]) -> set[str]:
    """Return the names of tracks that may be new, or that have a new ISRC."""
    keys = set()
    for track in source_tracks:
        pending = _by_id(batch, track)
        if pending is None or track.needs_name:
            keys.add(track.name_key)
        elif track.isrc not in (None, pending.isrc) or pending.is_near(track):
            keys.add(pending.name_key)
    return keys


def _max_new(batch: _Batch, source_tracks: Iterable[SourceTrack]) -> int:
    return sum(track.needs_name or _by_id(batch, track) is None for track in source_tracks)


def _by_id(batch: _Batch, source_track: SourceTrack) -> PendingTrack | None:
    """Return the track of an id; None if there is none, or a file's own id is another song's."""
    addresses = [(source_track.source, one) for one in source_track.ids]
    stored_id = next((batch.aliases[one] for one in addresses if one in batch.aliases), None)
    if stored_id is None:
        return None
    pending = batch.tracks[stored_id]
    if not source_track.needs_name:
        return pending
    if pending.name_key == source_track.name_key and identity.match_recording(
        [pending], source_track.duration_ms, source_track.isrc
    ):
        return pending
    return None


def _resolve(batch: _Batch, source_track: SourceTrack, ids: Iterator[int]) -> PendingTrack:
    """Return the stored track that `source_track` is, or a new one."""
    pending = _by_id(batch, source_track)
    if pending is not None:
        _flag_duplicates(batch, pending, source_track.isrc)
        is_corrected = batch.ledger is not None and batch.ledger.can_correct(pending.id)
        if pending.is_near(source_track) and not is_corrected:
            same = _by_content(batch, source_track)
            batch.same += ((pending.id, other.id) for other in same if other is not pending)
            pending.include_duration(source_track.duration_ms)
        return pending
    key = source_track.name_key
    candidates = batch.by_name.get(key, [])
    same = _by_content(batch, source_track)
    chosen = same[0] if same else _corrected(batch, source_track)
    batch.same += ((same[0].id, other.id) for other in same[1:])
    if chosen is None:
        stored_identity = names.track_identity(key, identity.next_ordinal(candidates))
        facts = [None] * len(pending_track.METADATA_COLUMNS)
        chosen = PendingTrack(next(ids), key, stored_identity, source_track.title, facts, new=True)
        batch.add(chosen)
    if same:
        chosen.include_duration(source_track.duration_ms)
    _add_alias(batch, source_track, key, chosen)
    return chosen


def _by_content(batch: _Batch, source_track: SourceTrack) -> list[PendingTrack]:
    """Return the tracks of the same name and duration; they are one recording, the oldest first.

    Where the name does not identify it, only those of the same ISRC.
    """
    candidates = batch.by_name.get(source_track.name_key, [])
    comparable = (
        candidates if source_track.match_by_name else _with_isrc(candidates, source_track.isrc)
    )
    return identity.match_recordings(comparable, source_track.duration_ms, source_track.isrc)


def _corrected(batch: _Batch, source_track: SourceTrack) -> PendingTrack | None:
    """Return the track of which an earlier version of the file gave another duration, if any.

    It has the row's own id and name or, for a row without an id, is the only one of the name.
    """
    if batch.ledger is None or not batch.ledger.earlier:
        return None
    candidates = batch.by_name.get(source_track.name_key, [])
    if source_track.source != NAME_ONLY:
        own = batch.aliases.get((source_track.source, source_track.source_id))
        candidates = [one for one in candidates if one.id == own]
    if len(candidates) == 1 and batch.ledger.can_correct(candidates[0].id):
        return candidates[0]
    return None


def _add_alias(batch: _Batch, source_track: SourceTrack, key: str, chosen: PendingTrack) -> None:
    address = (source_track.source, source_track.source_id)
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


def _add_merged_ids(batch: _Batch, source_track: SourceTrack, pending: PendingTrack) -> None:
    """Make all ids of a recording that was merged aliases of its track, unless they are stored."""
    for source_id in source_track.ids if source_track.merged_ids else ():
        address = (source_track.source, source_id)
        if address not in batch.aliases:
            batch.aliases[address] = batch.new_aliases[address] = pending.id


def _with_isrc(candidates: Iterable[PendingTrack], isrc: str | None) -> list[PendingTrack]:
    return [one for one in candidates if isrc is not None and one.isrc == isrc]


def _flag_duplicates(batch: _Batch, pending: PendingTrack, isrc: str | None) -> None:
    """Note the tracks of the same name that a new ISRC shows to be this recording."""
    if isrc is None or isrc == pending.isrc:
        return
    for other in batch.by_name[pending.name_key]:
        same = other.isrc == isrc and other.durations.is_near_range(pending.durations)
        if other.id != pending.id and same:
            batch.same.append((min(pending.id, other.id), max(pending.id, other.id)))


def _store(
    connection: Connection,
    batch: _Batch,
    before: primary_genre.TieBreakKeys,
    delivery: Provenance,
    now: datetime,
) -> dict[int, int]:
    """Store a batch; return the tracks whose claim moved to another genre, with that before."""
    withdrawn = _withdraw_earlier(connection, batch, now)
    sighted = {track for track, _ in batch.sighted if not batch.tracks[track].new}
    ranks = primary_genre.best_ranks(connection, sorted(sighted))
    added: Counter[int] = Counter()
    for (track_id, genre_id), seen in batch.sighted.items():
        under = ranks.setdefault(track_id, {})
        added[genre_id] += genre_id not in under
        under[genre_id] = min(seen.rank, under.get(genre_id, seen.rank))
    added.update(withdrawn)
    primary_genre.add_to_sighting_counts(connection, added)
    after = primary_genre.tie_break_keys(connection)
    moved = []
    for track_id, under in ranks.items():
        pending, claimed = batch.tracks[track_id], choose_claim(under, after)
        if pending.new:
            pending.claim = claimed
        elif pending.claim != claimed:
            moved.append((*claimed, track_id))
    pending_track.store(connection, batch.tracks.values(), origin=delivery.origin, now=now)
    bulk.update(connection, tables.track, ("genre_id", "claim_tied"), moved)
    aliases = [(*address, track_id) for address, track_id in batch.new_aliases.items()]
    added_aliases = {} if batch.ledger is None else _without_stored(connection, batch.new_aliases)
    bulk.upsert(connection, tables.track_alias, ("source", "source_id", "track_id"), aliases)
    sightings.store(connection, delivery.origin, batch.sighted, now)
    licence = data_sources.ensure(connection, delivery.origin, delivery.licence, now)
    _store_features(connection, batch, delivery, now)
    if batch.ledger is not None:
        for address, track_id in added_aliases.items():
            own = batch.ledger.own[track_id]
            if not own.created:
                own.append(ALIASES, [address])
        batch.ledger.store(connection)
        if delivery.provider is not None:
            is_unknown = licence == licences.UNKNOWN and not batch.feature_licences
            delivered = list(batch.features)
            feature_licences.recompute(
                connection, delivery.provider, delivered, only_known=is_unknown
            )
        sighting_parts.store(connection, batch.ledger.import_id, batch.sighted)
    batch.merged = merging.merge_pairs(connection, batch.same, delivery.origin, now)
    if not delivery.defers_ties and primary_genre.order_changed(before, after):
        primary_genre.recompute_tied(connection)
    return {
        track_id: claimed_before
        for genre_id, _, track_id in moved
        if (claimed_before := batch.tracks[track_id].claim[0]) not in (None, genre_id)
    }


def _without_stored(
    connection: Connection, aliases: Mapping[AliasKey, int]
) -> dict[AliasKey, int]:
    """Return the aliases that are not stored yet; those of names are not loaded with a batch."""
    ids = [source_id for source, source_id in aliases if source == NAME_ONLY]
    stored = tracks_of_aliases(connection, NAME_ONLY, ids)
    return {
        (source, source_id): track_id
        for (source, source_id), track_id in aliases.items()
        if source != NAME_ONLY or source_id not in stored
    }


def _withdraw_earlier(connection: Connection, batch: _Batch, now: datetime) -> Counter[int]:
    """Withdraw the genres that earlier versions of the file gave the batch's tracks.

    Returns by how many sightings each genre changed.
    """
    ledger = batch.ledger
    if ledger is None:
        return Counter()
    tracks = {track for track, _ in batch.sighted if track in ledger.earlier}
    before, after = ledger.earlier_parts(connection, sorted(tracks))
    return sighting_parts.rewrite(connection, before, after, now)


def _store_features(
    connection: Connection, batch: _Batch, delivery: Provenance, now: datetime
) -> None:
    if delivery.provider is None:
        return
    features: Mapping[int, Sequence[Any]] = batch.features
    if batch.ledger is not None:
        existing = sorted(track for track in features if not batch.tracks[track].new)
        stored = feature_queue.load_features(connection, existing, delivery.provider)
        features, batch.features_not_taken = import_features.deliver(
            connection, batch.ledger, features, stored
        )
    feature_queue.store_features(
        connection,
        features,
        delivery.provider,
        now,
        replace=batch.ledger is not None,
        licences=batch.feature_licences,
    )
