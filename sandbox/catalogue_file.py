"""Read a catalogue file: CSV, gzipped CSV or Parquet, every cell as the text it is."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from genrebase.runtime import new_file
from sandbox.errors import UnusableCatalogue

TableRow = Sequence[str]
"""One row's cells; a song called NA is called NA."""

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
ARTIST_SEPARATOR: Final = ";"
"""Between the names of one cell's artists."""


@dataclass(frozen=True, slots=True)
class CatalogueTable:
    """Rows in the order of the file."""

    columns: tuple[str, ...]
    rows: Sequence[TableRow]
    name: str
    """The file's name, or how it was invented."""
    sha256: str
    """Of the file's bytes."""
    kind: Literal["synthetic", "file"] = "file"


def read_table(path: Path) -> CatalogueTable:
    """Read the file; raise `UnusableCatalogue` with a sentence where that cannot be done."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UnusableCatalogue(
            f"{path} cannot be read ({why}): give an existing CSV or Parquet file."
        ) from error
    columns, rows = _parquet(path, content) if content[:4] == _PARQUET else _csv(path, content)
    return CatalogueTable(columns, rows, path.name, hashlib.sha256(content).hexdigest())


def write_table(table: CatalogueTable, path: Path) -> None:
    """Save the table as a new CSV file; gzipped where the name ends in `.gz`."""
    content = to_csv(table.columns, table.rows).encode()
    if path.suffix == ".gz":  # no time stamp: the same table, the same bytes
        content = gzip.compress(content, compresslevel=6, mtime=0)
    new_file.create_binary(path, content)


def to_csv(columns: Sequence[str], rows: Iterable[TableRow]) -> str:
    """Return rows as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _csv(path: Path, content: bytes) -> tuple[tuple[str, ...], list[TableRow]]:
    try:
        plain = gzip.decompress(content) if content[:2] == _GZIP else content
        reader = csv.reader(io.StringIO(plain.decode("utf-8-sig"), newline=""))
        columns = tuple(next(reader, ()))
        return columns, list(_padded(reader, len(columns)))
    except (UnicodeDecodeError, csv.Error, EOFError, OSError, zlib.error) as error:
        raise UnusableCatalogue(
            f"{path} is not a CSV file in UTF-8 ({error}): save it as one, gzipped or not."
        ) from error


def _padded(rows: Iterable[list[str]], width: int) -> Iterator[TableRow]:
    """Leave out blank lines; fill up lines that end early."""
    for row in rows:
        if len(row) >= width:
            yield row
        elif row:
            yield row + [""] * (width - len(row))


def _parquet(path: Path, content: bytes) -> tuple[tuple[str, ...], list[TableRow]]:
    import pyarrow as pa  # only Parquet needs it, and it takes its time to load
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise UnusableCatalogue(
            f"{path} is not a readable Parquet file ({error}): write it again or give a CSV."
        ) from error
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return tuple(table.column_names), list(zip(*columns, strict=True))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ARTIST_SEPARATOR.join(_text(part) for part in value)
    return str(value)
