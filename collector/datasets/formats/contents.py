"""Recognise what a file holds by its first bytes, and list its tables."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.formats.delimited import DelimitedText
from collector.datasets.formats.parquet import ParquetTable
from collector.datasets.formats.table import DatasetReader, NotADataset, TableEntry

_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"


def tables(path: Path, encoding: str, stack: ExitStack) -> list[TableEntry]:
    """Return the tables of a file; they can be opened while `stack` is.

    Raises `NotADataset` if the file cannot be read or holds no table.
    """
    try:
        source = ByteSource(path)
    except OSError as error:
        raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
    return _tables_of(source, encoding, stack)


def _tables_of(source: ByteSource, encoding: str, stack: ExitStack) -> list[TableEntry]:
    if source.head.startswith(_PARQUET):
        return [TableEntry("", partial(_open_parquet, source, stack))]
    if source.head.startswith(_ZIP):
        raise NotADataset(
            f"{source.name} is a zip archive or a workbook: unpack it, or save as CSV."
        )
    return [TableEntry("", partial(DelimitedText, source, encoding))]


def _open_parquet(source: ByteSource, stack: ExitStack) -> DatasetReader:
    return ParquetTable(stack.enter_context(source.as_path()), source.name)
