"""What was found out about genres and tracks, written so that SQL can ask for it.

Each finding takes the place of the one before it, in one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, delete, insert, select

from classifier.data.dataset import Database
from classifier.findings.effect_sizes import EffectSize
from classifier.findings.importance import Importance
from genrebase.store import bulk, tables
from genrebase.store.engine import transaction

_IMPORTANCE: Final = (
    "model_id",
    "side",
    "regime",
    "genre_id",
    "kind",
    "feature",
    "importance",
    "low",
    "high",
    "loss",
    "n",
)
_TRAIT: Final = (
    "genre_id",
    "against_id",
    "feature",
    "delta",
    "low",
    "high",
    "value",
    "other_value",
    "n",
    "other_n",
    "computed_at",
)
_MEMBER: Final = ("clustering_id", "track_id", "cluster", "genre_id")
_PAIR: Final = ("model_id", "regime", "genre_id", "other_id", "auc", "n", "other_n")
_MATCH: Final = (
    "track_id",
    "genre_id",
    "distance",
    "percentile",
    "nearest_id",
    "nearest_distance",
    "method",
    "computed_at",
)
_STILL_THERE: Final = "SELECT track.id FROM {values} JOIN track ON track.id = listed.value"

GenreIds = Mapping[str, int]
"""Name to number."""


def store_importances(
    database: Database, model: int, side: str, found: Sequence[Importance], genres: GenreIds
) -> None:
    """Store what a model's answers on one side hang on; single genres that are gone are not."""
    rows = [
        (
            model,
            side,
            one.regime,
            None if one.genre is None else genres[one.genre],
            one.kind,
            one.feature,
            one.importance,
            None if one.interval is None else one.interval.low,
            None if one.interval is None else one.interval.high,
            one.loss,
            one.n,
        )
        for one in found
        if one.genre is None or one.genre in genres
    ]
    table = tables.feature_importance
    with transaction(database) as connection:
        connection.execute(delete(table).where(table.c.model_id == model, table.c.side == side))
        bulk.insert(connection, table, _IMPORTANCE, rows)


def store_traits(
    database: Database, genre: int, against: int | None, found: Sequence[EffectSize], at: datetime
) -> None:
    """Store what sets a genre apart from another, or (None) from all others."""
    table = tables.genre_trait
    with transaction(database) as connection:
        moment = tables.as_driver_datetime(at, connection.dialect.name)
        rows = [
            (
                genre,
                against,
                one.feature,
                one.delta,
                None if one.interval is None else one.interval.low,
                None if one.interval is None else one.interval.high,
                one.value,
                one.other_value,
                one.n,
                one.other_n,
                moment,
            )
            for one in found
        ]
        same = and_(table.c.genre_id == genre, table.c.against_id.is_not_distinct_from(against))
        connection.execute(delete(table).where(same))
        bulk.insert(connection, table, _TRAIT, rows)


def store_clustering(
    database: Database, values: Mapping[str, Any], members: Iterable[tuple[int, int, int]]
) -> None:
    """Store a clustering (`values` by column) and its (track, cluster, genre); by its name."""
    table = tables.clustering
    with transaction(database) as connection:
        connection.execute(delete(table).where(table.c.name == values["name"]))
        made = connection.execute(insert(table).values(**values))
        number = int(made.inserted_primary_key[0])  # type: ignore[index]  # one row has one key
        rows = [(number, *member) for member in members]
        _insert_of_tracks(connection, tables.cluster_member, _MEMBER, rows, place=1)


def store_pairs(
    database: Database,
    model: int,
    regime: str,
    rows: Iterable[tuple[int, int, float, int, int]],
) -> None:
    """Store how well a model tells genres apart: (genre, other, area, tracks, other's tracks)."""
    table = tables.genre_separability
    with transaction(database) as connection:
        same = and_(table.c.model_id == model, table.c.regime == regime)
        connection.execute(delete(table).where(same))
        bulk.insert(connection, table, _PAIR, [(model, regime, *row) for row in rows])


def store_matches(
    database: Database,
    rows: Iterable[tuple[int, int, float, float, int, float]],
    method: str,
    at: datetime,
) -> int:
    """Store (track, genre, distance, percentile, nearest genre, its distance); return how many."""
    table = tables.track_match
    with transaction(database) as connection:
        moment = tables.as_driver_datetime(at, connection.dialect.name)
        connection.execute(delete(table))
        return _insert_of_tracks(
            connection, table, _MATCH, [(*row, method, moment) for row in rows], place=0
        )


def _insert_of_tracks(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: list[tuple[Any, ...]],
    *,
    place: int,
) -> int:
    """Insert the rows whose track (in `place`) and genres are still there; return how many."""
    tracks = [row[place] for row in rows]
    there = {row[0] for row in bulk.select_in(connection, _STILL_THERE, tracks, sql_type="bigint")}
    known = set(connection.scalars(select(tables.genre.c.id)))
    genres = [at for at, name in enumerate(columns) if name in {"genre_id", "nearest_id"}]
    kept = [row for row in rows if row[place] in there and all(row[at] in known for at in genres)]
    bulk.insert(connection, table, columns, kept)
    return len(kept)
