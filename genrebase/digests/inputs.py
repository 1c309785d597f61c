"""Load what the digests are computed from into DuckDB: few columns of whole tables."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlalchemy import Select, select

from genrebase.lake import duckdb_views
from genrebase.lake.duckdb_views import TableColumns, create_table
from genrebase.lake.tables_to_arrow import ArrowReader
from genrebase.store import tables
from genrebase.store.tables import FEATURES
from genrebase.store.views.candidates import MAX_CANDIDATE_RANK

COMPILED: Final = (
    "acousticbrainz_profiles",
    "catalogue_counts",
    "data_sources",
    "genre_progress",
    "genre_mappings",
    "genre_overlaps",
)
"""Views whose own SELECT DuckDB runs."""

_COLUMNS: Final[TableColumns] = {
    "genre": ("id", "name"),
    "verdict": ("track_id", "labelled_by", "genre_id", "labelled_at"),
    "track": ("id", "genre_id", "release_year", "popularity", "features_provider"),
    "sighting": ("track_id", "genre_id"),
    "audio_features": ("track_id", "provider", *FEATURES),
}
"""What the other digests read."""

LIVE: Final = ("genre_progressions", "genre_confusions", "cluster_genres")
"""Views on tables of results, which the database itself computes."""

LABEL: Final = """
    CREATE VIEW labelled_track AS
    SELECT track.*, coalesce(latest.genre_id, track.genre_id) AS label_id
    FROM track LEFT JOIN (
        SELECT track_id, arg_max(genre_id, (labelled_at, labelled_by)) AS genre_id
        FROM verdict GROUP BY track_id
    ) AS latest ON latest.track_id = track.id
"""
"""Of two verdicts of the same time the one whose author's name sorts last counts."""

_IDS_PER_QUERY: Final = 5_000


def load(reader: ArrowReader, duck: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that digests read, and `LIVE` views as tables."""
    compiled = duckdb_views.columns_read(COMPILED)
    for name in sorted(compiled.keys() | _COLUMNS):
        columns = dict.fromkeys((*_COLUMNS.get(name, ()), *compiled.get(name, ())))
        create_table(duck, name, reader.table(name, list(columns)))
    duck.execute("CREATE VIEW genre_name AS SELECT id, name FROM genre").fetchall()
    duck.execute(LABEL).fetchall()
    for name in LIVE:
        create_table(duck, name, reader.table(name))


def load_named(
    reader: ArrowReader, duck: duckdb.DuckDBPyConnection, track_ids: Sequence[int]
) -> None:
    """Create the tables `named`, with the titles of these tracks, and `answer`.

    `answer` has all predictions of the champion for these tracks.
    """
    track, prediction = tables.track, tables.prediction
    titles = select(track.c.id, track.c.title, track.c.artists)
    create_table(duck, "named", _of_tracks(reader, titles, track.c.id, track_ids))
    answers = select(prediction).where(prediction.c.model_id == champion_id(duck))
    create_table(duck, "answer", _of_tracks(reader, answers, prediction.c.track_id, track_ids))


def _of_tracks(
    reader: ArrowReader, query: Select[Any], track_id: Any, track_ids: Sequence[int]
) -> pa.Table:
    """Return the rows of a query that are of these tracks."""
    parts = [
        reader.query(query.where(track_id.in_(chunk))).read_all()
        for chunk in _chunks(track_ids) or [[]]
    ]
    return pa.concat_tables(parts)


def champion_id(duck: duckdb.DuckDBPyConnection) -> int:
    """Return the id of the champion of the task main, 0 where there is none."""
    row = duck.execute("SELECT coalesce(max(id), 0) FROM champion").fetchall()[0]
    return int(row[0])


def load_predictions(reader: ArrowReader, duck: duckdb.DuckDBPyConnection) -> None:
    """Create the tables `champion`, `champion_class` (its genres) and `prediction`."""
    model, prediction = tables.model, tables.prediction
    champion = reader.query(
        select(model.c.id, model.c.feature_schema).where(
            model.c.task == "main", model.c.status == "champion"
        )
    ).read_all()
    create_table(duck, "champion", champion.select(["id"]))
    classes = [
        str(name)
        for schema in champion.column("feature_schema").to_pylist()
        for name in (json.loads(schema) or {}).get("classes") or ()
    ]
    create_table(duck, "champion_class", pa.table({"name": pa.array(classes, pa.string())}))
    query = select(
        prediction.c.track_id, prediction.c.genre_id, prediction.c.probability, prediction.c.rank
    ).where(
        prediction.c.model_id + 0 == champion_id(duck),  # the whole table: 7 times faster than
        prediction.c.rank + 0 <= MAX_CANDIDATE_RANK,  # a look-up for each entry of the index
    )
    create_table(duck, "prediction", reader.query(query))


def _chunks(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return [
        values[start : start + _IDS_PER_QUERY] for start in range(0, len(values), _IDS_PER_QUERY)
    ]
