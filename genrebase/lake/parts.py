"""The parts of a lake: Parquet files, each named by the hash of its rows."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from genrebase.new_file import naming_the_full_file

_NAME_DIGITS: Final = 16
"""Hexadecimal digits of a hash in a file's name."""
_ROWS_HASHED: Final = 65_536
"""Rows that are in memory twice while they are hashed."""
_COMPRESSION_LEVEL: Final = 1
"""Of zstd: nearly as fast as snappy, and the files are a quarter smaller."""


@dataclass(frozen=True, slots=True)
class LakePart:
    """One Parquet file of a table or view."""

    relation: str
    number: int
    """Of its range of tracks: it begins with the ID `number` times the size of a range. Of a
    relation that is not cut by tracks: its place."""
    inputs: str
    """The hash of what it was made from."""
    file: str
    rows: int
    bytes: int


def hash_of_rows(rows: pa.Table) -> str:
    """Return the SHA-256 of the schema and the rows, in hexadecimal digits.

    Equal rows have an equal hash, whatever stands in memory where a value is NULL.
    """
    columns: list[pa.Array] = []
    for column in rows.combine_chunks().columns:
        columns += _canonical(column.combine_chunks())
    plain = pa.table(columns, names=[str(number) for number in range(len(columns))])
    sha256 = hashlib.sha256(rows.schema.to_string().encode())
    for batch in plain.to_batches(max_chunksize=_ROWS_HASHED):
        sha256.update(batch.serialize())
    return sha256.hexdigest()


def _canonical(values: pa.Array) -> list[pa.Array]:
    """Return arrays without NULLs and without unused bits, from which the values follow."""
    if isinstance(values, pa.ChunkedArray):  # of no chunk
        values = pa.concat_arrays(values.chunks) if values.chunks else pa.array([], values.type)
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    elif pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    if not values.null_count:
        return [values]
    empty = "" if pa.types.is_string(values.type) else 0
    return [values.is_valid().cast(pa.uint8()), values.fill_null(empty)]


def hash_of_texts(texts: Iterable[str]) -> str:
    """Return the SHA-256 of texts in their order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def file_name(number: int, rows_hash: str) -> str:
    """Return the name of a part's file."""
    return f"part-{number:05d}-{rows_hash[:_NAME_DIGITS]}.parquet"


def write_parquet(rows: pa.Table, file: Path) -> None:
    """Write a file that is on the disk, complete, before it has its name."""
    partial = file.with_name(f".{file.name}")
    with naming_the_full_file(file):
        with partial.open("wb") as opened:
            pq.write_table(rows, opened, compression="zstd", compression_level=_COMPRESSION_LEVEL)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(file)
