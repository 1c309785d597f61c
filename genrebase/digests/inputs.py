"""Load what the digests are computed from into DuckDB: few columns of whole tables."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlalchemy import Select, select

from genrebase.lake import duckdb_views
from genrebase.lake.duckdb_views import TableColumns, create_table
from genrebase.lake.tables_to_arrow import ArrowReader
from genrebase.store import tables, views
from genrebase.store.settings import StoreSettings
from genrebase.store.tables import FEATURES
from genrebase.store.views.review import MIN_DISPUTE_PROBABILITY

COMPILED: Final = (
    "acousticbrainz_profiles",
    "catalogue_counts",
    "data_sources",
    "genre_progress",
    "genre_mappings",
    "genre_overlaps",
    "genre_sharing",
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

_LARGE: Final = ("audio_features", "prediction", "track", "genre_candidates", "sighting")
"""What takes longest to read, and is begun first."""

_IDS_PER_QUERY: Final = 5_000


def load(
    readers: Sequence[ArrowReader], duck: duckdb.DuckDBPyConnection, *, predictions: bool
) -> None:
    """Create the tables that digests read, and `LIVE` views as tables.

    Each reader reads one table at a time. Without `predictions`, those of `OF_PREDICTIONS` are
    left out.
    """
    queries = _tables()
    if predictions:
        queries |= _predictions(readers[0], duck)
    free: SimpleQueue[ArrowReader] = SimpleQueue()
    for one in readers:
        free.put(one)

    def read(name: str) -> None:
        reader = free.get()
        with duck.cursor() as cursor:
            create_table(cursor, name, reader.query(queries[name]))
        free.put(reader)

    order = sorted(queries, key=lambda name: name not in _LARGE)
    with ThreadPoolExecutor(len(readers)) as pool:
        for _ in pool.map(read, order):
            pass
    duck.execute("CREATE VIEW genre_name AS SELECT id, name FROM genre").fetchall()
    duck.execute(LABEL).fetchall()


def _tables() -> dict[str, Select[Any]]:
    compiled = duckdb_views.columns_read(COMPILED, StoreSettings.load().feature_order)
    queries = {}
    for name in sorted(compiled.keys() | _COLUMNS):
        columns = dict.fromkeys((*_COLUMNS.get(name, ()), *compiled.get(name, ())))
        table = tables.metadata.tables[name]
        queries[name] = select(*(table.c[column] for column in columns))
    return queries | {name: select(views.ALL[name].table) for name in LIVE}


def _predictions(reader: ArrowReader, duck: duckdb.DuckDBPyConnection) -> dict[str, Select[Any]]:
    """Create the table `champion_class` (its genres); return the queries of two other tables.

    `prediction` has the first predictions of the tracks that may be in `label_disputes`. The
    candidates are computed by the database: its index has those of each genre.
    """
    model, prediction = tables.model, tables.prediction
    champion = reader.query(
        select(model.c.id, model.c.feature_schema).where(
            model.c.task == "main", model.c.status == "champion"
        )
    ).read_all()
    classes = [
        str(name)
        for schema in champion.column("feature_schema").to_pylist()
        for name in (json.loads(schema) or {}).get("classes") or ()
    ]
    create_table(duck, "champion_class", pa.table({"name": pa.array(classes, pa.string())}))
    champion_id = max(champion.column("id").to_pylist(), default=0)
    first = select(prediction.c.track_id, prediction.c.genre_id, prediction.c.probability).where(
        prediction.c.model_id + 0 == champion_id,  # the whole table: 7 times faster than
        prediction.c.rank + 0 == 1,  # a look-up for each entry of the index
        prediction.c.probability >= MIN_DISPUTE_PROBABILITY,
    )
    return {"prediction": first, "genre_candidates": select(views.ALL["genre_candidates"].table)}


def load_disputes(
    reader: ArrowReader, duck: duckdb.DuckDBPyConnection, track_ids: Sequence[int]
) -> None:
    """Create the table `label_disputes`: the view's rows of these tracks."""
    view = views.ALL["label_disputes"].table
    parts = [
        reader.query(select(view).where(view.c.track_id.in_(chunk))).read_all()
        for chunk in _chunks(track_ids) or [[]]
    ]
    create_table(duck, "label_disputes", pa.concat_tables(parts))


def _chunks(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return [
        values[start : start + _IDS_PER_QUERY] for start in range(0, len(values), _IDS_PER_QUERY)
    ]
