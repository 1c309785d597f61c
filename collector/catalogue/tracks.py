"""Record the tracks that a source returned: deduplication, sightings and claims.

The transaction is the caller's. It runs alone, or beside others that record other names
(`name_locks`): "the same within two seconds" is not a unique key that a database could enforce.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from collector.catalogue import (
    aliases,
    artists,
    data_sources,
    feature_licences,
    feature_queue,
    genre_counters,
    genres,
    import_features,
    import_sightings,
    pending_track,
    sightings,
    track_batch,
    track_claims,
    track_merging,
)
from collector.catalogue.aliases import AliasKey
from collector.catalogue.import_ledger import ALIASES, ImportLedger
from collector.catalogue.track_batch import TrackBatch, load_batch
from collector.records import (
    AudioFeatures,
    Provenance,
    RecordResult,
    SourceTrack,
    TrackObservation,
)
from genrebase import licences
from genrebase.store import bulk, name_locks, tables
from genrebase.store.claims import choose_claim
from genrebase.store.errors import ConcurrentWrites
from genrebase.store.source_ids import NAME_ONLY


def record(
    connection: Connection, seen: Sequence[TrackObservation], delivery: Provenance, now: datetime
) -> RecordResult:
    """Record a batch.

    Every item becomes a sighting, by `delivery.origin`, of one track: the track of its (source,
    id) if that is stored, otherwise the one that `catalogue.identity` matches, or a new one. An
    own id of a file is believed only where the names are equal. Recording the same batch again
    changes only how often and when its tracks were seen. What an import delivers is recorded with
    its id; see `import_ledger` for what it corrects. Beside others (`name_locks`) it raises
    `NeedsExclusiveLock` where it would merge tracks or recompute the claims of others.
    """
    if not name_locks.is_concurrent(connection):
        bulk.lock_identity_writers(connection)
    source_tracks = [item.track for item in seen]
    lookup = artists.ArtistLookup(
        connection, ((track.source, credit) for track in source_tracks for credit in track.artists)
    )
    locked = _lock(connection, source_tracks, lookup)
    genre_names = {item.genre for item in seen if item.genre is not None}
    genre_ids = genres.ensure(connection, genre_names, now)
    before = track_claims.tie_break_keys(connection)
    batch, may_be_new = load_batch(connection, source_tracks)
    if locked is not None and not locked.issuperset(batch.by_name):
        raise ConcurrentWrites("A track got another name meanwhile. Run the same again.")
    if delivery.import_id is not None:
        batch.ledger = ImportLedger(connection, delivery.import_id, sorted(batch.tracks))
    credited = lookup.resolve()
    ids = iter(bulk.next_ids(connection, tables.track, may_be_new))
    for item in seen:
        track = item.track
        pending = track_batch.resolve(batch, track, ids)
        pending.seen_in_batch = True
        track_batch.add_merged_ids(batch, track, pending)
        artists_ = [credited[track.source, credit] for credit in track.artists]
        if batch.ledger is None:
            pending.fill_missing(track)
            pending.add_credits(artists_)
        else:
            batch.ledger.deliver(pending, track, artists_)
        if item.genre is not None:
            sightings.observe(batch.sighted, (pending.id, genre_ids[item.genre]), item)
        if track.features is not None:
            _add_features(batch, pending.id, track.features, track.licence)
    moved = _store(connection, batch, before, delivery, now)
    new = sum(one.new and one.id not in batch.merged for one in batch.tracks.values())
    return RecordResult(new, len(seen) - new, moved, batch.conflicts, batch.features_not_taken)


def _add_features(
    batch: TrackBatch, track_id: int, features: AudioFeatures, licence: str | None
) -> None:
    values: Sequence[Any] = features
    if track_id in batch.features:
        values = import_features.combine(batch.features[track_id], features)
    batch.features[track_id] = values
    if licence is not None:
        before = batch.feature_licences.get(track_id)
        stored = sightings.stored_licence(licence)
        batch.feature_licences[track_id] = licences.stricter(before, stored)


def _lock(
    connection: Connection, source_tracks: Sequence[SourceTrack], lookup: artists.ArtistLookup
) -> set[str] | None:
    """Keep others from recording the same tracks and artists until this transaction ends.

    Returns the locked match keys: those of the tracks, and of the tracks that have one of their
    ids; None if no other transaction records tracks at all.
    """
    if not name_locks.is_concurrent(connection):
        return None
    keys = {track.name_key for track in source_tracks}
    addresses: set[AliasKey] = set()
    for source, ids in track_batch.ids_by_source(source_tracks).items():
        addresses.update((source, source_id) for source_id in ids)
        keys.update(aliases.name_keys(connection, source, ids).values())
    texts = (" ".join(address) for address in addresses)
    name_locks.lock_names(connection, (*keys, *texts, *lookup.names_to_add()))
    return keys


def are_stored(
    connection: Connection, source_tracks: Sequence[SourceTrack], versions: Sequence[int]
) -> list[bool]:
    """Return whether `record` would find each of these tracks in the database.

    `versions` are the imports that the tracks' import would correct.
    """
    batch, _ = load_batch(connection, source_tracks)
    if versions:
        batch.ledger = ImportLedger(connection, 0, sorted(batch.tracks), versions)
    return [_is_stored(batch, track) for track in source_tracks]


def _is_stored(batch: TrackBatch, track: SourceTrack) -> bool:
    """Return whether a track is stored; include its duration in its range, as `resolve` does."""
    pending = track_batch.match_by_id(batch, track)
    if pending is None:
        same = track_batch.match_by_content(batch, track)
        if same:
            same[0].include_duration(track.duration_ms)
        return bool(same) or track_batch.match_corrected(batch, track) is not None
    is_corrected = batch.ledger is not None and batch.ledger.can_correct(pending.id)
    if pending.is_near(track) and not is_corrected:
        pending.include_duration(track.duration_ms)
    return True


def last_id(connection: Connection) -> int:
    """Return the highest id of a track, 0 if there is none."""
    return connection.scalar(select(func.max(tables.track.c.id))) or 0


def _store(
    connection: Connection,
    batch: TrackBatch,
    before: track_claims.TieBreakKeys,
    delivery: Provenance,
    now: datetime,
) -> dict[int, int]:
    """Store a batch; return the tracks whose claim moved to another genre, with that before."""
    withdrawn = _withdraw_earlier(connection, batch, now)
    sighted = {track for track, _ in batch.sighted if not batch.tracks[track].new}
    ranks = track_claims.best_ranks(connection, sorted(sighted))
    added: Counter[int] = Counter()
    for (track_id, genre_id), seen in batch.sighted.items():
        under = ranks.setdefault(track_id, {})
        added[genre_id] += genre_id not in under
        under[genre_id] = min(seen.rank, under.get(genre_id, seen.rank))
    added.update(withdrawn)
    after = track_claims.with_added(before, added)
    new_claims: list[int | None] = []
    moved = []
    for track_id, under in ranks.items():
        pending, claimed = batch.tracks[track_id], choose_claim(under, after)
        if pending.new:
            pending.claim = claimed
            new_claims.append(claimed[0])
        elif pending.claim != claimed:
            moved.append((track_id, pending.claim, claimed))
    new = {track_id for track_id in batch.features if batch.tracks[track_id].new}
    for track_id in new:
        batch.tracks[track_id].features_provider = delivery.provider
    pending_track.store(connection, batch.tracks.values(), origin=delivery.origin, now=now)
    claimed_tracks = track_claims.write_claims(connection, moved)
    claimed_tracks.update(genre_counters.of_moves((None, genre) for genre in new_claims))
    new_aliases = [(*address, track_id) for address, track_id in batch.new_aliases.items()]
    added_aliases = {} if batch.ledger is None else _without_stored(connection, batch.new_aliases)
    bulk.upsert(connection, tables.track_alias, ("source", "source_id", "track_id"), new_aliases)
    sightings.store(connection, delivery.origin, batch.sighted, now)
    licence = data_sources.ensure(connection, delivery.origin, delivery.licence, now)
    _store_features(connection, batch, delivery, now)
    if batch.ledger is not None:
        _store_ledger(connection, batch.ledger, added_aliases)
        if delivery.provider is not None:
            is_unknown = licence == licences.UNKNOWN and not batch.feature_licences
            delivered = [one for one in batch.features if not (is_unknown and one in new)]
            feature_licences.recompute(
                connection, delivery.provider, delivered, only_known=is_unknown
            )
        import_sightings.store(connection, batch.ledger.import_id, batch.sighted)
    if batch.same and not name_locks.can_merge(connection):
        raise name_locks.NeedsExclusiveLock
    genre_counters.add(connection, added, claimed_tracks)  # last: others wait for its rows
    batch.merged = track_merging.merge_pairs(connection, batch.same, delivery.origin, now)
    if not delivery.defers_ties:
        _recompute_ties(connection, before, after)
    return {
        track_id: claim_before[0]
        for track_id, claim_before, claim_after in moved
        if claim_before[0] not in (None, claim_after[0])
    }


def _store_ledger(
    connection: Connection, ledger: ImportLedger, added_aliases: Mapping[AliasKey, int]
) -> None:
    """Store what an import delivered, with the aliases that it added to existing tracks."""
    for address, track_id in added_aliases.items():
        own = ledger.own[track_id]
        if not own.created:
            own.append(ALIASES, [address])
    ledger.store(connection)


def _recompute_ties(
    connection: Connection,
    before: track_claims.TieBreakKeys,
    expected: track_claims.TieBreakKeys,
) -> None:
    """Recompute the claims of the tied tracks of genres that were overtaken.

    Beside others, which may have counted tracks since `before` was read, the claims hold only if
    the genres have the same order before, after, and in `expected`, by which the claims of the
    batch were chosen. Raises `NeedsExclusiveLock` otherwise.
    """
    after = track_claims.tie_break_keys(connection)
    if name_locks.is_concurrent(connection) and (
        any(track_claims.overtaken(before, after)) or any(track_claims.overtaken(expected, after))
    ):
        raise name_locks.NeedsExclusiveLock
    track_claims.recompute_overtaken(connection, before, after)


def _without_stored(connection: Connection, added: Mapping[AliasKey, int]) -> dict[AliasKey, int]:
    """Return the aliases that are not stored yet; those of names are not loaded with a batch."""
    ids = [source_id for source, source_id in added if source == NAME_ONLY]
    stored = aliases.tracks_of_aliases(connection, NAME_ONLY, ids)
    return {
        (source, source_id): track_id
        for (source, source_id), track_id in added.items()
        if source != NAME_ONLY or source_id not in stored
    }


def _withdraw_earlier(connection: Connection, batch: TrackBatch, now: datetime) -> Counter[int]:
    """Withdraw the genres that earlier versions of the file gave the batch's tracks.

    Returns by how many sightings each genre changed.
    """
    ledger = batch.ledger
    if ledger is None:
        return Counter()
    tracks = {track for track, _ in batch.sighted if track in ledger.earlier}
    before, after = ledger.earlier_parts(connection, sorted(tracks))
    return import_sightings.rewrite(connection, before, after, now)


def _store_features(
    connection: Connection, batch: TrackBatch, delivery: Provenance, now: datetime
) -> None:
    if delivery.provider is None:
        return
    features: Mapping[int, Sequence[Any]] = batch.features
    new = {track for track in features if batch.tracks[track].new}
    if batch.ledger is not None:
        existing = sorted(features.keys() - new)
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
        new=new,
    )
