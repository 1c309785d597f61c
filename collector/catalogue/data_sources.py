"""Sources of labels and features, one row per origin and provider, with their licences."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, update

from collector.catalogue import feature_licences
from genrebase import licences
from genrebase.licences import LicenceClass
from genrebase.store import bulk, name_locks, tables, views

_source = tables.data_source


@dataclass(frozen=True, slots=True)
class DataSource:
    """A source of labels or a provider of features."""

    name: str
    licence: str
    """Of what has none of its own."""
    licence_class: LicenceClass
    tracks: int
    """Tracks that it delivered first."""
    labels: int
    features: int
    """Tracks with features of this provider."""


def load(connection: Connection) -> list[DataSource]:
    """Return every source and provider, by name."""
    view = views.data_sources.c
    columns = (view[name] for name in DataSource.__slots__)
    return [DataSource(*row) for row in connection.execute(select(*columns).order_by(view.name))]


def ensure(connection: Connection, name: str, licence: str | None, now: datetime) -> str:
    """Store a source that is new, or whose licence was unknown; return its licence.

    `licence` is what the source states; None: the one that is known of it, if any. A licence that
    is stored stays.
    """
    licence = licence or licences.of_source(name)
    rows = bulk.rows_of(connection, "data_source", "name", [name], ["licence"])
    stored = next((licence for (licence,) in rows), None)
    if stored is None:
        moment = tables.as_driver_datetime(now, connection.dialect.name)
        columns = ("name", "licence", "noted_at")  # another import may be doing the same
        bulk.upsert(connection, _source, columns, [(name, licence, moment)])
        return licence
    if stored == licences.UNKNOWN != licence:
        if name_locks.is_concurrent(connection):
            raise name_locks.NeedsExclusiveLock
        set_licence(connection, name, licence)
        return licence
    return str(stored)


def set_licence(connection: Connection, name: str, licence: str) -> None:
    """Set the licence of a stored source, and of the features that its imports delivered."""
    connection.execute(update(_source).where(_source.c.name == name).values(licence=licence))
    feature_licences.recompute_of_origin(connection, name)


def remove_unused(connection: Connection, name: str) -> None:
    """Remove a source without tracks, labels and other imports; another file may get its name.

    An import that is being undone does not count.
    """
    track, sighting, file = tables.track, tables.sighting, tables.imported_file
    connection.execute(
        delete(_source).where(
            _source.c.name == name,
            ~exists().where(track.c.origin == name),
            ~exists().where(sighting.c.source == name),
            ~exists().where(file.c.origin == name, file.c.undo_started_at.is_(None)),
        )
    )
