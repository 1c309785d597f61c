"""Import a dataset: its tables of tracks, or of descriptors of audio files."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from collector.datasets import descriptor_table, reader, segment_names
from collector.datasets.column_roles import columns
from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.credits import survey_credits
from collector.datasets.descriptor_table import DescriptorColumns, DescriptorRowParser
from collector.datasets.formats.table import DEFAULT_ENCODING, BrokenRow, DatasetReader, TableEntry
from collector.datasets.own_exports import refuse_export
from collector.datasets.parsing import genre_names
from collector.datasets.rows import ParsedRow, RowParser
from collector.datasets.scales.scale_inference import infer_scales
from collector.datasets.shared_ids import SharedIds, survey_ids
from collector.datasets.survey import TableSummary, survey_table
from collector.imports import table_hints
from collector.imports.pipeline import run_import
from collector.imports.records import (
    DescriptorSchema,
    ImportContext,
    ImportResult,
    ImportSource,
    ReadRow,
    Reject,
)
from collector.imports.several_tables import import_tables
from collector.records import Provenance
from genrebase.audio.scan import display_path
from genrebase.counts import counted
from genrebase.store.engine import Engine

PROVIDER: Final = "csv"
_BATCH_ROWS: Final[Mapping[str, int]] = {"postgresql": 5_000, "sqlite": 50_000}
"""Rows of one transaction. On PostgreSQL others wait for its names. On SQLite others wait for the
transaction, and each one writes most pages of the indexes: at a million tracks this was a tenth of
the time with 20,000 rows, and a third with 5,000."""
DESCRIPTOR_BATCH_ROWS: Final = 2_000
"""Rows of one transaction if each has descriptors."""


def batch_rows(engine: Engine) -> int:
    """Return the number of rows of one transaction."""
    return _BATCH_ROWS[engine.dialect.name]


@dataclass(frozen=True, slots=True)
class DatasetOptions:
    """How the rows of a dataset are read, where that is not found in the dataset itself."""

    genre_column: str | None = None
    genre_separator: str | None = None
    encoding: str = DEFAULT_ENCODING
    columns: Mapping[str, str] = field(default_factory=dict)
    """Maps fields to columns, such as `tempo` to `Tempo (BPM)`."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Maps fields or columns to units, such as `length` to `s`."""
    licence: str | None = None
    """The licence of the labels and features, named as in `genrebase.licences`."""

    def given(self) -> dict[str, Any]:
        """Return the given options: with other options, the same file is another import."""
        given = {
            "genre_column": self.genre_column,
            "genre_separator": self.genre_separator,
            "encoding": None if self.encoding == DEFAULT_ENCODING else self.encoding,
            "columns": dict(self.columns),
            "units": dict(self.units),
        }
        return {name: value for name, value in given.items() if value}

    def for_fingerprint(self) -> list[str]:
        """Return the options that are part of an import's identity."""
        others = self.given()  # without the licence: with another one, it is the same import
        genre = [others.pop(name, "") for name in ("genre_column", "genre_separator")]
        return [*filter(None, genre), *([json.dumps(others, sort_keys=True)] if others else [])]


def import_dataset(
    context: ImportContext,
    path: Path,
    options: DatasetOptions = DatasetOptions(),
) -> ImportResult:
    """Import the dataset in `path`.

    Raises `NotADataset` for an export of this software, `UserError` if the file of rejected rows
    exists or a unit is unknown, `NotADataset`, `ColumnsMissing` or `CatalogueMismatch` before
    anything is written, `DamagedFile` if the file breaks off (earlier batches are kept).
    """
    dataset_import = _DatasetImport(context, path, options)
    with reader.open_tables(path, options.encoding) as entries:
        if len(entries) == 1:
            return dataset_import.run(entries[0])
        one_file = replace(dataset_import, context=replace(context, rejected=None))
        result = import_tables(context, path, entries, one_file.run)
    genres = dataset_import.genres
    return replace(result, genres=len(genres), similar_genres=genre_names.group_similar(genres))


@dataclass(frozen=True, slots=True)
class _DatasetImport:
    context: ImportContext
    path: Path
    options: DatasetOptions
    genres: set[str] = field(default_factory=set)
    """Of the rows of all tables."""

    def run(self, entry: TableEntry, reject: Reject | None = None) -> ImportResult:
        """Import one table of the file."""
        dataset = entry.open()
        refuse_export(_file_of(self.path, entry.name), dataset.header)
        summary = survey_table(dataset, stop_requested=self.context.stop_requested)
        table = _Table(self.path, entry.name, dataset, summary)
        source = self._source(table)
        source = replace(source, rows=self._collect_genres(source.rows))
        result = run_import(self.context, source, reject)
        notes = (*dataset.notes(), *table_hints.encoding_hints(result, dataset))
        return replace(result, warnings=(*result.warnings, *notes))

    def _collect_genres(self, rows: Iterable[ReadRow]) -> Iterator[ReadRow]:
        last: tuple[str, ...] = ()
        for row in rows:
            if isinstance(row, ParsedRow) and row.genres != last:
                last = row.genres
                self.genres.update(last)
            yield row

    def _source(self, table: "_Table") -> ImportSource:
        dataset, summary, options = table.dataset, table.summary, self.options
        layout = descriptor_table.find_descriptor_columns(
            dataset.header, summary, options.genre_column
        )
        if layout is not None:
            source = _descriptor_source(table, layout)
            return replace(source, licence=options.licence or dataset.licence)
        try:
            last_year = self.context.clock.now().year + 1
            size = batch_rows(self.context.engine)
            return _track_source(table, options, last_year, size)
        except columns.ColumnsMissing as error:
            raise table_hints.explain(error, self.path, table.name, dataset, summary) from error


@dataclass(frozen=True, slots=True)
class _Table:
    path: Path
    table_name: str
    """Empty if the file is one table."""
    dataset: DatasetReader
    summary: TableSummary

    @property
    def name(self) -> str:
        """The table as text that every database can store."""
        name = Path(self.path.name, self.table_name) if self.table_name else Path(self.path.name)
        return display_path(name)

    @property
    def origin(self) -> str:
        """The origin of its tracks."""
        return f"csv:{self.name}"

    @property
    def stem(self) -> str:
        """The name without folders and suffixes."""
        return self.name.rsplit("/", 1)[-1].split(".")[0]

    def fingerprint(self, options: Sequence[str] = ()) -> str:
        """Return the hash that identifies this import of the table."""
        names = [self.table_name] if self.table_name else []
        return reader.fingerprint(_file_of(self.path, self.table_name), *options, *names)


def _file_of(path: Path, table_name: str) -> Path:
    """Return the file of a folder that holds a table; of a file, the file."""
    for part in PurePosixPath(table_name).parts:
        if path.is_dir():
            path /= part
    return path


def _track_source(table: _Table, given: DatasetOptions, last_year: int, size: int) -> ImportSource:
    """Return the source of a table of tracks, with batches of `size` rows."""
    dataset, summary = table.dataset, table.summary
    layout, ids = _find_columns(dataset, given, summary)
    numbers = infer_scales(layout, summary, last_year, given.units)
    parser = RowParser(
        layout,
        table.origin,
        numbers.parser,
        credit_names=survey_credits(dataset.whole_rows, layout, summary),
        genre_separator=given.genre_separator,
        shared_ids=ids.hashes,
    )
    titles = segment_names.TitleSurvey()
    misread = table_hints.misread_texts(summary, layout)
    taken, ignored = columns.name_columns(dataset.header, replace(layout, numeric=numbers.taken))
    return ImportSource(
        name=table.name,
        sha256=table.fingerprint(given.for_fingerprint()),
        options=given.given(),
        rows=_surveyed(_parse(dataset, parser), titles),
        batch_rows=size,
        provenance=Provenance(origin=table.origin, provider=PROVIDER),
        mapping=table.stem,
        estimate_rows=dataset.estimate_rows,
        has_exact_count=dataset.row_count is not None,
        unreadable=lambda: _by_name(dataset, parser.unreadable_cells, numbers.parser.unreadable),
        out_of_range=lambda: _by_name(dataset, numbers.parser.out_of_range),
        without_beat=lambda: _by_name(dataset, numbers.parser.without_beat),
        conflicts=lambda: parser.conflicts,
        warnings=lambda: (
            *misread,
            *numbers.notes,
            *layout.notes,
            *parser.hints(dataset.header),
            *titles.warnings(),
        ),
        columns=taken,
        ignored_columns=ignored,
        licence=given.licence or dataset.licence,
    )


def _find_columns(
    dataset: DatasetReader, given: DatasetOptions, summary: TableSummary
) -> tuple[DatasetColumns, SharedIds]:
    """Return the columns and the ids; a column of ids that are not of tracks is passed over."""
    no_ids: set[int] = set()
    notes: list[str] = []
    while True:
        layout = columns.find_columns(
            dataset.header, given.genre_column, summary, given.columns, no_ids
        )
        ids = survey_ids(dataset.whole_rows, layout, summary)
        at = layout.track_id
        if at is None or at in no_ids or ids.are_of_tracks:
            return replace(layout, notes=(*notes, *layout.notes)), ids
        no_ids.add(at)
        notes.append(
            f"{dataset.header[at]} is not taken as the tracks' id: its {ids.ids:,} ids stand "
            f"beside {counted(ids.titles, 'different title')}, as ids of albums or artists do."
        )


def _descriptor_source(table: _Table, layout: DescriptorColumns) -> ImportSource:
    """Return the source of a table of descriptors."""
    dataset = table.dataset
    pieces = descriptor_table.find_pieces(dataset.header, layout, dataset.whole_rows())
    parser = DescriptorRowParser(layout, table.origin, pieces)
    names = [dataset.header[at] for at in parser.columns.values]
    return ImportSource(
        name=table.name,
        sha256=table.fingerprint(),
        rows=_parse(dataset, parser),
        batch_rows=DESCRIPTOR_BATCH_ROWS,
        provenance=Provenance(origin=table.origin, provider=PROVIDER),
        mapping=table.stem,
        schema=DescriptorSchema(table.stem, names, PROVIDER),
        estimate_rows=dataset.estimate_rows,
        has_exact_count=dataset.row_count is not None,
        unreadable=lambda: _by_name(dataset, parser.unreadable_cells),
        warnings=lambda: pieces.warnings,
    )


def _parse(dataset: DatasetReader, parser: RowParser | DescriptorRowParser) -> Iterator[ReadRow]:
    return (row if isinstance(row, BrokenRow) else parser.parse(row) for row in dataset.rows())


def _surveyed(rows: Iterable[ReadRow], titles: segment_names.TitleSurvey) -> Iterator[ReadRow]:
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
