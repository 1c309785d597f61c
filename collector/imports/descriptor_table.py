"""Import a table that describes sound files by numbers: tracks with genres and descriptors."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from collector.catalogue import audio_files, import_progress, tracks
from collector.datasets import reader
from collector.datasets.descriptor_table import DescribedRows, Layout, layout
from collector.datasets.reader import Broken, Dataset
from collector.datasets.rows import Rejection
from collector.imports import rejects_file
from collector.imports.dataset import JOB, PROVIDER, Imported, refuse_invented
from collector.records import Delivery, FoundTrack, Recorded, Seen
from genrebase.audio import packed_vectors
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.runtime.progress import Advance
from genrebase.store.engine import Engine, transaction

BATCH: Final = 2_000
"""Rows of one transaction."""

Row = tuple[int, FoundTrack, str | None, int, bytes]
"""Number, track, genre, rank, packed values."""


def fits(path: Path, genre_column: str | None, encoding: str) -> bool:
    """Say whether a table describes sound files by numbers."""
    with reader.open_dataset(path, encoding) as dataset:
        return _opened(dataset, genre_column)[0] is not None


def import_described(
    engine: Engine,
    path: Path,
    clock: Clock,
    advance: Advance,
    *,
    genre_column: str | None = None,
    encoding: str = reader.UTF8,
    rejected: Path | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> Imported:
    """Import the table in `path`, which `fits`; its set of values is called as the file is.

    Raises as `import_dataset` does, and `OtherColumns` where the set's name is taken. Doing it
    again, or again after a kill, does no harm.
    """
    began = clock.monotonic()
    refuse_invented(engine)
    with reader.open_dataset(path, encoding) as dataset:
        at, rows = _opened(dataset, genre_column)
        if at is None:
            raise reader.NotADataset(f"{path} does not describe sound files.")
        with (
            rejects_file.table(rejected, ("row", "reason")) as note,
            job_run(engine, clock, JOB) as run,
        ):
            importing = _Importing(engine, clock, path, at, note)
            done, stopped = 0, False
            while batch := list(islice(rows, BATCH)):
                if stopped := stop_requested():
                    break
                importing.record(batch, done)
                done += len(batch)
                advance(done, total=dataset.estimated_rows(done), about=not dataset.exact)
            if stopped:
                run.outcome("interrupted")
            else:
                advance(done, total=done)
                importing.finish()
            run.note(file=path.name, rows=done, tracks_new=importing.total.tracks_new)
    seconds = clock.monotonic() - began
    total, reasons = importing.total, importing.reasons
    return Imported(
        rows=done,
        tracks_new=total.tracks_new,
        duplicates=total.duplicates,
        rejected=reasons.total(),
        reasons={str(reason): n for reason, n in sorted(reasons.items())},
        unlabelled=importing.unlabelled,
        genres=len(importing.ranks),
        seconds=round(seconds, 3),
        rows_per_second=round(done / seconds, 1) if seconds > 0 else 0.0,
        unreadable={
            dataset.header[place]: n
            for place, n in sorted(importing.reading.unreadable.items())
            if n
        },
        claims_moved=0,
        similar_genres=[],
        stopped="interrupted" if stopped else "done",
        described=total.tracks_new + total.duplicates,
    )


def _opened(
    dataset: Dataset, genre_column: str | None
) -> tuple[Layout | None, Iterator[reader.Cells | Broken]]:
    rows = dataset.rows()
    before = list(islice(rows, 1))
    first = before[0] if before and not isinstance(before[0], Broken) else ()
    return layout(dataset.header, first, genre_column), chain(before, rows)


class _Importing:
    """One import under way."""

    def __init__(self, engine: Engine, clock: Clock, path: Path, at: Layout, note: Any) -> None:
        self._engine, self._clock, self._note = engine, clock, note
        self._name, self._schema = path.name, path.name.split(".")[0]
        self._sha256 = reader.fingerprint(path).hexdigest()
        self._delivery = Delivery(origin=f"csv:{path.name}", provider=PROVIDER)
        self._source = self._delivery.origin
        self.reading = DescribedRows(at, path)
        self.ranks: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.unlabelled = 0
        self.total = Recorded()
        with transaction(engine) as connection:
            audio_files.define(connection, self._schema, at.columns)

    def record(self, batch: Sequence[reader.Cells | Broken], before: int) -> None:
        """Record rows, the first of which is number `before` + 1."""
        found = list(self._read(batch, before))
        now = self._clock.now()
        with transaction(self._engine) as connection:
            counted = import_progress.rows_counted(connection, self._sha256, self._name)
            seen = [
                Seen(track, genre, rank, row > counted) for row, track, genre, rank, _ in found
            ]
            self.total += tracks.record(connection, seen, self._delivery, now)
            packed = {track.source_id: values for _, track, _, _, values in found}
            ids = audio_files.track_ids(connection, self._source, list(packed))
            described = {ids[name]: values for name, values in packed.items()}
            audio_files.describe(connection, described, PROVIDER, self._schema, now)
            import_progress.count(connection, self._sha256, before + len(batch))

    def _read(self, batch: Sequence[reader.Cells | Broken], before: int) -> Iterator[Row]:
        for number, cells in enumerate(batch, before + 1):
            read = cells if isinstance(cells, Broken) else self.reading.read(cells)
            if isinstance(read, Rejection | Broken):
                self.reasons[read] += 1
                self._note.writerow((number, read))
                continue
            track, genre, values = read
            rank = 0
            if genre is None:
                self.unlabelled += 1
            else:
                rank = self.ranks[genre]
                self.ranks[genre] += 1
            yield number, track, genre, rank, packed_vectors.pack(values)

    def finish(self) -> None:
        """Say that the file is imported whole."""
        with transaction(self._engine) as connection:
            import_progress.finish(connection, self._sha256, self._clock.now())
