"""Imported files: their state, and the number of counted rows, so that no row counts twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from genrebase import licences
from genrebase.errors import UserError
from genrebase.store import bulk, name_locks, source_ids, tables

_file = tables.imported_file
_REPETITION: Final = ":"
"""Before the id of an import in `imported_file.sha256`, where a file was imported before."""

_SAME_NAMES: Final = (
    *("id", "name", "origin", "schema", "tracks_new"),
    *("started_at", "finished_at", "undo_started_at", "undone_at"),
)
"""Columns of `imported_file` that `StoredImport` has under the same names."""

ImportState = Literal["finished", "unfinished", "undo unfinished", "undone"]


@dataclass(frozen=True, slots=True)
class StoredImport:
    """One import, as it is stored."""

    id: int
    name: str
    origin: str
    options: Mapping[str, Any]
    licence: str
    """Of its origin, as it is now."""
    schema: str | None
    mapped: Sequence[str]
    """The fine genres that it added to its mapping."""
    started_at: datetime | None
    """None: imported by an earlier version, which did not record what it delivered."""
    finished_at: datetime | None
    rows: int
    tracks_new: int
    undo_started_at: datetime | None
    undone_at: datetime | None

    @property
    def mapping(self) -> str:
        """The genre mapping that its subgenres were added to."""
        is_file = source_ids.is_file_source(self.origin)
        return self.name.rsplit("/", 1)[-1].split(".")[0] if is_file else self.origin

    @property
    def state(self) -> ImportState:
        """Whether it is finished or undone."""
        if self.undone_at is not None:
            return "undone"
        if self.undo_started_at is not None:
            return "undo unfinished"
        return "unfinished" if self.finished_at is None else "finished"


def load_imports(connection: Connection) -> list[StoredImport]:
    """Return all imports, oldest first."""
    source = tables.data_source
    joined = _file.outerjoin(source, source.c.name == _file.c.origin)
    query = select(_file, source.c.licence).select_from(joined).order_by(_file.c.id)
    rows = connection.execute(query)
    return [
        StoredImport(
            **{name: getattr(row, name) for name in _SAME_NAMES},
            options=row.options or {},
            licence=row.licence or licences.of_source(row.origin),
            mapped=row.mapped or (),
            rows=row.rows_done,
        )
        for row in rows
    ]


def same_file(key: str, sha256: str) -> bool:
    """Return whether a stored `sha256` is that of a file, imported once or repeatedly."""
    return key.partition(_REPETITION)[0] == sha256


def start(
    connection: Connection,
    now: datetime,
    *,
    sha256: str,
    name: str,
    origin: str,
    options: Mapping[str, Any],
    schema: str | None = None,
) -> int:
    """Return the id of this import: the last one of its origin, or a new one.

    `sha256` is that of the file's bytes and the options, `schema` the descriptor schema of its
    values.

    If another version was imported since, the file is a new version again. The same bytes under
    another name are the same file. Raises `UserError` if an undo of the file's import is
    unfinished. Blocks other writers until the commit.
    """
    bulk.lock_identity_writers(connection)
    rows = connection.execute(select(_file).order_by(_file.c.id)).all()
    stored = [row for row in rows if same_file(row.sha256, sha256)]
    unfinished = [row for row in stored if row.undo_started_at and row.undone_at is None]
    if unfinished:
        raise UserError(
            f"The undo of this file's import is unfinished: run `collector imports undo "
            f"{unfinished[0].id}` again first."
        )
    last = {row.origin: row.id for row in rows if row.undone_at is None}
    current = [row.id for row in stored if row.undone_at is None and row.id == last[row.origin]]
    if current:
        return int(current[-1])
    import_id = (connection.scalar(select(func.max(_file.c.id))) or 0) + 1
    values = {
        "id": import_id,
        "name": name,
        "origin": origin,
        "options": dict(options),
        "schema": schema,
        "mapped": None,
        "rows_done": 0,
        "tracks_new": 0,
        "started_at": now,
        "finished_at": None,
        "undo_started_at": None,
        "undone_at": None,
    }
    undone = next((row.sha256 for row in stored if row.undone_at is not None), None)
    if undone is None:
        key = f"{sha256}{_REPETITION}{import_id}" if stored else sha256
        connection.execute(insert(_file).values(sha256=key, **values))
    else:
        connection.execute(update(_file).where(_file.c.sha256 == undone).values(**values))
    return import_id


def origin_of(connection: Connection, import_id: int) -> str:
    """Return the origin of an import: that of the name under which the file came first."""
    return str(connection.execute(select(_file.c.origin).where(_file.c.id == import_id)).scalar())


def earlier_versions(connection: Connection, origin: str, sha256: str) -> list[int]:
    """Return the imports of an origin of which a file would be a new version."""
    query = select(_file.c.id, _file.c.sha256).where(
        _file.c.origin == origin, _file.c.undone_at.is_(None)
    )
    rows = list(connection.execute(query.order_by(_file.c.id)))
    if rows and same_file(rows[-1].sha256, sha256):
        rows.pop()  # the file goes on with this import
    return [row.id for row in rows]


def stored_counts(connection: Connection, import_id: int) -> tuple[int, int]:
    """Return the counted rows and the new tracks of an import."""
    query = select(_file.c.rows_done, _file.c.tracks_new)
    row = connection.execute(query.where(_file.c.id == import_id)).one()
    return row.rows_done, row.tracks_new


def set_licence(connection: Connection, import_id: int, licence: str) -> None:
    """Record the licence among the options of an import, which may be a repeated one."""
    options = connection.scalar(select(_file.c.options).where(_file.c.id == import_id)) or {}
    _set(connection, import_id, options={**options, "licence": licence})


def lock_rows_done(connection: Connection, import_id: int) -> int:
    """Return how many rows of an import are counted; lock it until the commit.

    Other writers are locked out, too, unless the transaction runs beside others.
    """
    if not name_locks.is_concurrent(connection):
        bulk.lock_identity_writers(connection)
    query = select(_file.c.rows_done, _file.c.undo_started_at).where(_file.c.id == import_id)
    row = connection.execute(query.with_for_update(key_share=True)).one_or_none()
    if row is None or row.undo_started_at is not None:
        raise UserError("This import was undone while it ran: import the file again.")
    return int(row.rows_done)


def add_rows_done(connection: Connection, import_id: int, rows: int, tracks_new: int) -> None:
    """Record that the first `rows` rows are counted, and the number of their new tracks."""
    _set(connection, import_id, tracks_new=_file.c.tracks_new + tracks_new)
    _set(connection, import_id, _file.c.rows_done < rows, rows_done=rows)


def add_mapped(connection: Connection, import_id: int, fine: Sequence[str]) -> None:
    """Record that an import added fine genres to its mapping."""
    if fine:
        before = connection.scalar(select(_file.c.mapped).where(_file.c.id == import_id)) or []
        _set(connection, import_id, mapped=[*before, *fine])


def is_finished(connection: Connection, import_id: int) -> bool:
    """Return whether an import was completed."""
    query = select(_file.c.finished_at).where(_file.c.id == import_id)
    return connection.scalar(query) is not None


def mark_finished(connection: Connection, import_id: int, now: datetime) -> None:
    """Record that a file is imported completely."""
    _set(connection, import_id, _file.c.finished_at.is_(None), finished_at=now)


def mark_undo_started(connection: Connection, import_id: int, now: datetime) -> None:
    """Record the start of an undo: the import cannot be continued before the undo is finished."""
    _set(connection, import_id, _file.c.undo_started_at.is_(None), undo_started_at=now)


def mark_undone(connection: Connection, import_id: int, now: datetime) -> None:
    """Record that an import is undone; the same file can be imported again.

    Its counts of rows and new tracks stay, as those of what was undone.
    """
    _set(connection, import_id, undone_at=now, mapped=None)


def _set(
    connection: Connection, import_id: int, *conditions: ColumnElement[bool], **values: Any
) -> None:
    where = (_file.c.id == import_id, *conditions)
    connection.execute(update(_file).where(*where).values(values))
