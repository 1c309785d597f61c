"""The ledger of imports: what each import delivered about a track, for corrections and undo.

A later import of the same origin corrects the values that the origin delivered, once per track and
import; values that another source delivered stay. The replaced values are stored with the
delivery.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, func, select

from collector.catalogue import import_sightings, sightings
from collector.catalogue.artists import StoredArtist
from collector.catalogue.import_sightings import SightingPart
from collector.catalogue.pending_track import METADATA_COLUMNS, PendingTrack
from collector.records import SourceTrack
from genrebase import licences
from genrebase.store import bulk, tables

CREDITS: Final = "credits"
"""In `import_track.replaced`: ids of the artists that the import added to the track's."""
ALIASES: Final = "aliases"
"""In `import_track.replaced`: the (source, id) pairs that it added."""
FEATURES_KEY: Final = "features"
"""In `import_track.replaced`: per feature that it filled or corrected, the value before."""
SAME_FEATURES: Final = "same_features"
"""In `import_track.replaced`: the features that were stored and that it delivered equal."""
DESCRIPTORS_KEY: Final = "descriptors"
"""In `import_track.replaced`: the packed descriptors before, in Base64."""
BITS: Final = {name: 1 << place for place, name in enumerate(tables.DELIVERABLE)}
CORRECTED: Final = 1 << len(BITS)
"""The bit of a track whose values an earlier import of the origin had delivered, or left empty."""

_COLUMNS: Final = ("track_id", "import_id", "created", "delivered", "replaced", "licence")
_UPDATE: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])
_metadata_of = attrgetter(*METADATA_COLUMNS)


@dataclass(slots=True)
class Delivery:
    """What one import delivered about one track: a row of `import_track`."""

    created: bool
    """Whether the track was new."""
    delivered: int = 0
    """Bits of the stored values that it delivered (`BITS`)."""
    replaced: dict[str, Any] = field(default_factory=dict)
    """Values before a fill (None) or correction; see `CREDITS`, `ALIASES`."""
    licence: str | None = None
    """The strictest licence of its items; None: the import's."""
    changed: bool = False

    def add(self, bits: int, replaced: Mapping[str, Any]) -> None:
        """Add the delivery of another row of the file; the first replaced value is kept."""
        if bits & ~self.delivered:
            self.delivered |= bits
            self.changed = True
        if replaced and not self.created:
            self.replaced = {**replaced, **self.replaced}
            self.changed = True

    def add_features(self, before: Mapping[str, Any]) -> None:
        """Note the features that a row filled or corrected; the first value before stays."""
        if not self.created:
            self.replaced[FEATURES_KEY] = {**before, **self.replaced.get(FEATURES_KEY, {})}
            self.changed = True

    def add_licence(self, licence: str | None) -> None:
        """Note the licence of an item: the strictest one counts."""
        if licence not in (None, self.licence):
            self.licence = licences.stricter(self.licence, licence)
            self.changed = True

    def append(self, name: str, items: Iterable[Any]) -> None:
        """Record credits or aliases that were added to an existing track."""
        if not self.created and (added := list(items)):
            self.replaced[name] = [*self.replaced.get(name, ()), *added]
            self.changed = True


@dataclass(slots=True)
class LedgerEntry:
    """A row of `import_track`."""

    import_id: int
    origin: str
    delivery: Delivery


class ImportLedger:
    """The deliveries of one import, and of earlier ones of its origin, to a batch's tracks."""

    def __init__(
        self,
        connection: Connection,
        import_id: int,
        track_ids: Sequence[int],
        earlier_imports: Sequence[int] | None = None,
    ) -> None:
        """Load the deliveries about these stored tracks.

        `earlier_imports` are given where the import is not stored: it is only planned.
        """
        self.import_id = import_id
        if earlier_imports is None:
            earlier_imports = _earlier_imports(connection, import_id)
        self.earlier_imports = earlier_imports
        self.own: dict[int, Delivery] = {}
        self.earlier: dict[int, int] = {}
        """Per track, bits of what earlier imports of the origin delivered."""
        self.first_seen: set[int] = set()
        """Tracks that the import first delivers in this batch."""
        ids = ", ".join(map(str, [import_id, *self.earlier_imports]))
        rows = bulk.select_in(
            connection,
            "SELECT d.track_id, d.import_id, d.created, d.delivered, d.replaced, d.licence"
            " FROM {values} CROSS JOIN import_track d"
            f" WHERE d.track_id = listed.value AND d.import_id IN ({ids})",
            track_ids,
        )
        for track_id, delivered_by, created, delivered, replaced, licence in rows:
            if delivered_by == import_id:
                document = as_document(replaced)
                self.own[track_id] = Delivery(bool(created), delivered, document, licence)
            else:
                self.earlier[track_id] = self.earlier.get(track_id, 0) | delivered

    def can_correct(self, track_id: int) -> bool:
        """Return whether an earlier import of the origin, and not yet this one, delivered it."""
        return track_id in self.earlier and track_id not in self.own

    def deliver(
        self, pending: PendingTrack, source_track: SourceTrack, credits_: Iterable[StoredArtist]
    ) -> None:
        """Fill a track's metadata, and correct values that the origin delivered before."""
        track_id = pending.id
        own, correctable = self.own.get(track_id), 0
        if own is None:
            own = self.own[track_id] = Delivery(created=pending.new, changed=True)
            self.first_seen.add(track_id)
            correctable = self.earlier.get(track_id, 0)
        bits, replaced = pending.deliver(_metadata_of(source_track), correctable)
        own.add(bits | CORRECTED * (bool(replaced) and track_id in self.earlier), replaced)
        own.add_licence(sightings.stored_licence(source_track.licence))
        added = pending.add_credits(credits_)
        if not own.created:
            own.append(CREDITS, [artist.id for artist in added])

    def earlier_parts(
        self, connection: Connection, track_ids: Sequence[int]
    ) -> tuple[list[SightingPart], list[SightingPart]]:
        """Return all parts of these tracks' sightings, and those that this import keeps.

        Tracks whose genres this import has already delivered are left out.
        """
        if not self.earlier_imports:
            return [], []
        before = import_sightings.load(connection, track_ids)
        delivered = {part.track_id for part in before if part.import_id == self.import_id}
        before = [part for part in before if part.track_id not in delivered]
        earlier = set(self.earlier_imports)
        return before, [part for part in before if part.import_id not in earlier]

    def store(self, connection: Connection) -> None:
        """Write the deliveries that changed."""
        rows = [
            (
                track_id,
                self.import_id,
                delivery.created,
                delivery.delivered,
                json.dumps(delivery.replaced) if delivery.replaced else None,
                delivery.licence,
            )
            for track_id, delivery in self.own.items()
            if delivery.changed
        ]
        bulk.upsert(connection, tables.import_track, _COLUMNS, rows, update=_UPDATE)


def count_corrected(connection: Connection, import_id: int) -> int:
    """Count the tracks of earlier imports of the origin that an import filled or corrected."""
    earlier = _earlier_imports(connection, import_id)
    if not earlier:
        return 0
    ids = ", ".join(map(str, earlier))
    genres = "SELECT genre_id FROM import_sighting WHERE track_id = d.track_id AND import_id ="
    last = (
        "(SELECT max(import_id) FROM import_sighting"
        f" WHERE track_id = d.track_id AND import_id IN ({ids}))"
    )
    count: int = connection.exec_driver_sql(f"""
        SELECT count(*) FROM import_track d
        WHERE import_id = {import_id}
        AND EXISTS (
            SELECT 1 FROM import_track earlier
            WHERE earlier.track_id = d.track_id AND earlier.import_id IN ({ids})
        )
        AND (
            delivered & {CORRECTED} <> 0
            OR EXISTS ({genres} {import_id} EXCEPT {genres} {last})
            OR EXISTS ({genres} {import_id})
            AND EXISTS ({genres} {last} EXCEPT {genres} {import_id})
        )
    """).scalar_one()
    return count


def count_labelled(connection: Connection, import_id: int) -> int:
    """Return the number of tracks that an import gave a genre."""
    sighting = tables.import_sighting.c
    query = select(func.count(sighting.track_id.distinct())).where(sighting.import_id == import_id)
    return connection.scalar(query) or 0


def count_only_earlier(connection: Connection, import_id: int) -> int:
    """Count the tracks that earlier imports of the origin delivered, and this one did not."""
    earlier = _earlier_imports(connection, import_id)
    if not earlier:
        return 0
    ids = ", ".join(map(str, earlier))
    count: int = connection.exec_driver_sql(f"""
        SELECT count(DISTINCT track_id) FROM import_track d WHERE import_id IN ({ids})
        AND NOT EXISTS (
            SELECT 1 FROM import_track this
            WHERE this.track_id = d.track_id AND this.import_id = {import_id}
        )
    """).scalar_one()
    return count


def deliver_descriptors(
    connection: Connection, import_id: int, packed: Mapping[int, bytes], schema: tuple[str, str]
) -> None:
    """Record that an import delivers descriptors of tracks, and the replaced values.

    `schema` is their provider and name. Call it before they are stored.
    """
    ledger = ImportLedger(connection, import_id, list(packed))
    provider, name = schema
    columns = ("track_id", "data")
    rows = bulk.rows_of(
        connection,
        "descriptor",
        "track_id",
        list(packed),
        columns,
        provider=provider,
        schema=name,
    )
    stored = dict(map(tuple, rows))
    for track_id, data in packed.items():
        own = ledger.own.setdefault(track_id, Delivery(created=False, changed=True))
        old = stored.get(track_id)
        is_replaced = old != data and not own.delivered & BITS[DESCRIPTORS_KEY]
        encoded = None if old is None else base64.b64encode(old).decode()
        bits = BITS[DESCRIPTORS_KEY] | CORRECTED * (is_replaced and track_id in ledger.earlier)
        own.add(bits, {DESCRIPTORS_KEY: encoded} if is_replaced else {})
    ledger.store(connection)


def as_document(stored: Any) -> dict[str, Any]:
    """Return a document as the drivers return it, parsed (PostgreSQL) or as text (SQLite)."""
    if stored is None:
        return {}
    document = dict(json.loads(stored) if isinstance(stored, str) else stored)
    features = document.get(FEATURES_KEY, {})
    if not isinstance(features, dict):  # all 12, or none
        values = features or [None] * len(tables.FEATURES)
        document[FEATURES_KEY] = dict(zip(tables.FEATURES, values, strict=True))
    return document


def _earlier_imports(connection: Connection, import_id: int) -> list[int]:
    """Return the imports of the same origin that started earlier and are not undone."""
    file, this = tables.imported_file, tables.imported_file.alias("this")
    query = (
        select(file.c.id)
        .join(this, this.c.origin == file.c.origin)
        .where(this.c.id == import_id, file.c.id < import_id, file.c.undone_at.is_(None))
    )
    return list(connection.scalars(query))


def load_entries(connection: Connection, track_ids: Sequence[int]) -> dict[int, list[LedgerEntry]]:
    """Return what each import delivered of these tracks, by track."""
    rows = bulk.select_in(
        connection,
        "SELECT d.track_id, d.import_id, f.origin, d.created, d.delivered, d.replaced"
        " FROM {values} CROSS JOIN import_track d JOIN imported_file f ON f.id = d.import_id"
        " WHERE d.track_id = listed.value",
        track_ids,
    )
    entries: dict[int, list[LedgerEntry]] = {}
    for track_id, import_id, origin, created, delivered, replaced in rows:
        delivery = Delivery(bool(created), delivered, as_document(replaced))
        entries.setdefault(track_id, []).append(LedgerEntry(import_id, origin, delivery))
    return entries
