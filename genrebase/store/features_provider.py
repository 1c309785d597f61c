"""The provider whose audio features the views show of a track: `track.features_provider`.

It is the first one, in the order of the table `feature_order`, that has features of the track;
providers that are not in the order come last, by name. Whoever inserts or deletes rows of
`audio_features` calls `choose` in the same transaction. `genrebase migrate` stores the order. It
chooses for all tracks again if the order or the schema changes, and with --repair.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from genrebase.store import bulk, tables

_order: Final = tables.feature_order

_FIRST: Final = """(
    SELECT f.provider FROM audio_features f LEFT JOIN feature_order o ON o.provider = f.provider
    WHERE f.track_id = track.id
    ORDER BY CASE WHEN o.position IS NULL THEN 1 ELSE 0 END, o.position, f.provider LIMIT 1
)"""
_IS_WRONG: Final = f"coalesce(features_provider, '') <> coalesce({_FIRST}, '')"


def choose(connection: Connection, track_ids: Sequence[int]) -> None:
    """Choose the providers of these tracks, whose features were stored or deleted."""
    statement = f"UPDATE track SET features_provider = {_FIRST} WHERE {_IS_WRONG} AND id"
    bulk.execute_in(connection, statement, track_ids)


def order(connection: Connection) -> tuple[str, ...]:
    """Return the stored order of the providers."""
    return tuple(connection.scalars(select(_order.c.provider).order_by(_order.c.position)))


def set_order(connection: Connection, providers: Sequence[str]) -> None:
    """Store the order of the providers; if it changes, choose those of all tracks again."""
    if order(connection) == tuple(providers):
        return
    connection.execute(delete(_order))
    for position, provider in enumerate(providers):
        connection.execute(insert(_order).values(provider=provider, position=position))
    choose_all(connection)


def choose_all(connection: Connection) -> None:
    """Choose the provider of every track for which another one is stored."""
    connection.exec_driver_sql(f"UPDATE track SET features_provider = {_FIRST} WHERE {_IS_WRONG}")


def count_wrong(connection: Connection) -> int:
    """Count the tracks whose stored provider is not the one that `choose` would store."""
    query = f"SELECT count(*) FROM track WHERE {_IS_WRONG}"
    return int(connection.exec_driver_sql(query).scalar_one())
