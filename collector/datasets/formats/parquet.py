"""Read Parquet batch by batch; structs become columns, and lists become JSON text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from collector.datasets.formats.table import (
    BrokenRow,
    DamagedFile,
    DatasetReader,
    NotADataset,
    Row,
    as_text,
    without_headers,
)
from genrebase.errors import as_clause

_BATCH: Final = 5_000
_MAX_DEPTH: Final = 5


class ParquetTable(DatasetReader):
    """A Parquet file."""

    def __init__(self, path: Path, name: str) -> None:
        """Read the header; raise `NotADataset` if the file is not Parquet."""
        # pyarrow takes a quarter of a second to import, and CSV does not need it
        import pyarrow as pa
        from pyarrow import parquet

        self._name, self._broken = name, pa.ArrowException
        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise NotADataset(f"{name} is not a Parquet file: {as_clause(error)}.") from error
        self._from_batches = pa.Table.from_batches
        names = _flattened(self._file.schema_arrow.empty_table()).column_names
        self.header = [column.strip() for column in names]
        self.row_count = self._file.metadata.num_rows

    def rows(self) -> Iterator[Row | BrokenRow]:
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                table = _flattened(self._from_batches([batch]))
                columns: Any = (
                    map(as_text, column.to_pylist(maps_as_pydicts="lossy"))
                    for column in table.columns
                )
                yield from without_headers(self.header, zip(*columns, strict=True))
        except (self._broken, OSError) as error:
            raise DamagedFile.because(self._name, error) from error


def _flattened(table: Any) -> Any:
    """Return a table with the members of structs as columns, such as `album.name`."""
    for _ in range(_MAX_DEPTH):
        names = table.column_names
        table = table.flatten()
        if table.column_names == names:
            break
    return table
