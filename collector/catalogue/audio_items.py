"""Items of sources of audio files: those that a search listed, and which of them come next."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from collector.records import ItemFiles, ListedItem, RemoteFile
from genrebase import licences
from genrebase.store import bulk, licence_sql, tables

MAX_ATTEMPTS: Final = 4
"""Failed attempts in a row after which an item is left out."""

_item, _item_genre, _download = tables.audio_item, tables.audio_item_genre, tables.audio_download
_PENDING: Final = ("waiting", "open")
_ITEM_COLUMNS: Final = ("source", *ListedItem.__slots__, "listed_at", "updated_at")
_FILE_COLUMNS: Final = ("name", "size", "md5", "title", "artist", "isrc", "address")


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as it is stored."""

    source: str
    listed: ListedItem
    status: str
    attempts: int

    @property
    def item_id(self) -> str:
        """The source's own id."""
        return self.listed.item_id


def store_listed(
    connection: Connection,
    source: str,
    listed: Sequence[tuple[ListedItem, int, Collection[int]]],
    now: datetime,
) -> int:
    """Store the items of a page, each with its position and genres; return how many are new."""
    ids = [item.item_id for item, _, _ in listed]
    rows = bulk.rows_of(connection, "audio_item", "item_id", ids, ["item_id"], source=source)
    stored = {item_id for (item_id,) in rows}
    new = [item for item, _, _ in listed if item.item_id not in stored]
    if new:
        connection.execute(insert(_item), [_values(source, item, now) for item in new])
    of_genres = [
        (source, item.item_id, genre_id, position)
        for item, position, genre_ids in listed
        for genre_id in genre_ids
    ]
    columns = ("source", "item_id", "genre_id", "position")
    bulk.upsert(connection, _item_genre, columns, of_genres)
    return len(new)


def add_tracks_without_features(connection: Connection, source: str, now: datetime) -> None:
    """Make an item of every track of a source whose audio was not analysed.

    For sources whose items are tracks already. Of several licences of a track the strictest
    counts.
    """
    alias, features = tables.track_alias, tables.audio_features
    analysed = exists().where(
        features.c.track_id == alias.c.track_id, features.c.provider == tables.AUDIO_PROVIDER
    )
    known = exists().where(_item.c.source == alias.c.source, _item.c.item_id == alias.c.source_id)
    track, sighting = tables.track, tables.sighting
    licence = (
        select(licence_sql.strictest(sighting.c.licence))
        .where(sighting.c.track_id == alias.c.track_id, sighting.c.source == alias.c.source)
        .scalar_subquery()
    )
    moment = literal(now, _item.c.listed_at.type)
    rows = (
        select(
            alias.c.source,
            alias.c.source_id,
            track.c.title,
            track.c.artists,
            track.c.release_date,
            literal([], _item.c.subjects.type),
            func.coalesce(licence, licences.UNKNOWN),
            moment,
            moment,
        )
        .join(track, track.c.id == alias.c.track_id)
        .where(alias.c.source == source, ~analysed, ~known)
    )
    connection.execute(insert(_item).from_select(_ITEM_COLUMNS, rows))


def waiting_per_genre(
    connection: Connection, source: str, allowed: Collection[str]
) -> dict[int, int]:
    """Return the number of items of each genre that are not done, with an allowed licence."""
    query = (
        _pending(select(_item_genre.c.genre_id, func.count()), source, allowed)
        .join(_item_genre, _same_item())
        .group_by(_item_genre.c.genre_id)
    )
    return dict(map(tuple, connection.execute(query)))


def count_waiting(connection: Connection, source: str, allowed: Collection[str]) -> int:
    """Return the number of items that are not done, with an allowed licence."""
    return connection.scalar(_pending(select(func.count()), source, allowed)) or 0


def allowed_licences(connection: Connection, source: str, allowed: str) -> list[str]:
    """Return those licences of items that are not done that `licences.is_allowed` allows."""
    query = (
        select(_item.c.licence)
        .distinct()
        .where(_item.c.source == source, _item.c.status.in_(_PENDING))
    )
    names = sorted(connection.scalars(query))
    return [name for name in names if licences.is_allowed(name, allowed)]


def next_items(
    connection: Connection,
    source: str,
    now: datetime,
    allowed: Collection[str],
    *,
    genre_id: int | None = None,
    excluded: Collection[str] = (),
    limit: int = 1,
) -> list[StoredItem]:
    """Return the next items that are due: those begun, then in the order of the search.

    With a `genre_id`, those of the genre only; never those with an id in `excluded`.
    """
    query = _pending(select(_item), source, allowed).where(
        or_(_item.c.next_at.is_(None), _item.c.next_at <= now),
        _item.c.item_id.not_in(list(excluded)),
    )
    order: list[ColumnElement[Any]] = [_item.c.status == "waiting"]
    if genre_id is not None:
        query = query.join(_item_genre, _same_item()).where(_item_genre.c.genre_id == genre_id)
        order.append(_item_genre.c.position)
    rows = connection.execute(query.order_by(*order, _item.c.item_id).limit(limit))
    return [_stored(row) for row in rows.mappings()]


def open_item(
    connection: Connection, source: str, item_id: str, found: ItemFiles, now: datetime
) -> bool:
    """Store an item's files, all of which are to be downloaded, and its present metadata.

    An item without files is left out; returns whether it has any.
    """
    listed = found.item
    reason = ", ".join(f"{number} {why}" for why, number in sorted(found.passed_over.items()))
    values = _values(source, listed, now) | {"status": "open", "reason": reason or None}
    del values["listed_at"]
    if not found.files:
        leave_out(connection, source, item_id, reason or "no audio file", now)
        return False
    _set(connection, source, item_id, {**values, "attempts": 0, "next_at": None})
    connection.execute(delete(_download).where(*_of(_download, source, item_id)))
    connection.execute(
        insert(_download),
        [
            {"source": source, "item_id": item_id, "position": position}
            | {name: getattr(file, name) for name in _FILE_COLUMNS}
            for position, file in enumerate(found.files)
        ],
    )
    return True


def leave_out(
    connection: Connection, source: str, item_id: str, reason: str, now: datetime
) -> None:
    """Leave an item out for good."""
    values = {"status": "left_out", "reason": reason, "next_at": None, "updated_at": now}
    _set(connection, source, item_id, values)


def postpone(
    connection: Connection,
    item: StoredItem,
    attempts: int,
    reason: str,
    next_at: datetime,
    now: datetime,
) -> None:
    """Note a failure of an item, which has failed `attempts` times: it is due at `next_at`.

    After `MAX_ATTEMPTS` it is left out.
    """
    if attempts >= MAX_ATTEMPTS:
        leave_out(connection, item.source, item.item_id, reason, now)
        return
    values = {"attempts": attempts, "next_at": next_at, "reason": reason, "updated_at": now}
    _set(connection, item.source, item.item_id, values)


def close_if_done(connection: Connection, source: str, item_id: str, now: datetime) -> None:
    """Close an item none of whose files is to be downloaded any more."""
    waiting = exists().where(*_of(_download, source, item_id), _download.c.status == "waiting")
    connection.execute(
        update(_item)
        .where(*_of(_item, source, item_id), ~waiting)
        .values(status="done", attempts=0, next_at=null(), updated_at=now)
    )


def waiting_files(
    connection: Connection, source: str, item_id: str
) -> list[tuple[RemoteFile, int]]:
    """Return the files of an item that are to be downloaded, with their failed attempts."""
    query = (
        select(_download.c.attempts, *(_download.c[name] for name in _FILE_COLUMNS))
        .where(*_of(_download, source, item_id), _download.c.status == "waiting")
        .order_by(_download.c.position)
    )
    return [(RemoteFile(*row), attempts) for attempts, *row in connection.execute(query)]


def files_begun(connection: Connection) -> list[tuple[str, str, str]]:
    """Return source, item and name of every file that is to be downloaded."""
    columns = (_download.c.source, _download.c.item_id, _download.c.name)
    rows = connection.execute(select(*columns).where(_download.c.status == "waiting"))
    return [(source, item_id, name) for source, item_id, name in rows]


def _pending(query: Select[Any], source: str, allowed: Collection[str]) -> Select[Any]:
    return query.select_from(_item).where(
        _item.c.source == source,
        _item.c.status.in_(_PENDING),
        _item.c.licence.in_(list(allowed)),
    )


def _same_item() -> ColumnElement[bool]:
    return (_item_genre.c.source == _item.c.source) & (_item_genre.c.item_id == _item.c.item_id)


def _of(table: Any, source: str, item_id: str) -> Iterable[ColumnElement[bool]]:
    return table.c.source == source, table.c.item_id == item_id


def _set(connection: Connection, source: str, item_id: str, values: dict[str, Any]) -> None:
    connection.execute(update(_item).where(*_of(_item, source, item_id)).values(values))


def _values(source: str, item: ListedItem, now: datetime) -> dict[str, Any]:
    values = asdict(item) | {"subjects": list(item.subjects)}
    return {"source": source, **values, "listed_at": now, "updated_at": now}


def _stored(row: Any) -> StoredItem:
    values = {name: row[name] for name in ListedItem.__slots__}
    listed = ListedItem(**values | {"subjects": tuple(row["subjects"])})
    return StoredItem(row["source"], listed, row["status"], row["attempts"])
