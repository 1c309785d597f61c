"""The tables of a file of several, by their names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.datasets import reader
from collector.datasets.formats.table import DatasetReader


def list_tables(path: Path) -> list[str]:
    """Return the names of a file's tables; one empty name for a file that is one table."""
    with reader.open_tables(path) as entries:
        return [entry.name for entry in entries]


@contextmanager
def open_table(path: Path, table: str | None = None) -> Iterator[DatasetReader]:
    """Open the table of this name; without a name the only one."""
    if table is None:
        with reader.open_dataset(path) as dataset:
            yield dataset
        return
    with reader.open_tables(path) as entries:
        yield {entry.name: entry for entry in entries}[table].open()
