"""Catalogue files: those that `collector import` reads; every cell is text, unchanged."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from collector.datasets import reader
from collector.datasets.formats.table import BrokenRow, DamagedFile, NotADataset
from genrebase import new_file
from sandbox.errors import UnusableCatalogue

TableRow = Sequence[str]
"""The cells of one row; a song called NA stays NA."""

ARTIST_SEPARATOR: Final = ";"
"""Between the artist names in one cell."""


@dataclass(frozen=True, slots=True)
class CatalogueTable:
    """Rows in file order."""

    columns: tuple[str, ...]
    rows: Sequence[TableRow]
    name: str
    """The file's name, or `seed 1`."""
    sha256: str
    """Of the file's bytes."""
    kind: Literal["synthetic", "file"] = "file"
    default_genre: str | None = None
    """Of rows without one."""
    left_out: int = 0
    """Rows of the file with another number of cells than columns."""


def read_table(path: Path, default_genre: str | None = None) -> CatalogueTable:
    """Read the file as `collector import` does; raise `UnusableCatalogue` where that fails.

    A row without a genre gets `default_genre`. Rows with another number of cells than columns
    are left out, as an import rejects them.
    """
    try:
        with reader.open_dataset(path) as dataset:
            read = list(dataset.rows())
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            header = tuple(dataset.header)
    except (NotADataset, DamagedFile) as error:
        raise UnusableCatalogue(
            f"{error} Give a file with one table, such as CSV, Parquet or JSON."
        ) from error
    rows = [row for row in read if not isinstance(row, BrokenRow)]
    return CatalogueTable(
        header,
        rows,
        path.name,
        digest,
        default_genre=default_genre,
        left_out=len(read) - len(rows),
    )


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
