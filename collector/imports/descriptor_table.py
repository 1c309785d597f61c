"""Import a table that describes sound files by numbers: tracks with genres and descriptors."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from collector.catalogue import audio_files, import_progress, tracks
from collector.datasets import reader
from collector.datasets.descriptor_table import (
    DescriptorColumns,
    DescriptorRowParser,
    find_descriptor_columns,
)
from collector.datasets.reader import BrokenRow, DatasetReader
from collector.datasets.rows import RowRejection
from collector.imports.dataset import JOB, PROVIDER, ImportResult, refuse_synthetic_catalogue
from collector.records import Provenance, RecordResult, SourceTrack, TrackObservation
from genrebase.audio import packed_vectors
from genrebase.progress import ProgressCallback
from genrebase.runtime import new_file
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store.engine import Engine, transaction

BATCH_ROWS: Final = 2_000
"""Rows of one transaction."""

Row = tuple[int, SourceTrack, str | None, int, bytes]
"""Number, track, genre, rank, packed values."""


def is_descriptor_table(path: Path, genre_column: str | None, encoding: str) -> bool:
    """Say whether a table describes sound files by numbers."""
    with reader.open_dataset(path, encoding) as dataset:
        return _opened(dataset, genre_column)[0] is not None


def import_descriptor_table(
    engine: Engine,
    path: Path,
    clock: Clock,
    advance: ProgressCallback,
    *,
    genre_column: str | None = None,
    encoding: str = reader.DEFAULT_ENCODING,
    rejected: Path | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Import the table in `path`, which `is_descriptor_table`; its set of values is called as the file is.

    Raises as `import_dataset` does, and `OtherColumns` where the set's name is taken. Doing it
    again, or again after a kill, does no harm.
    """
    began = clock.monotonic()
    refuse_synthetic_catalogue(engine)
    with reader.open_dataset(path, encoding) as dataset:
        at, rows = _opened(dataset, genre_column)
        if at is None:
            raise reader.NotADataset(f"{path} does not describe sound files.")
        with (
            new_file.create_csv(rejected, ("row", "reason")) as note,
            job_run(engine, clock, JOB) as run,
        ):
            importing = _Importing(engine, clock, path, at, note)
            done, stopped = 0, False
            while batch := list(islice(rows, BATCH_ROWS)):
                if stopped := stop_requested():
                    break
                importing.record(batch, done)
                done += len(batch)
                advance(
                    done, total=dataset.estimate_rows(done), estimated=not dataset.has_exact_count
                )
            if stopped:
                run.set_outcome("interrupted")
            else:
                advance(done, total=done)
                importing.finish()
            run.set_facts(file=path.name, rows=done, tracks_new=importing.total.tracks_new)
    seconds = clock.monotonic() - began
    total, reasons = importing.total, importing.reasons
    return ImportResult(
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
            for place, n in sorted(importing.reading.unreadable_cells.items())
            if n
        },
        claims_moved=0,
        similar_genres=[],
        stopped="interrupted" if stopped else "done",
        described=total.tracks_new + total.duplicates,
    )


def _opened(
    dataset: DatasetReader, genre_column: str | None
) -> tuple[DescriptorColumns | None, Iterator[reader.Row | BrokenRow]]:
    rows = dataset.rows()
    before = list(islice(rows, 1))
    first = before[0] if before and not isinstance(before[0], BrokenRow) else ()
    return find_descriptor_columns(dataset.header, first, genre_column), chain(before, rows)


class _Importing:
    """One import under way."""

    def __init__(
        self, engine: Engine, clock: Clock, path: Path, at: DescriptorColumns, note: Any
    ) -> None:
        self._engine, self._clock, self._note = engine, clock, note
        self._name, self._schema = path.name, path.name.split(".")[0]
        self._sha256 = reader.file_digest(path).hexdigest()
        self._delivery = Provenance(origin=f"csv:{path.name}", provider=PROVIDER)
        self._source = self._delivery.origin
        self.reading = DescriptorRowParser(at, path)
        self.ranks: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.unlabelled = 0
        self.total = RecordResult()
        with transaction(engine) as connection:
            audio_files.register_schema(connection, self._schema, at.value_names)

    def record(self, batch: Sequence[reader.Row | BrokenRow], before: int) -> None:
        """Record rows, the first of which is number `before` + 1."""
        found = list(self._read(batch, before))
        now = self._clock.now()
        with transaction(self._engine) as connection:
            counted = import_progress.lock_rows_done(connection, self._sha256, self._name)
            seen = [
                TrackObservation(track, genre, rank, row > counted)
                for row, track, genre, rank, _ in found
            ]
            self.total += tracks.record(connection, seen, self._delivery, now)
            packed = {track.source_id: values for _, track, _, _, values in found}
            ids = audio_files.track_ids(connection, self._source, list(packed))
            described = {ids[name]: values for name, values in packed.items()}
            audio_files.store_descriptors(connection, described, PROVIDER, self._schema, now)
            import_progress.set_rows_done(connection, self._sha256, before + len(batch))

    def _read(self, batch: Sequence[reader.Row | BrokenRow], before: int) -> Iterator[Row]:
        for number, cells in enumerate(batch, before + 1):
            read = cells if isinstance(cells, BrokenRow) else self.reading.parse(cells)
            if isinstance(read, RowRejection | BrokenRow):
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
            import_progress.mark_finished(connection, self._sha256, self._clock.now())
