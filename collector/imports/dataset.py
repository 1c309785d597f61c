"""Import a CSV or Parquet dataset: a table of tracks, or one of descriptors of audio files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final

from collector.datasets import columns, descriptor_table, reader, segments
from collector.datasets.credits import survey_credits
from collector.datasets.reader import BrokenRow, DatasetReader, Row
from collector.datasets.rows import ParsedRow, RowParser, RowRejection
from collector.datasets.survey import TableSummary, survey_table
from collector.imports.pipeline import run_import
from collector.imports.records import DescriptorSchema, ImportResult, ImportSource
from collector.records import Provenance
from genrebase.progress import ProgressCallback
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine

ParsedItem = ParsedRow | RowRejection | BrokenRow

PROVIDER: Final = "csv"
BATCH_ROWS: Final = 5_000
"""Rows of one transaction."""
DESCRIPTOR_BATCH_ROWS: Final = 2_000
"""Rows of one transaction where each brings descriptors."""


@dataclass(frozen=True, slots=True)
class _Options:
    encoding: str
    genre_column: str | None
    genre_separator: str | None


def import_dataset(
    engine: Engine,
    path: Path,
    clock: Clock,
    progress: ProgressCallback,
    *,
    genre_column: str | None = None,
    genre_separator: str | None = None,
    encoding: str = reader.DEFAULT_ENCODING,
    rejected: Path | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Import the dataset in `path`; `rejected` is a new file that gets a line per rejected row.

    Raises `UserError` if `rejected` exists, `NotADataset`, `ColumnsMissing` or `CatalogueMismatch`
    before anything is written, `DamagedFile` if the file breaks off (earlier batches are kept).
    After a stop request it ends with the batch in progress; the next import continues there.
    """
    with reader.open_dataset(path, encoding) as dataset:
        summary = survey_table(dataset, stop_requested=stop_requested)
    with reader.open_dataset(path, encoding) as dataset:
        options = _Options(encoding, genre_column, genre_separator)
        source = _open_source(dataset, path, options, summary, clock.now().year + 1)
        return run_import(
            engine, clock, source, progress, rejected=rejected, stop_requested=stop_requested
        )


def _open_source(
    dataset: DatasetReader,
    path: Path,
    given: _Options,
    summary: TableSummary,
    last_year: int,
) -> ImportSource:
    """Return the source of a table of descriptors, else of a table of tracks."""
    genre_column, genre_separator = given.genre_column, given.genre_separator
    stem, origin = path.name.split(".")[0], f"csv:{path.name}"
    rows = dataset.rows()
    first = list(islice(rows, 1))
    cells = first[0] if first and not isinstance(first[0], BrokenRow) else ()
    rows = chain(first, rows)
    layout = descriptor_table.find_descriptor_columns(dataset.header, cells, genre_column)
    parser: RowParser | descriptor_table.DescriptorRowParser
    warnings: Callable[[], Sequence[str]]
    if layout is None:
        found = columns.find_columns(dataset.header, genre_column, summary)
        parser = RowParser(
            found,
            own_source=origin,
            last_year=last_year,
            credit_names=survey_credits(dataset, found, summary),
            genre_separator=genre_separator,
        )
        titles = segments.TitleSurvey()
        parsed = _surveyed(_parse(parser, rows), titles)
        warnings = partial(_warnings, dataset, parser, titles)
        taken, ignored = columns.name_columns(dataset.header, found)
    else:
        pieces = _find_pieces(path, given.encoding, layout)
        parser = descriptor_table.DescriptorRowParser(layout, origin, pieces)
        layout = parser.columns
        parsed, warnings = _parse(parser, rows), lambda: pieces.warnings
        taken, ignored = {}, []
    # another genre column brings other sightings of the same rows: they are counted separately
    options = [name for name in (genre_column, genre_separator) if name and layout is None]
    return ImportSource(
        label=path.name,
        name=path.name,
        sha256=reader.fingerprint(path, *options),
        rows=parsed,
        batch_rows=BATCH_ROWS if layout is None else DESCRIPTOR_BATCH_ROWS,
        provenance=Provenance(origin=origin, provider=PROVIDER),
        mapping=stem,
        schema=None if layout is None else DescriptorSchema(stem, layout.value_names, PROVIDER),
        estimate_rows=dataset.estimate_rows,
        has_exact_count=dataset.has_exact_count,
        unreadable=partial(_unreadable, dataset, parser),
        warnings=warnings,
        columns=taken,
        ignored_columns=ignored,
    )


def _warnings(
    dataset: DatasetReader, parser: RowParser, titles: segments.TitleSurvey
) -> Sequence[str]:
    notes = (*parser.columns.notes, *parser.hints(dataset.header))
    return (*notes, *titles.warnings())


def _parse(
    parser: RowParser | descriptor_table.DescriptorRowParser, rows: Iterable[Row | BrokenRow]
) -> Iterator[ParsedItem]:
    return (row if isinstance(row, BrokenRow) else parser.parse(row) for row in rows)


def _surveyed(rows: Iterable[ParsedItem], titles: segments.TitleSurvey) -> Iterator[ParsedItem]:
    for row in rows:
        if isinstance(row, ParsedRow):
            titles.add(row.track.title, row.genres[0] if row.genres else "")
        yield row


def _find_pieces(
    path: Path, encoding: str, layout: descriptor_table.DescriptorColumns
) -> descriptor_table.TablePieces:
    """Read the table once before its import: only all rows show which are pieces."""
    with reader.open_dataset(path, encoding) as dataset:
        rows = (row for row in dataset.rows() if not isinstance(row, BrokenRow))
        return descriptor_table.find_pieces(dataset.header, layout, rows)


def _unreadable(
    dataset: DatasetReader, parser: RowParser | descriptor_table.DescriptorRowParser
) -> dict[str, int]:
    cells = sorted(parser.unreadable_cells.items())
    return {dataset.header[position]: count for position, count in cells if count}
