"""Speed and memory of importing dumps of MusicBrainz and AcousticBrainz, on made-up ones.

    python benchmarks/dumps.py [--recordings 1000000] [--folder FOLDER] [--url URL]…

It writes a dump of MusicBrainz with so many recordings and AcousticBrainz' tables with twice as
many submissions, imports both, and repeats the import of MusicBrainz with kills. Without `--url`
it measures SQLite in a temporary folder and PostgreSQL from the test extra. Every measurement runs
in its own process, so that the peak of the resident memory is that import's. Beside it stands what
one would do instead: unpack the tables, and read and join them with pandas.
"""

import argparse
import bz2
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.measuring import databases, peak_mib, print_result, run_in_process, since
from benchmarks.synthetic_dumps import AB_NAME, AcousticBrainzDump, MusicBrainzDump, extract
from collector.datasets.dumps import musicbrainz
from collector.imports.dump_staging import DumpOptions
from collector.imports.dumps import importer
from collector.imports.records import ImportContext
from genrebase.progress import no_progress
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, read_transaction


class Phases:
    """A progress callback that records how long each phase lasts, memory, and disk space."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._began = time.perf_counter()
        self.phases: dict[str, dict[str, float]] = {}
        self.staging_mib = 0

    def __call__(
        self, done: float, *_total: float | None, note: str | None = None, **_details: Any
    ) -> None:
        now = time.perf_counter() - self._began
        name = "read" if note and "read" in note else (note or "end")
        cpu = time.process_time()
        phase = self.phases.setdefault(name, {"from": now, "cpu_from": cpu})
        phase.update(to=now, cpu_to=cpu, rows=done, mib=peak_mib())
        files = self._folder.glob("genrebase-import-*.tmp")
        self.staging_mib = max(self.staging_mib, *(one.stat().st_size >> 20 for one in files), 0)

    def seconds(self, clock: str = "") -> dict[str, float]:
        """Return the seconds between the first report of each phase and that of the next.

        With the clock `cpu_`, those of this process on all cores.
        """
        starts = [*(one[f"{clock}from"] for one in self.phases.values())]
        ends = [*starts[1:], max(one[f"{clock}to"] for one in self.phases.values())]
        return {
            name: round(end - start, 1)
            for name, start, end in zip(self.phases, starts, ends, strict=True)
        }


def run_import(url: str, files: Sequence[Path], options: DumpOptions, progress: Any) -> Any:
    engine = make_engine(url)
    run = importer(files, options)
    if run is None:
        sys.exit("These files are no dump.")
    try:
        return run(ImportContext(engine, SystemClock(), progress))
    finally:
        engine.dispose()


def measure(what: str, url: str, files: Sequence[Path], work_dir: Path) -> None:
    """Import into the database at `url`; print one JSON line."""
    schema_upgrade.upgrade(url)
    phases = Phases(work_dir)
    began = time.perf_counter()
    options = DumpOptions(work_dir, all_genres=what == "musicbrainz")
    imported = run_import(url, files, options, phases)
    seconds = since(began)
    read = phases.phases["read"]
    print_result(
        what,
        engine=url.partition(":")[0],
        rows_read=int(read["rows"]),
        rows_stored=imported.rows,
        tracks_new=imported.tracks_new,
        seconds=seconds,
        seconds_of_phases=phases.seconds(),
        cpu_seconds_of_phases=phases.seconds("cpu_"),
        rows_read_per_second=round(read["rows"] / max(phases.seconds()["read"], 0.1)),
        peak_mib={name: int(one["mib"]) for name, one in phases.phases.items()},
        staging_mib=phases.staging_mib,
        notes=imported.warnings,
    )


def measure_killed(url: str, files: Sequence[Path], work_dir: Path) -> None:
    """Import in processes that are killed after some seconds, until one ends by itself."""
    schema_upgrade.upgrade(url)
    chance, kills, began = random.Random(5), 0, time.perf_counter()
    while True:
        child = multiprocessing.get_context("spawn").Process(
            target=run_import,
            args=(url, files, DumpOptions(work_dir, all_genres=True), no_progress),
        )
        child.start()
        child.join(chance.uniform(5, 60))
        if not child.is_alive():
            break
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        kills += 1
    if child.exitcode:
        sys.exit(child.exitcode)
    print_result("killed", engine=url.partition(":")[0], kills=kills, seconds=since(began))


def compare(undisturbed: str, killed: str) -> None:
    """Print whether two databases hold the same tracks, aliases and sightings."""
    sums = []
    for url in (undisturbed, killed):
        engine = make_engine(url)
        with read_transaction(engine) as connection:
            sighting, track = tables.sighting.c, tables.track.c
            counts = [
                connection.scalar(select(func.count()).select_from(one))
                for one in (tables.track, tables.track_alias, tables.sighting, tables.artist)
            ]
            facts = connection.execute(
                select(func.sum(sighting.best_rank), func.sum(sighting.times))
            ).one()
            names = connection.execute(
                select(track.identity, track.duration_ms, track.release_date, track.genre_id)
                .order_by(track.identity)
                .execution_options(yield_per=10_000)
            )
            digest = hash(tuple(hash(tuple(row)) for row in names))
        sums.append((counts, list(map(int, facts)), digest))
        engine.dispose()
    print_result("the killed import equals the undisturbed one", equal=sums[0] == sums[1])


def measure_decompression(path: Path) -> None:
    """Decompress the archive alone, as one thread of the import does."""
    began, size = time.perf_counter(), 0
    with bz2.open(path) as stream:
        while block := stream.read(1 << 20):
            size += len(block)
    seconds = since(began)
    print_result(
        "bz2 alone, one thread",
        mib=size >> 20,
        seconds=seconds,
        mib_per_second=round((size >> 20) / seconds, 1),
    )


def measure_pandas(files: Sequence[Path], folder: Path) -> None:
    """Unpack the tables, read them with pandas, and join tags, artists, releases and names."""
    import pandas as pd  # only this measurement needs it

    began = time.perf_counter()
    for path in files:
        extract(path, folder, [f"{musicbrainz.FOLDER}{one}" for one in musicbrainz.LOADED])
    unpacked = since(began)
    frames = {
        table: pd.read_csv(
            folder / musicbrainz.FOLDER / table,
            sep="\t",
            names=list(musicbrainz.COLUMNS[table]),
            usecols=list(loaded.wanted),
            na_values=[r"\N"],
            keep_default_na=False,
            quoting=3,
            escapechar="\\",
        )
        for table, loaded in musicbrainz.LOADED.items()
    }
    read = since(began)
    rows = sum(map(len, frames.values()))
    releases = frames["medium"].merge(
        frames["release"], left_on="release", right_on="id", suffixes=("_medium", "")
    )
    on_groups = frames["track"].merge(releases, left_on="medium", right_on="id_medium")
    on_groups = on_groups[["recording", "release_group"]].drop_duplicates()
    group_tags = on_groups.merge(frames["release_group_tag"], on="release_group")
    tagged = group_tags.groupby(["recording", "tag"], as_index=False)["count"].max()
    artist_tags = frames["artist_credit_name"].merge(frames["artist_tag"], on="artist")
    by_credit = artist_tags.groupby(["artist_credit", "tag"], as_index=False)["count"].sum()
    by_artist = frames["recording"].merge(by_credit, on="artist_credit")
    labels = pd.concat([frames["recording_tag"], tagged, by_artist.rename({"id": "recording"})])
    seconds = since(began)
    print_result(
        "pandas: unpack, read and join, nothing stored",
        rows_read=rows,
        labels=len(labels),
        seconds=seconds,
        seconds_of_phases={"unpack": unpacked, "read": round(read - unpacked, 1)},
        cpu_seconds=round(time.process_time(), 1),
        rows_read_per_second=round(rows / (read or 1)),
        peak_mib=peak_mib(),
    )


def measure_pandas_acousticbrainz(files: Sequence[Path], folder: Path) -> None:
    """Read the three tables with pandas, and take the medians by recording."""
    import pandas as pd  # only this measurement needs it
    import pyarrow as pa

    began, rows = time.perf_counter(), 0
    for path in files:
        with pa.input_stream(str(path), compression="zstd") as packed:
            (folder / "unpacked.tar").write_bytes(packed.read())
        import tarfile

        with tarfile.open(folder / "unpacked.tar") as archive:
            name = f"{AB_NAME}/{path.name.removesuffix('.tar.zst')}.csv"
            frame = pd.read_csv(archive.extractfile(name))  # type: ignore[arg-type]
        rows += len(frame)
        frame.groupby("mbid").median(numeric_only=True)
    print_result(
        "pandas: medians of AcousticBrainz, nothing stored",
        rows_read=rows,
        seconds=since(began),
        cpu_seconds=round(time.process_time(), 1),
        rows_read_per_second=round(rows / since(began)),
        peak_mib=peak_mib(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the dumps here, or take them from here")
    parser.add_argument("--url", action="append", help="an empty database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genrebase-dumps-") as name:
        folder = Path(name)
        kept = options.folder or folder
        core, derived = kept / "mbdump.tar.bz2", kept / "mbdump-derived.tar.bz2"
        began = time.perf_counter()
        if not derived.exists():
            MusicBrainzDump(options.recordings).write(kept)
            AcousticBrainzDump(2 * options.recordings, options.recordings).write(kept)
        sizes = {one.name: one.stat().st_size >> 20 for one in sorted(kept.glob("*.tar.*"))}
        print_result("dumps written", mib=sizes, seconds=since(began))
        numbers = sorted(kept.glob(f"{AB_NAME}-*.tar.zst"))
        for url in options.url or databases(folder):
            run_in_process(measure, "musicbrainz", url, [core, derived], folder)
            run_in_process(measure, "acousticbrainz", url, numbers, folder)
        run_in_process(measure_decompression, core)
        run_in_process(measure_pandas, [core, derived], folder)
        run_in_process(measure_pandas_acousticbrainz, numbers, folder)
        if not options.url:
            killed = f"sqlite:///{folder / 'killed.db'}"
            measure_killed(killed, [core, derived], folder)
            compare(f"sqlite:///{folder / 'import.db'}", killed)


if __name__ == "__main__":
    main()
