"""Store findings about genres and tracks as tables; each replaces the one before it.

Deleting and inserting is one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select

from classifier.data.dataset import Database
from classifier.findings.effect_sizes import EffectSize
from classifier.findings.importance import Importance
from genrebase.store import bulk, tables

_PAIR_COLUMNS: Final = ("model_id", "regime", "genre_id", "other_id", "auc", "n", "other_n")
_MEMBER_COLUMNS: Final = ("clustering_id", "track_id", "cluster", "genre_id")
_MATCH_COLUMNS: Final = (
    *("track_id", "genre_id", "distance", "percentile", "nearest_id", "nearest_distance"),
    *("method", "computed_at"),
)

GenreIds = Mapping[str, int]


def store_importances(
    database: Database, model: int, side: str, importances: Sequence[Importance], genres: GenreIds
) -> None:
    """Store the feature importance of a model on one side, without genres that were deleted."""
    table = tables.feature_importance
    rows = [
        {
            "model_id": model,
            "side": side,
            "genre_id": None if one.genre is None else genres[one.genre],
            **_columns(one),
        }
        for one in importances
        if one.genre is None or one.genre in genres
    ]
    with bulk.exclusive_transaction(database) as connection:
        _replace(connection, table, and_(table.c.model_id == model, table.c.side == side), rows)


def store_traits(
    database: Database,
    genre: int,
    against: int | None,
    effects: Sequence[EffectSize],
    at: datetime,
) -> None:
    """Store the effect sizes between a genre and another, or (None) all others."""
    table = tables.genre_trait
    with bulk.exclusive_transaction(database) as connection:
        moment = tables.as_driver_datetime(at, connection.dialect.name)
        rows = [
            {
                "genre_id": genre,
                "against_id": against,
                "computed_at": moment,
                **_columns(one),
            }
            for one in effects
        ]
        same = and_(table.c.genre_id == genre, table.c.against_id.is_not_distinct_from(against))
        _replace(connection, table, same, rows)


def store_clustering(
    database: Database, values: Mapping[str, Any], members: Iterable[tuple[int, int, int]]
) -> None:
    """Store a clustering (`values` by column) and its (track, cluster, genre), by name."""
    table = tables.clustering
    with bulk.exclusive_transaction(database) as connection:
        connection.execute(delete(table).where(table.c.name == values["name"]))
        inserted = connection.execute(insert(table).values(**values))
        number = int(inserted.inserted_primary_key[0])  # type: ignore[index]  # one row has one key
        rows = [(number, *member) for member in members]
        _insert_existing(connection, tables.cluster_member, _MEMBER_COLUMNS, rows)


def store_pairs(
    database: Database,
    model: int,
    regime: str,
    rows: Iterable[tuple[int, int, float, int, int]],
) -> None:
    """Store the pairwise AUC of a model: (genre, other, AUC, tracks, the other's tracks)."""
    table = tables.genre_separability
    with bulk.exclusive_transaction(database) as connection:
        connection.execute(
            delete(table).where(table.c.model_id == model, table.c.regime == regime)
        )
        bulk.insert(connection, table, _PAIR_COLUMNS, [(model, regime, *row) for row in rows])


def store_matches(
    database: Database,
    rows: Iterable[tuple[int, int, float, float, int, float]],
    method: str,
    at: datetime,
) -> int:
    """Store (track, genre, distance, percentile, nearest genre, distance); return the count."""
    table = tables.track_match
    with bulk.exclusive_transaction(database) as connection:
        moment = tables.as_driver_datetime(at, connection.dialect.name)
        connection.execute(delete(table))
        return _insert_existing(
            connection, table, _MATCH_COLUMNS, [(*row, method, moment) for row in rows]
        )


def _columns(finding: Importance | EffectSize) -> dict[str, Any]:
    """Return the fields as columns: the bounds of the interval have one each, a genre has none."""
    values = {name: one for name, one in asdict(finding).items() if name != "genre"}
    low, high = values.pop("interval") or (None, None)
    return {**values, "low": low, "high": high}


def _replace(
    connection: Connection,
    table: Table,
    same: ColumnElement[bool],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    connection.execute(delete(table).where(same))
    if rows:
        bulk.insert(connection, table, tuple(rows[0]), [tuple(row.values()) for row in rows])


def _insert_existing(
    connection: Connection, table: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]
) -> int:
    """Insert the rows whose track and genres still exist; return how many."""
    track = columns.index("track_id")
    ids = [row[track] for row in rows]
    tracks = bulk.existing_tracks(connection, ids)
    genres = set(connection.scalars(select(tables.genre.c.id)))
    at = [place for place, name in enumerate(columns) if name in {"genre_id", "nearest_id"}]
    kept = [row for row in rows if row[track] in tracks and all(row[one] in genres for one in at)]
    bulk.insert(connection, table, columns, kept)
    return len(kept)
