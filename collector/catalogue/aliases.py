"""The ids of a source that are stored, and their tracks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, select

from genrebase.store import bulk, tables
from genrebase.store.engine import Engine, read_transaction

_AT_ONCE: Final = 50_000

AliasKey = tuple[str, str]
"""(source, source's id) of a track."""


def iterate_ids(engine: Engine, source: str) -> Iterator[str]:
    """Yield all stored ids of a source, in order, by several transactions."""
    alias = tables.track_alias.c
    last = ""
    while True:
        query = select(alias.source_id).where(alias.source == source, alias.source_id > last)
        with read_transaction(engine) as connection:
            ids = connection.scalars(query.order_by(alias.source_id).limit(_AT_ONCE)).all()
        yield from ids
        if len(ids) < _AT_ONCE:
            return
        last = ids[-1]


def tracks_of_aliases(
    connection: Connection, source: str, source_ids: Iterable[str]
) -> dict[str, int]:
    """Return the track of each of a source's ids that is stored."""
    ids, columns = list(dict.fromkeys(source_ids)), ("source_id", "track_id")
    rows = bulk.rows_of(connection, "track_alias", "source_id", ids, columns, source=source)
    return dict(map(tuple, rows))


def tracks_of_all(
    connection: Connection, ids_by_source: Mapping[str, Iterable[str]]
) -> dict[AliasKey, int]:
    """Return the track of each id of several sources that is stored."""
    return {
        (source, source_id): track_id
        for source, ids in ids_by_source.items()
        for source_id, track_id in tracks_of_aliases(connection, source, ids).items()
    }


def name_keys(connection: Connection, source: str, ids: Iterable[str]) -> dict[str, str]:
    """Return the match key of the track of each of a source's ids that is stored."""
    rows = bulk.select_in(
        connection,
        "SELECT a.source_id, t.name_key FROM {values} CROSS JOIN track_alias a CROSS JOIN track t"
        " WHERE a.source_id = listed.value AND a.source = {mark} AND t.id = a.track_id",
        list(dict.fromkeys(ids)),
        source,
    )
    return dict(map(tuple, rows))


def count_other_keys(connection: Connection, source: str, key_of: Mapping[str, str]) -> int:
    """Return how many of a source's stored ids have a track with another match key.

    `key_of` has the match key that each id would get now.
    """
    stored = name_keys(connection, source, key_of)
    return sum(key_of[source_id] != key for source_id, key in stored.items())
