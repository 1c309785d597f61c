"""Compute digests: read the tables as Arrow batches, aggregate them in DuckDB.

All digests of one computation show one state of the database.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from genrebase.digests import dispute_queries, feature_queries, inputs
from genrebase.digests.definitions import DIGESTS, OF_PREDICTIONS, WHOLE, Digest
from genrebase.lake.duckdb_views import open_duckdb, view_sql
from genrebase.lake.tables_to_arrow import ArrowReader, arrow_readers
from genrebase.runtime.clock import Clock
from genrebase.store import views
from genrebase.store.engine import Engine
from genrebase.store.settings import StoreSettings

Row = tuple[Any, ...]

_MAX_READERS: Final = 2
"""Of each reader the database runs one query at a time."""


@dataclass(frozen=True, slots=True)
class ComputedView:
    """The rows of one view, as its digests."""

    view: str
    documents: Mapping[str, Sequence[Row]]
    """The rows under each key, in the columns of the view."""
    seconds: float

    @property
    def rows(self) -> int:
        """The number of rows under all keys."""
        return sum(map(len, self.documents.values()))


@dataclass(frozen=True, slots=True)
class DigestComputation:
    """The results of one computation."""

    views: Sequence[ComputedView]
    reading_seconds: float
    """The time to read the tables."""


def compute(
    engine: Engine, clock: Clock, threads: int, without: Sequence[str] = ()
) -> DigestComputation:
    """Compute all digests of the database as it is now, but for those of the views `without`.

    Predictions are read only for `OF_PREDICTIONS`, of which all or none are left out.
    On SQLite others cannot commit while the tables are read, unless it has a write-ahead log.
    """
    predictions = not set(OF_PREDICTIONS) <= set(without)
    chosen = [view for view in dict.fromkeys(one.view for one in DIGESTS) if view not in without]
    others = [view for view in chosen if view not in OF_PREDICTIONS]
    with open_duckdb(threads) as duck, ThreadPoolExecutor(1) as pool:
        began = clock.monotonic()
        with arrow_readers(engine, min(threads, _MAX_READERS)) as readers:
            inputs.load(readers, duck, predictions=predictions)
            # the database looks up the disputes while DuckDB computes what does not need them
            computed = pool.submit(_compute_others, duck, others, clock)
            if predictions:
                _load_disputes(readers[0], duck)
        read = clock.monotonic()
        by_view = {one.view: one for one in computed.result()}
        for view in chosen:
            if view not in by_view:
                by_view[view] = _compute_view(duck, view, clock)
    return DigestComputation([by_view[view] for view in chosen], read - began)


def _compute_others(
    duck: duckdb.DuckDBPyConnection, names: Sequence[str], clock: Clock
) -> list[ComputedView]:
    """Compute the digests of views that need no predictions."""
    with duck.cursor() as cursor:
        cursor.execute(feature_queries.labelled()).fetchall()
        cursor.execute(feature_queries.WITHOUT_FEATURES).fetchall()
        return [_compute_view(cursor, name, clock) for name in names]


def _load_disputes(reader: ArrowReader, duck: duckdb.DuckDBPyConnection) -> None:
    """Create the table `label_disputes` with the rows that digests have."""
    duck.execute(dispute_queries.DISPUTES).fetchall()
    first = [
        dispute_queries.first_disputes(one.limit or 0, tuple(one.keys))
        for one in DIGESTS
        if one.view == "label_disputes"
    ]
    track_ids = duck.execute(" UNION ".join(first)).fetchall()
    inputs.load_disputes(reader, duck, sorted(track_id for (track_id,) in track_ids))
    duck.execute("DROP TABLE prediction").fetchall()


def _compute_view(duck: duckdb.DuckDBPyConnection, view: str, clock: Clock) -> ComputedView:
    began = clock.monotonic()
    rows = f"rows_{view}"
    duck.execute(f"CREATE TABLE {rows} AS {_query(view)}").fetchall()
    documents: dict[str, Sequence[Row]] = {}
    for one in DIGESTS:
        if one.view == view:
            documents |= _documents(one, duck.execute(_sorted(one, rows)).fetchall())
    duck.execute(f"DROP TABLE {rows}").fetchall()
    return ComputedView(view, documents, clock.monotonic() - began)


def _query(view: str) -> str:
    if view in inputs.COMPILED:
        return view_sql(view, StoreSettings.load().feature_order)
    return _QUERIES.get(view, f"FROM {view}")


_QUERIES: Final = {
    "genre_profiles": feature_queries.profiles(),
    "genre_histograms": feature_queries.histograms(),
    "genre_trends": feature_queries.trends(),
    "genre_popularity": feature_queries.popularity(),
    "dispute_counts": dispute_queries.DISPUTE_COUNTS,
}


def _sorted(digest: Digest, rows: str) -> str:
    columns = ", ".join(f'"{name}"' for name in views.ALL[digest.view].columns)
    condition = f" WHERE {digest.condition}" if digest.condition else ""
    limit = f" LIMIT {digest.limit}" if digest.limit is not None and not digest.keys else ""
    return f"SELECT {columns} FROM {rows}{condition} ORDER BY {digest.order}{limit}"  # noqa: S608 - our names


def _documents(digest: Digest, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows under each key; without key columns, all under `WHOLE`."""
    if not digest.keys:
        return {WHOLE: list(rows)}
    names = list(views.ALL[digest.view].columns)
    documents: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for key in (str(row[names.index(name)]) for name in digest.keys):
            if digest.limit is None or len(documents[key]) < digest.limit:
                documents[key].append(row)
    return dict(documents)
