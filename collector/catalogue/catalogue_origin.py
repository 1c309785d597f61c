"""What this database was filled from: the invented and the real never meet."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from collector.catalogue.origin import Origin
from genrebase.store import tables


def stored(connection: Connection) -> Origin | None:
    """Return what the database was filled from; None before its first harvest."""
    row = connection.execute(select(tables.catalogue_origin)).one_or_none()
    return None if row is None else Origin(row.kind, row.detail)


def record(connection: Connection, origin: Origin, now: datetime) -> None:
    """Write down what the database is filled from, once."""
    connection.execute(
        insert(tables.catalogue_origin).values(
            id=1, kind=origin.kind, detail=origin.detail, recorded_at=now
        )
    )


def delivered_elsewhere(connection: Connection, origin: str) -> str | None:
    """Return who else than `origin` delivered tracks to this database; None where nobody did."""
    track = tables.track
    statement = select(track.c.origin).where(track.c.origin != origin).limit(1)
    return connection.execute(statement).scalar_one_or_none()
