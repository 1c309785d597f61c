"""Track the progress of imported files, so that a resumed import counts no row twice."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from genrebase.store import bulk, tables

_file = tables.imported_file


def lock_rows_done(connection: Connection, sha256: str, name: str) -> int:
    """Return how many rows of a file are counted; lock out other writers until the commit."""
    bulk.lock_identity_writers(connection)
    counted = connection.scalar(select(_file.c.rows_done).where(_file.c.sha256 == sha256))
    if counted is None:
        connection.execute(insert(_file).values(sha256=sha256, name=name, rows_done=0))
        return 0
    return int(counted)


def set_rows_done(connection: Connection, sha256: str, rows: int) -> None:
    """Record that the first `rows` rows are counted."""
    connection.execute(
        update(_file)
        .where(_file.c.sha256 == sha256, _file.c.rows_done < rows)
        .values(rows_done=rows)
    )


def mark_finished(connection: Connection, sha256: str, now: datetime) -> None:
    """Record that a file is imported completely."""
    connection.execute(
        update(_file)
        .where(_file.c.sha256 == sha256, _file.c.finished_at.is_(None))
        .values(finished_at=now)
    )
