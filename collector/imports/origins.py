"""Choose the origin of an import, by the first rows of its table."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from collector.catalogue import dataset_origin, imported_files
from collector.catalogue.dataset_origin import DatasetOrigin
from collector.datasets.rows import ParsedRow
from collector.imports.records import ImportSource, ReadRow
from genrebase.store import source_ids
from genrebase.store.engine import Engine, read_transaction


def with_origin(engine: Engine, source: ImportSource) -> tuple[ImportSource, DatasetOrigin]:
    """Return the source with its origin, which its first rows decide."""
    base = source.provenance.origin
    if not source_ids.is_file_source(base):
        with read_transaction(engine) as connection:
            versions = imported_files.earlier_versions(connection, base, source.sha256)
        return source, DatasetOrigin(base, versions, ())
    first = list(islice(source.rows, dataset_origin.SAMPLE_ROWS))
    sample = [row for row in first if isinstance(row, ParsedRow)]
    with read_transaction(engine) as connection:
        chosen = dataset_origin.choose_origin(connection, source.name, source.sha256, sample)
    rows: Iterator[ReadRow] = chain(first, source.rows)
    if chosen.name != base:
        rows = (_with_own_source(row, base, chosen.name) for row in rows)
    provenance = replace(source.provenance, origin=chosen.name)
    return replace(source, rows=rows, provenance=provenance), chosen


def _with_own_source(row: ReadRow, base: str, own_source: str) -> ReadRow:
    if isinstance(row, ParsedRow) and row.track.source == base:
        return row._replace(track=row.track._replace(source=own_source))
    return row
