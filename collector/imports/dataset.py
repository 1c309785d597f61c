"""Import an existing dataset: read rows, make tracks of them, record them batch by batch.

A batch is one transaction. Importing a file again, or again after a kill, ends in the same
database: its tracks are found, and its rows are not counted twice.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from collector.catalogue import catalogue_origin, import_progress, mappings, tracks
from collector.datasets import columns, reader
from collector.datasets.reader import DatasetReader
from collector.datasets.rows import RowParser, RowRejection
from collector.errors import CatalogueMismatch
from collector.records import Provenance, RecordResult, SourceTrack, TrackObservation
from genrebase.errors import GenrebaseError
from genrebase.progress import ProgressCallback
from genrebase.runtime import new_file
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "import"
PROVIDER: Final = "csv"
BATCH_ROWS: Final = 5_000
"""Rows of one transaction."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a dataset's rows: each is a new track, a duplicate or rejected."""

    rows: int
    tracks_new: int
    duplicates: int
    rejected: int
    reasons: dict[str, int]
    """Rejected rows per reason."""
    unlabelled: int
    """Rows that were taken, without a genre."""
    genres: int
    """Genres that its rows carry."""
    seconds: float
    rows_per_second: float
    unreadable: dict[str, int]
    """Cells that say something which cannot be read, per column: they are left empty."""
    claims_moved: int
    """Tracks that were there before, under one genre, and count for another now."""
    similar_genres: list[list[str]]
    """Genres of its rows that differ only by case or blanks."""
    stopped: Literal["done", "interrupted"]
    described: int = 0
    """Rows whose descriptors were stored."""


class NothingImported(GenrebaseError):
    """No row of a dataset could be taken."""


@dataclass(slots=True)
class _Batch:
    """Some rows in a row."""

    last: int
    """The number of its last row; the first row of the file is 1."""
    found: list[tuple[int, SourceTrack, str | None, int]] = field(default_factory=list)
    """(row, track, genre, rank)."""
    rejected: list[tuple[int, RowRejection | reader.BrokenRow]] = field(default_factory=list)
    broad_of: dict[str, str] = field(default_factory=dict)


def import_dataset(
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
    """Import the dataset in `path`; `rejected` is a file that gets a line for every rejected row.

    Raises `Refused` where `rejected` exists, `NotADataset`, `ColumnsMissing` or `CatalogueMismatch`
    before anything is written, `Damaged` where the file breaks off (the batches before that are
    kept). Asked to stop, it ends after the batch in hand; the next import goes on there.
    """
    began = clock.monotonic()
    refuse_synthetic_catalogue(engine)
    with reader.open_dataset(path, encoding) as dataset:
        found = columns.find_columns(dataset.header, genre_column)
        rows = RowParser(found, own_source=f"csv:{path.name}", last_year=clock.now().year + 1)
        with (
            new_file.create_csv(rejected, ("row", "reason")) as note,
            job_run(engine, clock, JOB) as run,
            _collecting_by_hand() as collect,
        ):
            recorder = _Recorder(engine, clock, path, _fingerprint(path, genre_column))
            ranks: Counter[str] = Counter()
            reasons: Counter[str] = Counter()
            total, unlabelled = RecordResult(), 0
            done, stopped = 0, False
            for batch in _batches(dataset, rows, ranks):
                if stopped := stop_requested():
                    break
                total += recorder.record(batch)
                for row, reason in batch.rejected:
                    reasons[reason] += 1
                    note.writerow((row, reason))
                unlabelled += sum(genre is None for _, _, genre, _ in batch.found)
                done = batch.last
                advance(
                    done, total=dataset.estimate_rows(done), estimated=not dataset.has_exact_count
                )
                collect()
            if stopped:
                run.set_outcome("interrupted")
            else:
                advance(done, total=done)
                recorder.finish()
            run.set_facts(file=path.name, rows=done, tracks_new=total.tracks_new)
    seconds = clock.monotonic() - began
    return ImportResult(
        rows=done,
        tracks_new=total.tracks_new,
        duplicates=total.duplicates,
        rejected=reasons.total(),
        reasons={str(reason): n for reason, n in sorted(reasons.items())},
        unlabelled=unlabelled,
        genres=len(ranks),
        seconds=round(seconds, 3),
        rows_per_second=round(done / seconds, 1) if seconds > 0 else 0.0,
        unreadable={dataset.header[at]: n for at, n in sorted(rows.unreadable_cells.items())},
        claims_moved=sum(track_id <= recorder.last_before for track_id in total.reassigned_ids),
        similar_genres=_similar(ranks),
        stopped="interrupted" if stopped else "done",
    )


def _similar(genres: Iterable[str]) -> list[list[str]]:
    """Return the names that differ only by case or blanks, together."""
    alike: dict[str, list[str]] = {}
    for name in sorted(genres):
        alike.setdefault("".join(name.casefold().split()), []).append(name)
    return [names for names in alike.values() if len(names) > 1]


def refuse_synthetic_catalogue(engine: Engine) -> None:
    """Keep the real out of a database that an invented catalogue filled."""
    with read_transaction(engine) as connection:
        stored = catalogue_origin.load_origin(connection)
    if stored is not None and stored.kind == "synthetic":
        raise CatalogueMismatch(
            f"This database was filled from {stored}; a dataset does not go in with it. "
            "Set STORE_URL to a database of its own."
        )


def _batches(dataset: DatasetReader, rows: RowParser, ranks: Counter[str]) -> Iterator[_Batch]:
    stream = dataset.rows()
    last = 0
    while chunk := list(islice(stream, BATCH_ROWS)):
        yield _read(chunk, last, rows, ranks)
        last += len(chunk)


def _read(
    chunk: Sequence[reader.Row | reader.BrokenRow],
    before: int,
    rows: RowParser,
    ranks: Counter[str],
) -> _Batch:
    """Read rows into tracks; a track's rank is how many of its genre came before it."""
    batch = _Batch(before + len(chunk))
    for number, cells in enumerate(chunk, before + 1):
        if isinstance(cells, reader.BrokenRow):
            batch.rejected.append((number, cells))
            continue
        read = rows.parse(cells)
        if isinstance(read, RowRejection):
            batch.rejected.append((number, read))
            continue
        track, genre = read
        rank = 0
        if genre is not None:
            rank = ranks[genre]
            ranks[genre] = rank + 1
        batch.found.append((number, track, genre, rank))
        if subgenre := rows.subgenre(cells):
            batch.broad_of.setdefault(*subgenre)
    return batch


class _Recorder:
    """Stores batches of one file."""

    def __init__(self, engine: Engine, clock: Clock, path: Path, sha256: str) -> None:
        self._engine, self._clock = engine, clock
        self._name, self._sha256 = path.name, sha256
        self._mapping = path.name.split(".")[0]
        self._delivery = Provenance(origin=f"csv:{path.name}", provider=PROVIDER)
        with read_transaction(engine) as connection:
            self.last_before = tracks.last_id(connection)
            """The highest id of a track that was there before; 0 where there was none."""

    def record(self, batch: _Batch) -> RecordResult:
        """Record a batch and how far the file is counted, in one transaction."""
        with transaction(self._engine) as connection:
            counted = import_progress.lock_rows_done(connection, self._sha256, self._name)
            seen = [
                TrackObservation(track, genre, rank, row > counted)
                for row, track, genre, rank in batch.found
            ]
            mappings.add_missing(connection, self._mapping, batch.broad_of)
            recorded = tracks.record(connection, seen, self._delivery, self._clock.now())
            import_progress.set_rows_done(connection, self._sha256, batch.last)
        return recorded

    def finish(self) -> None:
        """Say that the file is imported whole."""
        with transaction(self._engine) as connection:
            import_progress.mark_finished(connection, self._sha256, self._clock.now())


def _fingerprint(path: Path, genre_column: str | None) -> str:
    """Return what tells this import from others: the file's SHA-256 and the genre column.

    Another genre column makes other sightings of the same rows: they are counted by themselves.
    """
    digest = reader.file_digest(path)
    if genre_column is not None:
        digest.update(b"\0" + genre_column.encode())
    return digest.hexdigest()


@contextmanager
def _collecting_by_hand() -> Iterator[Callable[[], object]]:
    """Keep Python's cycle collector from walking a batch's objects again and again.

    A quarter of an import's time went into that. The yielded function collects between batches,
    when there is next to nothing left.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield lambda: gc.collect(1)
    finally:
        if was_enabled:
            gc.enable()
