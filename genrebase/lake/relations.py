"""Which tables and views a lake has, and into which parts they are cut."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import LargeBinary, Select, Table, select

from genrebase.lake.duckdb_views import columns_read
from genrebase.lake.tables_to_arrow import key_column
from genrebase.store import tables, views
from genrebase.store.views.definition import Providers

ROW_WISE: Final = {
    "acousticbrainz_features": "provider, recording_id, origin",
    "harmony": "provider",
    "label_disputes": "genre",
    "prediction_changes": "genre",
    "predictions": "genre",
    "scoring_tracks": "track_id",
    "sections": "provider, position",
    "task_predictions": "task",
    "timbres": "provider",
    "track_credits": "position, artist_id",
    "track_features": "provider",
    "track_genre_sources": "genre_id, source",
    "track_genres": "genre_id",
    "track_matches": "genre",
    "tracks": "track_id",
    "training_tracks": "track_id",
}
"""Views whose rows for a track follow from the rows of tables for that track alone (and from
tables that have no track), each with the order of a track's rows. They are computed for one range
of tracks at a time; all others from all rows."""


@dataclass(frozen=True, slots=True)
class LakeRelations:
    """The tables and views of a lake."""

    tables: dict[str, tuple[str, ...]]
    """The tables that the views read, with their columns except files and matrices."""
    views: tuple[str, ...]
    left_out: tuple[str, ...]
    """Views with columns of binary data, and such columns of the tables: `model.artifact`."""


def lake_relations(providers: Providers) -> LakeRelations:
    """Return all views without binary data, and the tables that they read."""
    binary = tuple(name for name, view in views.ALL.items() if _binary(view.table))
    chosen = tuple(name for name in views.ALL if name not in binary)
    read = [tables.metadata.tables[name] for name in columns_read(chosen, providers)]
    files = [f"{table.name}.{column.name}" for table in read for column in _binary(table)]
    return LakeRelations(
        tables={table.name: _columns(table) for table in read},
        views=chosen,
        left_out=(*binary, *files),
    )


def is_by_track(name: str) -> bool:
    """Return whether a table is cut by ranges of tracks."""
    table = tables.metadata.tables[name]
    return name == "track" or "track_id" in table.primary_key.columns or name == "track_alias"


def table_query(name: str, columns: tuple[str, ...], keys: range | None) -> Select[Any]:
    """Return the query of a part of a table, in the order of its key."""
    table = tables.metadata.tables[name]
    order = [column for column in table.primary_key.columns if column.name != "track_id"]
    query = select(*(table.c[column] for column in columns))
    if keys is None:
        return query.order_by(*table.primary_key.columns)
    key = table.c["track_id"] if "track_id" in table.c else key_column(table)
    return query.where(key >= keys.start, key < keys.stop).order_by(key, *order)


def _columns(table: Table) -> tuple[str, ...]:
    binary = {column.name for column in _binary(table)}
    return tuple(column.name for column in table.columns if column.name not in binary)


def _binary(relation: Table) -> list[Any]:
    return [column for column in relation.columns if isinstance(column.type, LargeBinary)]
