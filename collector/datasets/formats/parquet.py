"""Read Parquet, batch by batch; structs become columns, lists JSON text."""

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
)

_BATCH: Final = 5_000


class ParquetTable(DatasetReader):
    """A Parquet file."""

    kind = "Parquet"
    has_exact_count = True

    def __init__(self, path: Path, name: str) -> None:
        """Read the header; raise `NotADataset` if the file is not Parquet."""
        # pyarrow takes a quarter of a second to import, and CSV does not need it
        import pyarrow as pa
        from pyarrow import parquet

        self._name, self._broken = name, pa.ArrowException
        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise NotADataset(f"{name} is not a Parquet file: {error}.") from error
        self.header = [column.strip() for column in self._file.schema_arrow.names]

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield the rows as text."""
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                columns: Any = (map(as_text, column.to_pylist()) for column in batch.columns)
                yield from zip(*columns, strict=True)
        except (self._broken, OSError) as error:
            raise DamagedFile.because(self._name, error) from error

    def estimate_rows(self, done: int) -> float | None:  # noqa: ARG002 - the file's metadata has it
        """Return the number of rows."""
        return float(self._file.metadata.num_rows)
