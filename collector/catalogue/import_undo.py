"""Undo an import: remove what only it delivered, restore what it filled or corrected.

A track stays if another import, a harvest or an audio file also delivered it, or if a person
labelled it. An undo runs in batches: it can be stopped at any time and continued.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, null, select, update

from collector.catalogue import (
    acousticbrainz_submissions,
    data_sources,
    deletion,
    feature_licences,
    feature_queue,
    genre_counters,
    genres,
    import_features,
    import_ledger,
    import_sightings,
    imported_files,
    mappings,
    pending_track,
    sightings,
    track_claims,
)
from collector.catalogue.deletion import RemovedRows
from collector.catalogue.import_ledger import (
    ALIASES,
    BITS,
    CREDITS,
    DESCRIPTORS_KEY,
    FEATURES_KEY,
    Delivery,
    LedgerEntry,
)
from collector.catalogue.imported_files import StoredImport
from genrebase.store import bulk, tables
from genrebase.store.source_ids import NAME_ONLY, is_file_source

_file, _entry = tables.imported_file, tables.import_track


@dataclass(frozen=True, slots=True)
class UndoCounts(RemovedRows):
    """Counts of removed and restored rows: `tracks` are those that only the import delivered."""

    kept: int = 0
    """Tracks that another source delivered, too."""
    restored: int = 0
    """Kept tracks with a value that was restored or, without an earlier one, removed."""


def count_predicted(connection: Connection, import_id: int) -> int:
    """Count the tracks that the import created and that have predictions."""
    prediction = tables.prediction.c
    query = select(func.count(prediction.track_id.distinct())).where(
        prediction.track_id == _entry.c.track_id,
        _entry.c.import_id == import_id,
        _entry.c.created,
    )
    return connection.scalar(query) or 0


def undo_batch(
    connection: Connection, stored: StoredImport, after: int, limit: int, now: datetime
) -> tuple[UndoCounts, int | None]:
    """Undo the import for at most `limit` tracks with ids after `after`.

    Returns the counts, and the last track's id; None if no track was left.
    """
    bulk.lock_identity_writers(connection)
    query = select(_entry.c.track_id).where(
        _entry.c.import_id == stored.id, _entry.c.track_id > after
    )
    track_ids = list(connection.scalars(query.order_by(_entry.c.track_id).limit(limit)))
    if not track_ids:
        return UndoCounts(), None
    return _Batch(connection, stored, track_ids, now).undo(), track_ids[-1]


def finish(connection: Connection, stored: StoredImport) -> int:
    """Remove the genres, mapping and descriptor schema that have no rows any more.

    Returns the number of removed genres. A genre with a target, or one that a model, a person or a
    playlist refers to, stays.
    """
    bulk.lock_identity_writers(connection)
    track_claims.recompute_tied(connection)  # an unfinished import may have deferred it
    genre, playlist, shard = tables.genre, tables.genre_playlist, tables.shard
    first = select(func.min(_file.c.started_at)).where(_file.c.origin == stored.origin)
    query = select(genre.c.id).where(
        genre.c.sightings == 0,
        genre.c.target.is_(None),
        genre.c.created_at >= first.scalar_subquery(),  # an undone version may have added it
        genre.c.id.not_in(select(tables.import_sighting.c.genre_id)),  # of an earlier version
        genre.c.id.not_in(select(playlist.c.genre_id)),
        genre.c.id.not_in(select(shard.c.genre_id)),
    )
    removed = 0
    for genre_id in connection.scalars(query).all():
        referring = genres.references(connection, genre_id)
        if not any(getattr(referring, field.name) for field in fields(referring)):
            genres.remove(connection, genre_id)
            removed += 1
    _remove_mapped(connection, stored)
    data_sources.remove_unused(connection, stored.origin)
    if stored.schema is not None:
        schema, described = tables.descriptor_schema, tables.descriptor
        used = select(described.c.schema).where(described.c.schema == stored.schema)
        connection.execute(delete(schema).where(schema.c.name == stored.schema, ~used.exists()))
    return removed


def _remove_mapped(connection: Connection, stored: StoredImport) -> None:
    """Remove the subgenres that the import added, unless others have the same mapping."""
    imports = imported_files.load_imports(connection)
    others = [one for one in imports if one.id != stored.id and one.undone_at is None]
    other = next((one for one in others if one.mapping == stored.mapping), None)
    if other is None:
        mappings.remove_fine(connection, stored.mapping, stored.mapped)
    else:
        imported_files.add_mapped(connection, other.id, stored.mapped)


class _Batch:
    """The tracks of one batch, with their stored data."""

    def __init__(
        self, connection: Connection, stored: StoredImport, track_ids: list[int], now: datetime
    ) -> None:
        self._connection, self._stored, self._now = connection, stored, now
        self._entries = import_ledger.load_entries(connection, track_ids)
        self._parts = import_sightings.load(connection, track_ids)
        files = deletion.tracks_with_rows(connection, tables.sound_file.name, track_ids)
        verdicts = deletion.tracks_with_rows(connection, tables.verdict.name, track_ids)
        stored_sightings = sightings.load(connection, track_ids)
        harvested = import_sightings.tracks_of_others(stored_sightings, self._parts)
        only_here = {
            track_id
            for track_id in track_ids
            if self._own(track_id).created
            and len(self._entries[track_id]) == 1
            and track_id not in harvested
            and track_id not in files
        }
        self._deleted = sorted(only_here - verdicts)
        self._stripped = sorted(only_here & verdicts)
        self._kept = sorted(set(track_ids) - only_here)

    def undo(self) -> UndoCounts:
        connection, gone = self._connection, [*self._deleted, *self._stripped]
        before = track_claims.tie_break_keys(connection)
        removed = genre_counters.count_sightings(connection, gone)
        claimed = genre_counters.count_claims(connection, self._deleted)
        artists = deletion.delete_tracks(connection, self._deleted)
        deletion.strip_tracks(connection, self._stripped, self._provider, self._now)
        delta = self._rewrite_sightings()
        delta.subtract(removed)
        restored, more_artists = self._restore()
        self._reassign_tracks()
        for table in ("import_track", "import_sighting"):
            statement = f"DELETE FROM {table} WHERE import_id = {{mark}} AND track_id"
            bulk.execute_in(connection, statement, self._kept, self._stored.id)
        feature_licences.recompute(connection, self._provider, self._kept)
        genre_counters.add(connection, delta, genre_counters.negated(claimed))
        track_claims.recompute(connection, [*self._kept, *self._stripped])
        after = track_claims.tie_break_keys(connection)
        track_claims.recompute_overtaken(connection, before, after)
        return UndoCounts(
            tracks=len(self._deleted),
            kept=len(self._kept),
            kept_for_labels=len(self._stripped),
            sightings=-sum(delta.values()),
            artists=artists + more_artists,
            restored=restored,
        )

    @property
    def _provider(self) -> str:
        return self._stored.origin.partition(":")[0]

    def _own(self, track_id: int) -> Delivery:
        entries = self._entries[track_id]
        return next(one.delivery for one in entries if one.import_id == self._stored.id)

    def _others(self, track_id: int) -> list[LedgerEntry]:
        return [one for one in self._entries[track_id] if one.import_id != self._stored.id]

    def _rewrite_sightings(self) -> Counter[int]:
        kept = set(self._kept)
        before = [part for part in self._parts if part.track_id in kept]
        after = [part for part in before if part.import_id != self._stored.id]
        return import_sightings.rewrite(self._connection, before, after, self._now)

    def _restore(self) -> tuple[int, int]:
        """Restore the values, credits and ids of kept tracks.

        Returns the numbers of changed tracks and of removed orphan artists.
        """
        features = feature_queue.load_features(self._connection, self._kept, self._provider)
        values = {
            track_id: self._values_before(track_id, features.get(track_id))
            for track_id in self._kept
        }
        owns = {track_id: self._own(track_id) for track_id in self._kept}
        tracks = []
        uncredited: list[int] = []
        for track in pending_track.load(self._connection, self._kept):
            before, credits_ = values[track.id], owns[track.id].replaced.get(CREDITS, [])
            columns = [name for name in pending_track.METADATA_COLUMNS if name in before]
            if not columns and not credits_:
                continue
            for name in columns:
                track.set_value(pending_track.METADATA_COLUMNS.index(name), before[name])
            track.credits = [artist for artist in track.credits if artist.id not in credits_]
            uncredited += credits_
            tracks.append(track)
        pending_track.rewrite(self._connection, tracks, self._now)
        self._restore_features(
            {one: old[FEATURES_KEY] for one, old in values.items() if FEATURES_KEY in old}
        )
        self._restore_descriptors(
            {one: old[DESCRIPTORS_KEY] for one, old in values.items() if DESCRIPTORS_KEY in old}
        )
        self._remove_by_origin(owns)
        orphans = deletion.delete_orphan_artists(self._connection, uncredited)
        return sum(bool(before) for before in values.values()), orphans

    def _values_before(self, track_id: int, features: Sequence[Any] | None) -> dict[str, Any]:
        """Return the values to restore (None: to remove), by the names in `BITS`.

        `features` are those that are stored.

        If a later import of the origin replaced a value of this import, the later one's replaced
        value becomes the value before both.
        """
        own, others = self._own(track_id), self._others(track_id)
        elsewhere = 0
        for entry in others:
            elsewhere |= entry.delivery.delivered
        values: dict[str, Any] = {}
        if features is not None and own.delivered & BITS[FEATURES_KEY]:
            stored = import_features.values_before(
                LedgerEntry(self._stored.id, self._stored.origin, own), others, features
            )
            values.update({} if stored is None else {FEATURES_KEY: stored})
        for name, bit in BITS.items():
            if (
                name == FEATURES_KEY
                or not own.delivered & bit
                or not (own.created or name in own.replaced)
            ):
                continue
            before = own.replaced.get(name)
            later = self._later(others, name)
            if later is not None:
                later.replaced[name] = before
                later.changed = True
            elif before is not None or not elsewhere & bit:
                values[name] = before
        return values

    def _later(self, others: Sequence[LedgerEntry], name: str) -> Delivery | None:
        stored = self._stored
        later = [
            one
            for one in others
            if one.origin == stored.origin
            and one.import_id > stored.id
            and name in one.delivery.replaced
        ]
        return min(later, key=lambda one: one.import_id).delivery if later else None

    def _restore_features(self, before: Mapping[int, Sequence[Any]]) -> None:
        removed = [track_id for track_id, values in before.items() if set(values) == {None}]
        feature_queue.delete_features(self._connection, removed, self._provider)
        restored = {track: values for track, values in before.items() if set(values) != {None}}
        feature_queue.store_features(
            self._connection, restored, self._provider, self._now, replace=True
        )

    def _restore_descriptors(self, before: Mapping[int, str | None]) -> None:
        removed = [track_id for track_id, data in before.items() if data is None]
        statement = (
            "DELETE FROM descriptor WHERE provider = {mark} AND schema = {mark} AND track_id"
        )
        schema = (self._provider, self._stored.schema)
        bulk.execute_in(self._connection, statement, removed, *schema)
        moment = tables.as_driver_datetime(self._now, self._connection.dialect.name)
        rows = [
            (track_id, *schema, base64.b64decode(data), moment)
            for track_id, data in before.items()
            if data is not None
        ]
        columns = ("track_id", "provider", "schema", "data", "fetched_at")
        bulk.upsert(
            self._connection, tables.descriptor, columns, rows, update="data = excluded.data"
        )

    def _remove_by_origin(self, owns: Mapping[int, Delivery]) -> None:
        alias = tables.track_alias
        query = select(alias.c.track_id).where(alias.c.track_id.in_(self._kept)).distinct()
        with_alias = list(self._connection.scalars(query))
        for track_id, own in owns.items():
            for source, source_id in own.replaced.get(ALIASES, []):
                if source == NAME_ONLY and self._others(track_id):
                    continue  # another import's rows have that name, too
                self._connection.execute(
                    delete(alias).where(
                        alias.c.source == source,
                        alias.c.source_id == source_id,
                        alias.c.track_id == track_id,
                    )
                )
        left = [
            track_id
            for track_id in self._kept
            if all(one.origin != self._stored.origin for one in self._others(track_id))
        ]
        acousticbrainz_submissions.remove_of_origin(
            self._connection, left, self._stored.origin, self._now
        )
        if is_file_source(self._stored.origin):
            statement = "DELETE FROM track_alias WHERE source = {mark} AND track_id"
            bulk.execute_in(self._connection, statement, left, self._stored.origin)
        self._name_tracks_without_alias(with_alias)

    def _name_tracks_without_alias(self, track_ids: Sequence[int]) -> None:
        """Give tracks that lost their last id, such as kept labelled ones, that of a name."""
        track, alias = tables.track.c, tables.track_alias.c
        query = select(track.id, track.identity).where(
            track.id.in_(track_ids), ~exists().where(alias.track_id == track.id)
        )
        rows = [
            (NAME_ONLY, hashlib.sha256(identity.encode()).hexdigest(), track_id)
            for track_id, identity in self._connection.execute(query)
        ]
        columns = ("source", "source_id", "track_id")
        bulk.upsert(self._connection, tables.track_alias, columns, rows)

    def _reassign_tracks(self) -> None:
        """Record the remaining source of the kept tracks, and what later versions replaced."""
        for track_id in self._kept:
            others = sorted(self._others(track_id), key=lambda one: one.import_id)
            if self._own(track_id).created:
                if others:
                    others[0].delivery.created = others[0].delivery.changed = True
                if all(one.origin != self._stored.origin for one in others):
                    origin = others[0].origin if others else self._other_source(track_id)
                    self._connection.execute(
                        update(tables.track)
                        .where(
                            tables.track.c.id == track_id,
                            tables.track.c.origin == self._stored.origin,
                        )
                        .values(origin=origin)
                    )
            for entry in others:
                if entry.delivery.changed:
                    self._connection.execute(
                        update(_entry)
                        .where(
                            _entry.c.track_id == track_id, _entry.c.import_id == entry.import_id
                        )
                        .values(
                            created=entry.delivery.created,
                            replaced=entry.delivery.replaced or null(),
                        )
                    )

    def _other_source(self, track_id: int) -> str:
        """Return a source of a track that no remaining import delivers."""
        alias = tables.track_alias.c
        query = select(alias.source).where(alias.track_id == track_id).order_by(alias.source)
        sources = [one for one in self._connection.scalars(query) if not is_file_source(one)]
        return max(sources, default=self._stored.origin)
