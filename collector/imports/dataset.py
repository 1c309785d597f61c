"""Import a CSV or Parquet dataset: a table of tracks, or one of descriptors of audio files."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collector.datasets import columns, descriptor_table, reader, segments
from collector.datasets.credits import survey_credits
from collector.datasets.descriptor_table import DescriptorColumns, DescriptorRowParser
from collector.datasets.numbers import judge_numbers
from collector.datasets.reader import BrokenRow, DatasetReader
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
    genre_column: str | None
    genre_separator: str | None
    unit_overrides: Mapping[str, str]


def import_dataset(
    engine: Engine,
    path: Path,
    clock: Clock,
    progress: ProgressCallback,
    *,
    genre_column: str | None = None,
    genre_separator: str | None = None,
    encoding: str = reader.DEFAULT_ENCODING,
    unit_overrides: Mapping[str, str] | None = None,
    rejected: Path | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Import the dataset in `path`; `rejected` is a new file that gets a line per rejected row.

    `unit_overrides` are units by the field or column name they belong to, such as `s` of `length`.
    Raises `UserError` if `rejected` exists or a unit is unknown, `NotADataset`, `ColumnsMissing`
    or `CatalogueMismatch` before anything is written, `DamagedFile` if the file breaks off
    (earlier batches are kept). After a stop request it ends with the batch in progress; the next
    import continues there.
    """
    with reader.open_dataset(path, encoding) as dataset:
        summary = survey_table(dataset, stop_requested=stop_requested)
        layout = descriptor_table.find_descriptor_columns(dataset.header, summary, genre_column)
        if layout is not None:
            source = _descriptor_source(dataset, path, layout)
        else:
            options = _Options(genre_column, genre_separator, unit_overrides or {})
            source = _track_source(dataset, path, options, summary, clock.now().year + 1)
        return run_import(
            engine, clock, source, progress, rejected=rejected, stop_requested=stop_requested
        )


def _track_source(
    dataset: DatasetReader,
    path: Path,
    given: _Options,
    summary: TableSummary,
    last_year: int,
) -> ImportSource:
    """Return the source of a table of tracks."""
    layout = columns.find_columns(dataset.header, given.genre_column, summary)
    numbers = judge_numbers(layout, summary, last_year, given.unit_overrides)
    origin = _origin(path)
    parser = RowParser(
        layout,
        origin,
        numbers.parser,
        credit_names=survey_credits(dataset, layout, summary),
        genre_separator=given.genre_separator,
    )
    titles = segments.TitleSurvey()
    taken, ignored = columns.name_columns(dataset.header, replace(layout, numeric=numbers.taken))
    # another genre column brings other sightings of the same rows: they are counted separately
    options = [name for name in (given.genre_column, given.genre_separator) if name]
    return ImportSource(
        label=path.name,
        name=path.name,
        sha256=reader.fingerprint(path, *options),
        rows=_surveyed(_parse(dataset, parser), titles),
        batch_rows=BATCH_ROWS,
        provenance=Provenance(origin=origin, provider=PROVIDER),
        mapping=_stem(path),
        estimate_rows=dataset.estimate_rows,
        has_exact_count=dataset.has_exact_count,
        unreadable=lambda: _by_name(dataset, parser.unreadable_cells, numbers.parser.unreadable),
        out_of_range=lambda: _by_name(dataset, numbers.parser.out_of_range),
        without_beat=lambda: _by_name(dataset, numbers.parser.without_beat),
        warnings=lambda: (*numbers.notes, *_warnings(dataset, parser, titles)),
        columns=taken,
        ignored_columns=ignored,
    )


def _descriptor_source(
    dataset: DatasetReader, path: Path, layout: DescriptorColumns
) -> ImportSource:
    """Return the source of a table of descriptors."""
    origin = _origin(path)
    rows = (row for row in dataset.rows() if not isinstance(row, BrokenRow))
    pieces = descriptor_table.find_pieces(dataset.header, layout, rows)
    parser = DescriptorRowParser(layout, origin, pieces)
    return ImportSource(
        label=path.name,
        name=path.name,
        sha256=reader.fingerprint(path),
        rows=_parse(dataset, parser),
        batch_rows=DESCRIPTOR_BATCH_ROWS,
        provenance=Provenance(origin=origin, provider=PROVIDER),
        mapping=_stem(path),
        schema=DescriptorSchema(_stem(path), parser.columns.value_names, PROVIDER),
        estimate_rows=dataset.estimate_rows,
        has_exact_count=dataset.has_exact_count,
        unreadable=lambda: _by_name(dataset, parser.unreadable_cells),
        warnings=lambda: pieces.warnings,
    )


def _origin(path: Path) -> str:
    return f"csv:{path.name}"


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _warnings(
    dataset: DatasetReader, parser: RowParser, titles: segments.TitleSurvey
) -> Sequence[str]:
    notes = (*parser.columns.notes, *parser.hints(dataset.header))
    return (*notes, *titles.warnings())


def _parse(
    dataset: DatasetReader, parser: RowParser | DescriptorRowParser
) -> Iterator[ParsedItem]:
    return (row if isinstance(row, BrokenRow) else parser.parse(row) for row in dataset.rows())


def _surveyed(rows: Iterable[ParsedItem], titles: segments.TitleSurvey) -> Iterator[ParsedItem]:
    for row in rows:
        if isinstance(row, ParsedRow):
            titles.add(row.track.title, row.genres[0] if row.genres else "")
        yield row


def _by_name(dataset: DatasetReader, *counters: Counter[int]) -> dict[str, int]:
    """Return counts by the columns' names; columns of the same name are added up."""
    counts: Counter[str] = Counter()
    for position, count in sorted(sum(counters, Counter()).items()):
        counts[dataset.header[position]] += count
    return dict(counts)
