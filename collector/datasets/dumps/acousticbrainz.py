"""Read AcousticBrainz' CSV dumps: one row per submission, several of one recording.

A dump's rows are sorted by no column that one could rely on: those of stored recordings are
collected in a staging file and sorted there.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Final

from collector.acousticbrainz_submissions import Submission
from collector.datasets.acousticbrainz import MBID_COLUMN, OFFSET_COLUMN, CsvColumns
from collector.datasets.dumps import copy_text
from collector.datasets.dumps.archive import DamagedDump
from collector.datasets.dumps.staging import StagingFile
from genrebase.store.tables import SUBMISSION_RANGES

RAW_TABLES: Final = ("raw_submission (mbid TEXT, number INTEGER, part TEXT, cells TEXT)",)
INSERT: Final = """
    INSERT INTO raw_submission SELECT ?1, ?2, ?3, ?4
    WHERE EXISTS (SELECT 1 FROM known WHERE gid = ?1)
"""
"""Inserts a row if its recording is stored."""
_SORTED: Final = "sorted"
_SORT: Final = """
    CREATE TABLE submission (
        mbid TEXT, part TEXT, number INTEGER, cells TEXT, PRIMARY KEY (mbid, part, number)
    ) WITHOUT ROWID, STRICT;
    INSERT OR IGNORE INTO submission
        SELECT mbid, part, number, cells FROM raw_submission ORDER BY mbid, part, number;
    DROP TABLE raw_submission;
    CREATE TABLE recording (place INTEGER PRIMARY KEY, mbid TEXT) STRICT;
    INSERT INTO recording (mbid) SELECT DISTINCT mbid FROM submission ORDER BY mbid
"""
_HEADER: Final = "header of "
_BETWEEN_CELLS: Final = "\t"


def part_of(header: Sequence[str]) -> str | None:
    """Return the group of numbers that a table with this header has, None for other tables."""
    columns = CsvColumns(header)
    if MBID_COLUMN not in header or OFFSET_COLUMN not in header:
        return None
    names = {name for name, *_ in columns.numbers}
    return next(
        (part for part, numbers in SUBMISSION_RANGES.items() if names & set(numbers)), None
    )


def read_rows(
    content: IO[bytes], staging: StagingFile, part: str, skip: int
) -> Iterator[tuple[str, str, str, str]]:
    """Yield MBID, number, part and cells of each row after the first `skip`; note the header.

    A row with another number of cells than the header yields empty texts. Raises `DamagedDump`.
    """
    rows = csv.reader(copy_text.read_lines(content, part))
    try:
        header = [name.strip() for name in next(rows)]
        mbid, number = header.index(MBID_COLUMN), header.index(OFFSET_COLUMN)
        staging.note_fact(f"{_HEADER}{part}", _BETWEEN_CELLS.join(header))
        width = len(header)
        for place, row in enumerate(rows):
            if place < skip:
                continue
            if len(row) != width:
                yield "", "0", part, ""
                continue
            yield row[mbid], row[number] or "0", part, _BETWEEN_CELLS.join(row)
    except (csv.Error, StopIteration, ValueError) as error:
        raise DamagedDump.because(part, error) from error


def sort(staging: StagingFile) -> int:
    """Sort the loaded rows by recording; return the number of recordings."""
    staging.run_once(_SORTED, lambda one: one.run_script(_SORT))
    return int(staging.execute("SELECT coalesce(max(place), 0) FROM recording").fetchone()[0])


def read_recordings(
    staging: StagingFile, first: int, size: int
) -> Iterator[Mapping[str, Sequence[Submission]]]:
    """Yield the submissions by recording, from the place `first` on, so many recordings at a time.

    A submission has the numbers of one part.
    """
    last = int(staging.execute("SELECT coalesce(max(place), 0) FROM recording").fetchone()[0])
    columns: dict[str, CsvColumns] = {}
    for start in range(first, last + 1, size):
        recordings: dict[str, list[Submission]] = {}
        rows = staging.execute(
            "SELECT r.mbid, s.part, s.cells FROM recording r"
            " CROSS JOIN submission s ON s.mbid = r.mbid WHERE r.place BETWEEN ? AND ?",
            start,
            start + size - 1,
        )
        for mbid, part, cells in rows:
            if part not in columns:
                header = staging.fact(f"{_HEADER}{part}") or ""
                columns[part] = CsvColumns(header.split(_BETWEEN_CELLS))
            submission = columns[part].parse(cells.split(_BETWEEN_CELLS))
            recordings.setdefault(mbid, []).append(submission)
        yield recordings
