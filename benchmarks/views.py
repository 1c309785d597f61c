"""CPU time of queries on every view: `python -m benchmarks.views [--tracks N] [--url URL]`.

Fills a database (`benchmarks.large_database`, with a second model, AcousticBrainz' numbers, items
of audio files, and analyses of some tracks), then reads from every view its first 100 rows, the
rows of one track, and the first 100 of one genre; `--whole` also counts all rows, reading every
column. `--save FILE` writes the seconds; `--before FILE` shows those of an earlier run beside
them. Without `--url` the database is a new SQLite file; otherwise one without tracks. With
`--filled` it is one that was filled before, and its views are measured as they are.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Timer
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from benchmarks import large_database, synthetic_analyses
from benchmarks.engine_rows import EngineSql
from genrebase.store import bulk, tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.tables import SUBMISSION_NUMBERS

BATCH = 20_000
ANALYSED = 20_000
"""Tracks with an analysis."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GENRE = "genre 5"
LIMIT_SECONDS = 30.0
"""A query that takes longer is ended."""
TIMES = 3


def add_rows(engine: Engine, tracks: int) -> None:
    """Add the rows that `large_database` does not make."""
    moment = tables.as_driver_datetime(NOW, engine.dialect.name)
    with transaction(engine) as connection:
        sql = EngineSql(connection)
        columns = (one.name for one in tables.model.columns)
        copied = ", ".join(name for name in columns if name not in {"id", "status"})
        sql.insert("model", f"id, status, {copied}", f"SELECT 2, 'retired', {copied} FROM model")
        sql.insert(
            "prediction",
            "model_id, track_id, rank, genre_id, probability, regime, in_training, predicted_at",
            "SELECT 2, track_id, 1, CASE WHEN track_id % 10 = 1 THEN genre_id % 200 + 1"
            " ELSE genre_id END, probability, regime, in_training, predicted_at"
            " FROM prediction WHERE model_id = 1 AND rank = 1 ORDER BY track_id",
        )
        numbers = ", ".join(SUBMISSION_NUMBERS)
        values = {"bpm": "120.0", "average_loudness": "0.5", "danceability": "1.0"}
        selected = ", ".join(values.get(name, "NULL") for name in SUBMISSION_NUMBERS)
        sql.insert(
            "acousticbrainz_recording",
            f"track_id, provider, recording_id, origin, rhythm_submissions, {numbers}, fetched_at",
            f"SELECT t.id, 'acousticbrainz', 'r' || r.n, 'acousticbrainz', r.n, {selected},"
            f" {sql.moment('1700000000')}"
            " FROM track t CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2) r"
            " WHERE t.id % 2 = 0 ORDER BY t.id, r.n",
        )
        when = sql.moment("1700000000")
        sql.insert(
            "audio_item",
            "source, item_id, subjects, licence, status, listed_at, updated_at",
            f"SELECT 'jamendo', 'item ' || id, '[]', 'cc-by-4.0', 'open', {when}, {when}"
            " FROM track WHERE id % 4 = 0",
        )
        sql.insert(
            "audio_download",
            "source, item_id, name, position, status, track_id",
            "SELECT 'jamendo', 'item ' || id, 'file ' || r.n, r.n, r.status, id FROM track"
            " CROSS JOIN (SELECT 1 AS n, 'done' AS status UNION ALL SELECT 2, 'failed'"
            " UNION ALL SELECT 3, 'waiting') r WHERE id % 4 = 0",
        )
        analysed = min(tracks, ANALYSED)
        for table, names, rows in synthetic_analyses.rows_of(random.Random(1), analysed, moment):
            for batch in batches(rows):
                bulk.insert(connection, table, names, batch)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield rows in lists of `BATCH`."""
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def cpu_clock(connection: Connection) -> Callable[[], float]:
    """Return a function that returns the CPU seconds of the process that runs the queries."""
    if connection.dialect.name == "sqlite":
        return time.process_time
    driver: Any = connection.connection.driver_connection
    file = Path(f"/proc/{driver.info.backend_pid}/schedstat")
    return lambda: int(file.read_text().split()[0]) / 1e9


def measure(engine: Engine, query: str) -> float | None:
    """Return the CPU seconds of a query, the fewest of `TIMES`; None if it takes too long."""
    with read_transaction(engine) as connection:
        seconds = cpu_clock(connection)
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL max_parallel_workers_per_gather = 0")
            connection.exec_driver_sql("SET LOCAL jit = off")
        took = []
        for _ in range(TIMES):
            stop = Timer(
                LIMIT_SECONDS,
                driver.interrupt if engine.dialect.name == "sqlite" else driver.cancel,
            )
            stop.start()
            began = seconds()
            try:
                connection.exec_driver_sql(query).all()
            except DatabaseError:
                return None
            finally:
                stop.cancel()
            took.append(seconds() - began)
        return min(took)


def queries(name: str, track_id: int, *, whole: bool) -> dict[str, str]:
    """Return the queries on a view, by the heading of their column."""
    columns = views.ALL[name].columns
    found = {"LIMIT 100": f"SELECT * FROM {name} LIMIT 100"}
    if "track_id" in columns:
        found["track"] = f"SELECT * FROM {name} WHERE track_id = {track_id}"
    if "genre" in columns:
        found["genre"] = f"SELECT * FROM {name} WHERE genre = '{GENRE}' LIMIT 100"
    if whole:
        counts = ", ".join(f'count(v."{column}")' for column in columns)
        found["whole"] = f"SELECT {counts} FROM {name} AS v"
    return found


def format_seconds(seconds: float | None) -> str:
    return f"over {LIMIT_SECONDS:.0f}" if seconds is None else f"{seconds:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--url")
    parser.add_argument("--only", help="comma-separated views")
    parser.add_argument("--filled", action="store_true", help="the database is filled already")
    parser.add_argument("--whole", action="store_true", help="read all rows, too")
    parser.add_argument("--save", type=Path, help="a JSON file to write")
    parser.add_argument("--before", type=Path, help="a JSON file of an earlier run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'views.db'}"
        if not given.filled:
            large_database.fill(url, given.tracks, predictions=True)
        engine = make_engine(url)
        with read_transaction(engine) as connection:
            tracks = connection.exec_driver_sql("SELECT max(id) FROM track").scalar_one()
            models = connection.exec_driver_sql("SELECT count(*) FROM model").scalar_one()
        if models == 1:
            add_rows(engine, tracks)
        before = json.loads(given.before.read_text()) if given.before else {}
        results: dict[str, dict[str, float | None]] = {}
        headings = ["LIMIT 100", "track", "genre", *(["whole"] if given.whole else [])]
        print(
            f"{engine.dialect.name}, {tracks:,} tracks: CPU seconds{' (before)' if before else ''}"
        )
        print(f"{'view':<26}" + "".join(f"{one:>20}" for one in headings))
        for name in given.only.split(",") if given.only else views.ALL:
            cells = results[name] = {}
            line = f"{name:<26}"
            measured = queries(name, tracks // 2 // 4 * 4, whole=given.whole)
            for heading in headings:
                cell = ""
                if heading in measured:
                    cells[heading] = measure(engine, measured[heading])
                    cell = format_seconds(cells[heading])
                    if name in before:
                        cell += f" ({format_seconds(before[name][heading])})"
                line += f"{cell:>20}"
            print(line, flush=True)
        engine.dispose()
    if given.save:
        given.save.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
