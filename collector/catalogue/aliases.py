"""The ids of a source that are stored."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from genrebase.store import tables
from genrebase.store.engine import Engine, read_transaction

_AT_ONCE: Final = 50_000


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
