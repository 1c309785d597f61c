"""Speed and memory of a dataset import, compared with a plain `executemany`.

    python benchmarks/dataset_import.py FILE [--url URL]… [--again]
    python benchmarks/dataset_import.py --generate 1200000 [--url URL]…
    python benchmarks/dataset_import.py --generate 100000 --writers 2 [--shared] [--url URL]

Without `--url` it measures SQLite in a temporary folder and PostgreSQL from the test extra, both
with foreign keys on. Every measurement runs in its own process, so that the peak of the resident
memory is that import's. The plain insert writes the same rows, as text, into one table without
keys. CPU seconds are those of the importing process; on SQLite the engine is part of it.

`--writers N` compares one import on PostgreSQL with N at once, each of a file of its own, three
times in turn. The files have different tracks of the same artists and genres; with `--shared` most
tracks are in all of them. It prints the CPU seconds of the importers and of the server.
"""

import argparse
import csv
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from itertools import islice
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Queue

from alembic import command
from sqlalchemy import Column, MetaData, Table, Text, text

from benchmarks.measuring import databases, peak_mib, print_result, run_in_process, since
from collector.datasets import reader
from collector.imports.dataset import batch_rows, import_dataset
from collector.imports.records import ImportContext
from genrebase.progress import no_progress
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine, transaction


class Memory:
    """A progress callback that records the peak of the resident memory."""

    def __init__(self) -> None:
        self.peaks: list[tuple[int, int]] = []

    def __call__(self, done: float, *_total: float | None, **_details: object) -> None:
        self.peaks.append((int(done), peak_mib()))


def generate(path: Path, rows: int, seed: int = 1, first: int = 0) -> None:
    """Write a dataset of 120 genres; a third of the rows repeat a track.

    Its tracks have numbers from `first` on.
    """
    chance = random.Random(seed)
    header = ("track_id", "artists", "album_name", "track_name", "popularity", "duration_ms")
    features = ("explicit", "danceability", "energy", "key", "loudness", "mode", "tempo")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*header, *features, "track_genre"))
        for row in range(rows):
            number = first + chance.randrange(rows)
            writer.writerow(
                (
                    f"{number:022d}",
                    f"Artist {number % 90_001};Guest {number % 31}",
                    f"Album {number // 10}",
                    f"Song {number // 2} of the night",
                    number % 101,
                    120_000 + number % 200_000,
                    bool(number % 2),
                    round(chance.random(), 3),
                    round(chance.random(), 3),
                    number % 12,
                    -round(chance.random() * 20, 3),
                    number % 2,
                    round(60 + chance.random() * 120, 3),
                    f"genre {row * 120 // rows}",
                )
            )


def measure(url: str, path: Path, again: bool) -> None:
    """Import `path` into an empty database at `url`; print one JSON line per import."""
    schema_upgrade.upgrade(url)
    engine = make_engine(url)
    for what in ("import", "import again")[: 1 + again]:
        memory = Memory()
        cpu = time.process_time()
        imported = import_dataset(ImportContext(engine, SystemClock(), memory), path)
        cpu = time.process_time() - cpu
        quarter = memory.peaks[len(memory.peaks) // 4][1]
        print_result(
            what,
            engine=engine.dialect.name,
            rows=imported.rows,
            tracks_new=imported.tracks_new,
            seconds=imported.seconds,
            rows_per_second=imported.rows_per_second,
            cpu_us_per_row=round(cpu / imported.rows * 1e6, 1),
            peak_mib_at_a_quarter=quarter,
            peak_mib_at_the_end=memory.peaks[-1][1],
        )
    with transaction(engine) as connection:
        views = connection.dialect.get_view_names(connection)
        for view in sorted(views):
            began = time.perf_counter()
            connection.execute(text(f"SELECT * FROM {view} LIMIT 100")).all()
            print_result("view", engine=engine.dialect.name, view=view, seconds=since(began))
    engine.dispose()


def measure_plain_insert(url: str, path: Path) -> None:
    """Write the same rows as text into one table, with `executemany`."""
    engine = make_engine(url)
    with reader.open_dataset(path) as dataset:
        names = [f"c{index}" for index in range(len(dataset.header))]
        flat = Table("flat_import", MetaData(), *(Column(name, Text) for name in names))
        flat.drop(engine, checkfirst=True)
        flat.create(engine)
        began, rows = time.perf_counter(), 0
        mark = "?" if engine.dialect.name == "sqlite" else "%s"
        insert = f"INSERT INTO flat_import VALUES ({', '.join([mark] * len(names))})"
        stream = (tuple(row) for row in dataset.rows() if row is not None)
        while batch := list(islice(stream, batch_rows(engine))):
            with transaction(engine) as connection:
                connection.exec_driver_sql(insert, batch)
            rows += len(batch)
        seconds = since(began)
    flat.drop(engine)
    engine.dispose()
    print_result(
        "plain executemany",
        engine=engine.dialect.name,
        rows=rows,
        seconds=seconds,
        rows_per_second=round(rows / seconds, 1),
    )


def import_once(url: str, path: Path, start: Barrier, times: "Queue[float]") -> None:
    engine = make_engine(url)
    start.wait()
    times.put(time.perf_counter())
    cpu = time.process_time()
    imported = import_dataset(ImportContext(engine, SystemClock(), no_progress), path)
    times.put(time.perf_counter())
    print_result(
        "one of the imports",
        seconds=imported.seconds,
        tracks_new=imported.tracks_new,
        cpu_us_per_row=round((time.process_time() - cpu) / imported.rows * 1e6, 1),
    )
    engine.dispose()


def compare_writers(folder: Path, rows: int, writers: int, url: str, *, shared: bool) -> None:
    """Import one file, and several at once, into empty databases at `url`, three times in turn."""
    paths = [folder / f"{number}.csv" for number in range(writers)]
    for number, path in enumerate(paths):
        generate(path, rows, seed=number, first=0 if shared else number * rows)
    seconds: dict[int, list[float]] = {1: [], writers: []}
    for count in (1, writers) * 3:
        command.downgrade(schema_upgrade.alembic_config(url), "base")
        schema_upgrade.upgrade(url)
        server = _server_cpu(url)
        spawn = multiprocessing.get_context("spawn")
        start, times = spawn.Barrier(count), spawn.Queue()
        children = [
            spawn.Process(target=import_once, args=(url, path, start, times))
            for path in paths[:count]
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
        moments = [times.get() for _ in range(2 * count)]
        seconds[count].append(round(max(moments) - min(moments), 3))
        used = _server_cpu(url) - server
        print_result(
            "writers",
            writers=count,
            seconds=seconds[count][-1],
            server_cpu_us_per_row=round(used / rows / count * 1e6, 1),
        )
    one, several = (statistics.median(seconds[count]) for count in (1, writers))
    print_result("speed-up", writers=writers, times=round(writers * one / several, 2))


def _server_cpu(url: str) -> float:
    """Return the CPU seconds of a PostgreSQL server on this host and of its ended sessions."""
    engine = make_engine(url)
    with engine.connect() as connection:
        folder = connection.scalar(text("SHOW data_directory"))
    engine.dispose()
    pid = Path(str(folder), "postmaster.pid").read_text().split()[0]
    stat = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--generate", type=int, metavar="ROWS")
    parser.add_argument("--url", action="append", help="an empty database")
    parser.add_argument("--again", action="store_true", help="also import a second time")
    parser.add_argument("--writers", type=int, help="import so many files at once (PostgreSQL)")
    parser.add_argument("--shared", action="store_true", help="files that share their tracks")
    options = parser.parse_args()
    if (options.file is None) == (options.generate is None):
        parser.error("give a file, or --generate ROWS")
    with tempfile.TemporaryDirectory(prefix="genrebase-import-") as name:
        folder = Path(name)
        path, servers = options.file, databases(folder)
        if options.writers:
            url = options.url[0] if options.url else list(islice(servers, 2))[1]
            compare_writers(folder, options.generate, options.writers, url, shared=options.shared)
            return
        if path is None:
            path = folder / "generated.csv"
            generate(path, options.generate)
        for url in options.url or servers:
            run_in_process(measure_plain_insert, url, path)
            run_in_process(measure, url, path, options.again)


if __name__ == "__main__":
    main()
