"""Audio features that imports deliver: filled, corrected and restored one by one.

A file fills missing features, whichever source delivered the others. Features of another source
stay; those of the file's own origin are corrected.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from collector.catalogue.import_ledger import (
    BITS,
    CORRECTED,
    FEATURES,
    SAME_FEATURES,
    Delivery,
    ImportLedger,
    LedgerEntry,
    as_document,
)
from genrebase.store import bulk, tables

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
    versions = [track_id for track_id in features if ledger.earlier.get(track_id, 0)]
    of_others = _names_of_others(connection, ledger.import_id, versions)
    for track_id, values in features.items():
        own, old = ledger.own[track_id], stored.get(track_id, _MISSING)
        if old is _MISSING and own.created:
            written[track_id] = values
            own.add(BITS[FEATURES], {})
            continue
        is_version = track_id in ledger.earlier
        can_correct = (
            track_id in ledger.first_seen and ledger.earlier.get(track_id, 0) & BITS[FEATURES]
        )
        fixed = of_others.get(track_id, set()) if can_correct else _ALL
        new, before = [], {}
        for name, value, was in zip(tables.FEATURES, values, old, strict=True):
            is_taken = value is not None and (was is None or name not in fixed)
            new.append(value if is_taken else was)
            if is_taken and value != was:
                before[name] = was
        if before:
            written[track_id] = new
            own.add(BITS[FEATURES] | CORRECTED * is_version, {})
            own.add_features(before)
        if not own.created:
            _note_same(own, values, old)
        if not own.created and not is_version:
            pairs = zip(values, new, strict=True)
            not_taken += any(value not in {None, stays} for value, stays in pairs)
    return written, not_taken


def values_before(
    own: LedgerEntry, others: Sequence[LedgerEntry], features: Sequence[Any]
) -> Sequence[Any] | None:
    """Return the stored `features` without those of an import; None if nothing changes.

    If a later version replaced a feature, its replaced value becomes the value before this import.
    If another import delivered the same value, it is recorded as the one that filled it.
    """
    replaced: dict[str, Any] = own.delivery.replaced.get(FEATURES, {})
    restored = dict(zip(tables.FEATURES, features, strict=True))
    for name in list(restored) if own.delivery.created else replaced:
        before = replaced.get(name)
        holders = [
            one
            for one in sorted(others, key=lambda one: one.import_id)
            if name in one.delivery.replaced.get(FEATURES, {})
            and (one.origin != own.origin or one.import_id > own.import_id)
        ]
        versions = [one for one in holders if one.origin == own.origin]
        same = [one for one in others if _delivers_same(one.delivery, name)]
        if versions:
            versions[0].delivery.replaced[FEATURES][name] = before
            versions[0].delivery.changed = True
        elif not holders and same:
            same[0].delivery.add_features({name: before})
        elif not holders:
            restored[name] = before
    values = tuple(restored.values())
    return None if values == tuple(features) else values


def _note_same(own: Delivery, values: Sequence[Any], old: Sequence[Any]) -> None:
    """Record the stored features that an import also delivers."""
    filled = own.replaced.get(FEATURES, {})
    same = [
        name
        for name, value, was in zip(tables.FEATURES, values, old, strict=True)
        if value is not None and value == was and name not in filled
    ]
    if same:
        own.add(BITS[FEATURES], {})
    if same and SAME_FEATURES not in own.replaced:
        own.replaced[SAME_FEATURES] = same
        own.changed = True


def _delivers_same(delivery: Delivery, name: str) -> bool:
    """Return whether an import delivered the same value of a feature as another one."""
    return name in delivery.replaced.get(SAME_FEATURES, ())


def _names_of_others(
    connection: Connection, import_id: int, track_ids: Sequence[int]
) -> dict[int, set[str]]:
    """Return, per track, the features that imports of other origins filled."""
    rows = bulk.select_in(
        connection,
        "SELECT d.track_id, d.replaced FROM {values} CROSS JOIN import_track d"
        " JOIN imported_file f ON f.id = d.import_id"
        " WHERE d.track_id = listed.value AND d.replaced IS NOT NULL"
        f" AND f.origin <> (SELECT origin FROM imported_file WHERE id = {import_id})",
        track_ids,
        sql_type="bigint",
    )
    names: dict[int, set[str]] = {}
    for track_id, replaced in rows:
        names.setdefault(track_id, set()).update(as_document(replaced).get(FEATURES, {}))
    return names
