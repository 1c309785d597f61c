"""Open a file as one or more tables, by its content: CSV, Parquet, JSON, workbooks and others."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from collector.datasets.formats import contents
from collector.datasets.formats.table import (
    DEFAULT_ENCODING,
    BrokenRow,
    DamagedFile,
    DatasetReader,
    NotADataset,
    Row,
)

__all__ = [
    "DEFAULT_ENCODING",
    "BrokenRow",
    "DamagedFile",
    "DatasetReader",
    "NotADataset",
    "Row",
    "fingerprint",
    "list_tables",
    "open_dataset",
]

_HASH_CHUNK: Final = 1 << 20


def list_tables(path: Path, encoding: str = DEFAULT_ENCODING) -> list[str]:
    """Return the names of the tables of a file; one empty name for a file that is one table.

    Raises `NotADataset` for a file that holds no table.
    """
    with ExitStack() as stack:
        return [entry.name for entry in contents.tables(path, encoding, stack)]


@contextmanager
def open_dataset(
    path: Path, encoding: str = DEFAULT_ENCODING, table: str | None = None
) -> Iterator[DatasetReader]:
    """Open a file as a table; `table` is one of `list_tables`, by default the only one.

    Raises `NotADataset` for other files, `DamagedFile` while reading a truncated one.
    """
    with ExitStack() as stack:
        entries = contents.tables(path, encoding, stack)
        if table is not None:
            entries = [entry for entry in entries if entry.name == table]
        if len(entries) != 1:
            names = ", ".join(entry.name for entry in entries) or "none"
            raise NotADataset(f"{path} holds several tables; name one of them: {names}.")
        yield entries[0].open()


def fingerprint(path: Path, *options: str) -> str:
    """Return the SHA-256 of the file's bytes and of the options of its import."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_HASH_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
    for option in options:
        digest.update(b"\0" + option.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
