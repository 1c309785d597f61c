"""Growth of the database over many trainings: `python -m benchmarks.database_growth [--url URL]`.

Trains 200 times on a small database. Labels change before each training and tracks are added
before every tenth, so that every model is new, and some become champion. Prints the size of the
database after every quarter (SQLite: the file and its pages in use; PostgreSQL, `--url` of an
empty database: the sum of its tables after VACUUM), and the size of each table at the end.
"""

import argparse
import csv
import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from sqlalchemy import Engine, func, insert, select

from classifier.serving import batch_predict
from classifier.training import train
from classifier.training_config import TrainingConfig
from collector.imports.dataset import import_dataset
from collector.imports.records import ImportContext
from genrebase.progress import no_progress
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, read_transaction, transaction

GENRES = 20
TRACKS = 1_500
MORE = 20
EVERY = 10
"""Trainings between two imports."""
RELABELLED = 3
"""Verdicts before each training."""
HEADER = ("track_id", "track_name", "artists", "track_genre", "energy", "valence", "loudness")
_TABLES_SQLITE = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 12"
_TABLES_POSTGRESQL = (
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
    "AND relnamespace = current_schema()::regnamespace ORDER BY 2 DESC LIMIT 12"
)
_ALL_POSTGRESQL = (
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
    "AND relnamespace = current_schema()::regnamespace"
)


def rows(first: int, many: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    """Yield tracks whose genre mostly follows from their features."""
    for number in range(first, first + many):
        genre = chance.randrange(GENRES)
        middle = genre / GENRES
        yield (
            f"{number:022d}",
            f"Song {number}",
            f"Artist {chance.randrange(400)}",
            f"genre {genre}",
            min(max(chance.gauss(middle, 0.1), 0), 1),
            min(max(chance.gauss(1 - middle, 0.2), 0), 1),
            -60 * chance.random(),
        )


def import_more(
    engine: Engine, folder: Path, first: int, many: int, chance: random.Random
) -> None:
    """Import more tracks."""
    path = folder / f"tracks {first}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(first, many, chance))
    import_dataset(ImportContext(engine, SystemClock(), no_progress), path)


def relabel(engine: Engine, turn: int, chance: random.Random) -> None:
    """Add verdicts on some tracks."""
    moment = SystemClock().now() + timedelta(seconds=turn)
    with transaction(engine) as connection:
        genres = list(connection.scalars(select(tables.genre.c.id)))
        tracks = list(connection.scalars(select(tables.track.c.id)))
        verdicts = [
            {
                "track_id": track,
                "genre_id": chance.choice(genres),
                "labelled_by": f"person {turn}",
                "labelled_at": moment,
            }
            for track in chance.sample(tracks, RELABELLED)
        ]
        connection.execute(insert(tables.verdict), verdicts)


def size(engine: Engine) -> tuple[int, int]:
    """Return the bytes of the database, and those in use."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
            total = int(connection.exec_driver_sql(_ALL_POSTGRESQL).scalar_one())
        return total, total
    with read_transaction(engine) as connection:
        page, pages, free = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_size", "page_count", "freelist_count")
        )
    return page * pages, page * (pages - free)


def run(engine: Engine, trainings: int, estimator: str, folder: Path) -> None:
    """Train repeatedly and print the size of the database."""
    chance, clock, began = random.Random(1), SystemClock(), perf_counter()
    import_more(engine, folder, 0, TRACKS, chance)
    whole, used = size(engine)
    print(f"{engine.dialect.name}: before: {whole / 1024:,.0f} KiB, {used / 1024:,.0f} in use")
    for turn in range(1, trainings + 1):
        relabel(engine, turn, chance)
        if turn % EVERY == 0:
            import_more(engine, folder, TRACKS + turn * MORE, MORE, chance)
        config = TrainingConfig(estimator=estimator, min_tracks=20)
        train.run(engine, config, clock, log=lambda _: None, cores=1)
        batch_predict.run(engine, clock, progress=no_progress)
        if turn % (trainings // 4) == 0:
            whole, used = size(engine)
            print(
                f"after {turn} trainings: {whole / 1024:,.0f} KiB, {used / 1024:,.0f} in use "
                f"({perf_counter() - began:.0f} s)",
                flush=True,
            )
    query = _TABLES_SQLITE if engine.dialect.name == "sqlite" else _TABLES_POSTGRESQL
    with read_transaction(engine) as connection:
        for name, taken in connection.exec_driver_sql(query):
            print(f"  {name}: {taken / 1024:,.0f} KiB")
        counted = select(tables.model.c.status, func.count()).group_by(tables.model.c.status)
        print(", ".join(f"{number} {status}" for status, number in connection.execute(counted)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainings", type=int, default=200)
    parser.add_argument("--estimator", default="naive_bayes")
    parser.add_argument("--url")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url = given.url or f"sqlite:///{Path(name) / 'trainings.db'}"
        schema_upgrade.upgrade(url)
        engine = make_engine(url)
        run(engine, given.trainings, given.estimator, Path(name))
        engine.dispose()


if __name__ == "__main__":
    main()
