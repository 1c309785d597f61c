"""What this database was filled from: the invented and the real never meet."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from collector.catalogue.origin import CatalogueOrigin
from genrebase.store import tables


def load_origin(connection: Connection) -> CatalogueOrigin | None:
    """Return what the database was filled from; None before its first harvest."""
    row = connection.execute(select(tables.catalogue_origin)).one_or_none()
    return None if row is None else CatalogueOrigin(row.kind, row.detail)


def store_origin(connection: Connection, origin: CatalogueOrigin, now: datetime) -> None:
    """Write down what the database is filled from, once."""
    connection.execute(
        insert(tables.catalogue_origin).values(
            id=1, kind=origin.kind, detail=origin.detail, recorded_at=now
        )
    )


def other_track_origin(connection: Connection, origin: str) -> str | None:
    """Return who else than `origin` delivered tracks to this database; None where nobody did."""
    track = tables.track
    statement = select(track.c.origin).where(track.c.origin != origin).limit(1)
    return connection.execute(statement).scalar_one_or_none()
