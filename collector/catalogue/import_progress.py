"""Which files were imported, and how far: rows counted once are not counted again."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from genrebase.store import bulk, tables

_file = tables.imported_file


def lock_rows_done(connection: Connection, sha256: str, name: str) -> int:
    """Return how many rows of a file were counted; nobody else counts until we commit."""
    bulk.lock_identity_writers(connection)
    counted = connection.scalar(select(_file.c.rows_done).where(_file.c.sha256 == sha256))
    if counted is None:
        connection.execute(insert(_file).values(sha256=sha256, name=name, rows_done=0))
        return 0
    return int(counted)


def set_rows_done(connection: Connection, sha256: str, rows: int) -> None:
    """Say that the first `rows` rows are counted."""
    connection.execute(
        update(_file)
        .where(_file.c.sha256 == sha256, _file.c.rows_done < rows)
        .values(rows_done=rows)
    )


def mark_finished(connection: Connection, sha256: str, now: datetime) -> None:
    """Say that a file was imported whole."""
    connection.execute(
        update(_file)
        .where(_file.c.sha256 == sha256, _file.c.finished_at.is_(None))
        .values(finished_at=now)
    )
