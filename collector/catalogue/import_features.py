"""Audio features that imports deliver: filled, corrected and restored one by one.

A file fills missing features, whichever source delivered the others. Features of another source
stay; those of the file's own origin are corrected. Of several rows of a file that are one track,
the features of the smallest row count: so they depend neither on the order of the rows nor on when
their tracks are merged.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, update

from collector.catalogue import feature_queue, import_ledger
from collector.catalogue.import_ledger import (
    BITS,
    CORRECTED,
    FEATURES_KEY,
    SAME_FEATURES,
    Delivery,
    ImportLedger,
    LedgerEntry,
    as_document,
)
from genrebase.store import bulk, tables

_BIT: Final = BITS[FEATURES_KEY]
_ALL: Final = set(tables.FEATURES)
_MISSING: Final = (None,) * len(tables.FEATURES)


def deliver(
    connection: Connection,
    ledger: ImportLedger,
    features: Mapping[int, Sequence[Any]],
    stored: Mapping[int, Sequence[Any]],
) -> tuple[dict[int, Sequence[Any]], int]:
    """Return the features to write per track, and the number of tracks with features not taken.

    `features` are those of a batch and `stored` those in the database, in the order of
    `tables.FEATURES`. The ledger records filled and corrected features.
    """
    written: dict[int, Sequence[Any]] = {}
    not_taken = 0
    repeated = {
        track_id
        for track_id in features
        if track_id not in ledger.first_seen and ledger.own[track_id].delivered & _BIT
    }
    versions = {track_id for track_id in features if ledger.earlier.get(track_id, 0)}
    of_others = _names_of_others(connection, ledger.import_id, sorted(versions | repeated))
    for track_id, values in features.items():
        own, old = ledger.own[track_id], stored.get(track_id, _MISSING)
        if old is _MISSING and own.created:
            written[track_id] = values
            own.add(_BIT, {})
            continue
        is_version = track_id in ledger.earlier
        can_correct = track_id in ledger.first_seen and ledger.earlier.get(track_id, 0) & _BIT
        fixed = of_others.get(track_id, set()) if can_correct or track_id in repeated else _ALL
        if track_id in repeated and not _is_smaller(values, old, fixed):
            fixed = _ALL
        new, before = [], {}
        for name, value, was in zip(tables.FEATURES, values, old, strict=True):
            is_taken = value is not None and (was is None or name not in fixed)
            new.append(value if is_taken else was)
            if is_taken and value != was:
                before[name] = was
        if before:
            written[track_id] = new
            own.add(_BIT | CORRECTED * is_version, {})
            own.add_features(before)
        if not own.created:
            _note_same(own, values, old)
        if not own.created and not is_version:
            pairs = zip(values, new, strict=True)
            not_taken += any(value not in {None, stays} for value, stays in pairs)
    return written, not_taken


def combine(one: Sequence[Any], other: Sequence[Any]) -> Sequence[Any]:
    """Return the features of a track that two rows of a file deliver, in whatever order.

    They are those of the smaller row; what it lacks comes from the other one.
    """
    if _is_smaller(other, one):
        one, other = other, one
    return tuple(
        second if first is None else first for first, second in zip(one, other, strict=True)
    )


def _is_smaller(
    one: Sequence[Any], other: Sequence[Any], left_out: Collection[str] = frozenset()
) -> bool:
    """Return whether a row's features are smaller, compared in their order; missing ones last."""
    for name, value, other_value in zip(tables.FEATURES, one, other, strict=True):
        if value != other_value and name not in left_out:
            return other_value is None or (value is not None and value < other_value)
    return False


def merge_tracks(connection: Connection, keep: int, drop: int, now: datetime) -> str | None:
    """Combine the features of two tracks that rows of one origin delivered; run before the move.

    The track that stays gets those that it would have if it had always been one with the other.
    Returns the provider whose features were combined, None if none were: where other origins are
    involved, its features stay.
    """
    entries = import_ledger.load_entries(connection, [keep, drop])
    delivered = {
        track_id: [one for one in entries.get(track_id, ()) if one.delivery.delivered & _BIT]
        for track_id in (keep, drop)
    }
    imports, others = ({one.import_id for one in delivered[track]} for track in (keep, drop))
    origins = {one.origin for one in delivered[keep]}
    if imports != others or len(origins) != 1:
        return None
    provider = origins.pop().partition(":")[0]
    stored = feature_queue.load_features(connection, [keep, drop], provider)
    if len(stored) != 2:
        return None
    values = tuple(combine(stored[keep], stored[drop]))
    if values == stored[keep]:
        return None
    feature_queue.store_features(connection, {keep: values}, provider, now, replace=True)
    pairs = zip(tables.FEATURES, values, stored[keep], strict=True)
    filled = {name: None for name, value, before in pairs if value is not None and before is None}
    first = min(delivered[keep], key=lambda one: one.import_id)
    if filled and not first.delivery.created:
        first.delivery.add_features(filled)
        entry = tables.import_track
        is_first = (entry.c.track_id == keep, entry.c.import_id == first.import_id)
        replaced = first.delivery.replaced
        connection.execute(update(entry).where(*is_first).values(replaced=replaced))
    return provider


def values_before(
    own: LedgerEntry, others: Sequence[LedgerEntry], features: Sequence[Any]
) -> Sequence[Any] | None:
    """Return the stored `features` without those of an import; None if nothing changes.

    If a later version replaced a feature, its replaced value becomes the value before this import.
    If another import delivered the same value, it is recorded as the one that filled it.
    """
    replaced: dict[str, Any] = own.delivery.replaced.get(FEATURES_KEY, {})
    restored = dict(zip(tables.FEATURES, features, strict=True))
    for name in list(restored) if own.delivery.created else replaced:
        before = replaced.get(name)
        holders = [
            one
            for one in sorted(others, key=lambda one: one.import_id)
            if name in one.delivery.replaced.get(FEATURES_KEY, {})
            and (one.origin != own.origin or one.import_id > own.import_id)
        ]
        versions = [one for one in holders if one.origin == own.origin]
        same = [one for one in others if name in one.delivery.replaced.get(SAME_FEATURES, ())]
        if versions:
            versions[0].delivery.replaced[FEATURES_KEY][name] = before
            versions[0].delivery.changed = True
        elif not holders and same:
            same[0].delivery.add_features({name: before})
        elif not holders:
            restored[name] = before
    values = tuple(restored.values())
    return None if values == tuple(features) else values


def _note_same(own: Delivery, values: Sequence[Any], old: Sequence[Any]) -> None:
    """Record the stored features that an import also delivers."""
    filled = own.replaced.get(FEATURES_KEY, {})
    same = [
        name
        for name, value, was in zip(tables.FEATURES, values, old, strict=True)
        if value is not None and value == was and name not in filled
    ]
    if same:
        own.add(_BIT, {})
    if same and SAME_FEATURES not in own.replaced:
        own.replaced[SAME_FEATURES] = same
        own.changed = True


def _names_of_others(
    connection: Connection, import_id: int, track_ids: Sequence[int]
) -> dict[int, set[str]]:
    """Return, per track, the features that imports of other origins filled, or created it with."""
    rows = bulk.select_in(
        connection,
        "SELECT d.track_id, f.origin = own.origin, d.created, d.delivered, d.replaced"
        " FROM {values} CROSS JOIN import_track d JOIN imported_file f ON f.id = d.import_id"
        f" JOIN imported_file own ON own.id = {import_id}"
        " WHERE d.track_id = listed.value AND (d.created OR d.replaced IS NOT NULL)",
        track_ids,
    )
    names: dict[int, set[str]] = {}
    own_names: dict[int, set[str]] = {}
    created = set()
    for track_id, is_own, is_created, delivered, replaced in rows:
        filled = own_names if is_own else names
        filled.setdefault(track_id, set()).update(as_document(replaced).get(FEATURES_KEY, {}))
        if is_created and delivered & _BIT and not is_own:
            created.add(track_id)
    for track_id in created:
        names[track_id] |= _ALL - own_names.get(track_id, set())
    return names
