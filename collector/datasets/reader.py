"""Open a file as one or more tables, by its content: CSV, Parquet, JSON, workbooks and others."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from collector.datasets.formats import contents
from collector.datasets.formats.table import (
    DEFAULT_ENCODING,
    DatasetReader,
    NotADataset,
    TableEntry,
)

_HASH_CHUNK: Final = 1 << 20


@contextmanager
def open_tables(path: Path, encoding: str = DEFAULT_ENCODING) -> Iterator[list[TableEntry]]:
    """Yield the tables of a file, each to be opened inside the block.

    Raises `NotADataset` for a file that cannot be read or holds no table.
    """
    with ExitStack() as stack:
        yield contents.tables(path, contents.ReadOptions(encoding, _names_tracks, stack))


@contextmanager
def open_dataset(path: Path, encoding: str = DEFAULT_ENCODING) -> Iterator[DatasetReader]:
    """Open a file as a table, if it holds a single one besides documents about it.

    Raises `NotADataset` for other files, `DamagedFile` while reading a truncated one.
    """
    with open_tables(path, encoding) as entries:
        tables = [entry for entry in entries if not contents.is_document(entry.name)] or entries
        if len(tables) != 1:
            names = ", ".join(entry.name for entry in entries)
            raise NotADataset(f"{path} holds several tables; its tables are: {names}.")
        yield tables[0].open()


def _names_tracks(header: Sequence[str]) -> bool:
    from collector.datasets.column_roles import columns  # it imports numpy: --help need not wait

    try:
        columns.find_columns(header)
    except columns.ColumnsMissing:
        return False
    return True


def fingerprint(
    path: Path, *options: str, progress: Callable[[int], object] = lambda _read: None
) -> str:
    """Return the SHA-256 of a file's bytes, or of all files of a folder, and of the options.

    `progress` gets the number of bytes read so far.
    """
    digest, done = hashlib.sha256(), 0
    try:
        for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if part.is_file():
                with part.open("rb") as file:
                    while chunk := file.read(_HASH_CHUNK):
                        digest.update(chunk)
                        done += len(chunk)
                        progress(done)
    except OSError as error:
        raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
    for option in options:
        digest.update(b"\0" + option.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
