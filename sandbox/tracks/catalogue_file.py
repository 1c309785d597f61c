"""Catalogue files: CSV, gzipped CSV or Parquet; every cell is read as text, unchanged."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from genrebase import new_file
from sandbox.errors import UnusableCatalogue

TableRow = Sequence[str]
"""The cells of one row; a song called NA stays NA."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_PARQUET_MAGIC: Final = b"PAR1"
ARTIST_SEPARATOR: Final = ";"
"""Between the artist names in one cell."""


@dataclass(frozen=True, slots=True)
class CatalogueTable:
    """Rows in file order."""

    columns: tuple[str, ...]
    rows: Sequence[TableRow]
    name: str
    """The file's name, or the seed."""
    sha256: str
    """Of the file's bytes."""
    kind: Literal["synthetic", "file"] = "file"


def read_table(path: Path) -> CatalogueTable:
    """Read the file; raise `UnusableCatalogue` with a sentence where that fails."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnusableCatalogue(
            f"{path} cannot be read ({reason}): give an existing CSV or Parquet file."
        ) from error
    read = _read_parquet if content[:4] == _PARQUET_MAGIC else _read_csv
    columns, rows = read(path, content)
    return CatalogueTable(columns, rows, path.name, hashlib.sha256(content).hexdigest())


def write_table(table: CatalogueTable, path: Path) -> None:
    """Save the table as a new CSV file; gzipped where the name ends in `.gz`."""
    content = to_csv(table.columns, table.rows).encode()
    if path.suffix == ".gz":  # no time stamp: the same table, the same bytes
        content = gzip.compress(content, compresslevel=6, mtime=0)
    new_file.create_binary(path, content)


def to_csv(columns: Sequence[str], rows: Iterable[TableRow]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _read_csv(path: Path, content: bytes) -> tuple[tuple[str, ...], list[TableRow]]:
    try:
        plain = gzip.decompress(content) if content[:2] == _GZIP_MAGIC else content
        reader = csv.reader(io.StringIO(plain.decode("utf-8-sig"), newline=""))
        columns = tuple(next(reader, ()))
        return columns, list(_pad(reader, len(columns)))
    except (UnicodeDecodeError, csv.Error, EOFError, OSError, zlib.error) as error:
        raise UnusableCatalogue(
            f"{path} is not a CSV file in UTF-8 ({error}): save it as one, gzipped or not."
        ) from error


def _pad(rows: Iterable[list[str]], width: int) -> Iterator[TableRow]:
    """Drop blank lines; pad short rows with empty cells."""
    for row in rows:
        if len(row) >= width:
            yield row
        elif row:
            yield row + [""] * (width - len(row))


def _read_parquet(path: Path, content: bytes) -> tuple[tuple[str, ...], list[TableRow]]:
    import pyarrow as pa  # only for Parquet: it is slow to import
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise UnusableCatalogue(
            f"{path} is not a readable Parquet file ({error}): write it again or give a CSV."
        ) from error
    columns = [[_to_text(value) for value in column.to_pylist()] for column in table.columns]
    return tuple(table.column_names), list(zip(*columns, strict=True))


def _to_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ARTIST_SEPARATOR.join(_to_text(part) for part in value)
    return str(value)
