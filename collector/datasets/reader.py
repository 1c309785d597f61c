"""Read CSV, gzipped CSV or Parquet row by row, as text, in constant memory.

The content of the file determines its format.
"""

import csv
import gzip
import hashlib
import io
import json
import re
import unicodedata
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from genrebase.errors import GenrebaseError, UserError

Row = Sequence[str]
"""One row, every cell as text."""

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ",\t;|"
_SEPARATOR: Final = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
_HEAD: Final = 4_096
"""Bytes at the beginning by which a binary file is recognised."""
DEFAULT_ENCODING: Final = "utf-8-sig"
"""It removes a byte-order mark, which would be part of the first column's name."""

_BATCH: Final = 5_000
_HASH_CHUNK: Final = 1 << 20


class NotADataset(UserError):
    """The file cannot be read as a dataset."""


class BrokenRow(StrEnum):
    """Why a line is not a row."""

    WIDTH = "wrong number of columns"
    TOO_LONG = "a cell of more than 131,072 characters"
    """The csv module's own limit."""


class DamagedFile(GenrebaseError):
    """The file is truncated or corrupt."""


class DatasetReader:
    """An open dataset: its header, and its rows."""

    header: Sequence[str]

    has_exact_count: ClassVar[bool] = False
    """Whether `estimate_rows` returns an exact number."""

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield every row with as many cells as the header, or the reason why it has not.

        Every call reads the file from its start.
        """
        raise NotImplementedError

    def estimate_rows(self, done: int) -> float | None:
        """Estimate the number of rows after `done` were read; None if unknown."""
        raise NotImplementedError


@contextmanager
def open_dataset(path: Path, encoding: str = DEFAULT_ENCODING) -> Iterator[DatasetReader]:
    """Open CSV (also with tabs or semicolons), the same gzipped, or Parquet.

    Raises `NotADataset` for other files, `DamagedFile` while reading a truncated one.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
    with raw:
        start = raw.read(4)
    if start == _PARQUET:
        yield _Parquet(path)
    elif start == _ZIP:
        raise NotADataset(f"{path} is a zip archive or a workbook: unpack it, or save as CSV.")
    else:
        yield _Delimited(path, start, encoding)


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
        digest.update(b"\0" + option.encode())
    return digest.hexdigest()


class _Lines:
    """The lines of a file; those of the current record can be read again."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._pushed_back: deque[str] = deque()
        self.consumed: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._pushed_back.popleft() if self._pushed_back else next(self._file)
        self.consumed.append(line)
        return line

    def balanced(self) -> bool:
        """Return whether the record closes every quote it opens; one line always passes."""
        return len(self.consumed) == 1 or sum(line.count('"') for line in self.consumed) % 2 == 0

    def push_back(self) -> None:
        """Read the lines after the first one of the current record again."""
        self._pushed_back.extendleft(reversed(self.consumed[1:]))


class _Delimited(DatasetReader):
    def __init__(self, path: Path, start: bytes, encoding: str) -> None:
        self._path, self._is_gzip, self._encoding = path, start.startswith(_GZIP), encoding
        self._size = path.stat().st_size
        self._raw: IO[bytes] | None = None
        with self._opened() as (text, head):
            first, delimiter = _first_lines(text)
        if not first.strip():
            raise NotADataset(f"{path} is empty: its first line has to name the columns.")
        if _is_binary(first, head):
            raise NotADataset(
                f"{path} is a binary file, or text in an encoding that has to be named "
                "(--encoding utf-16): give CSV or Parquet."
            )
        self._delimiter = delimiter or max(_DELIMITERS, key=first.count)
        try:
            names = next(csv.reader([first], delimiter=self._delimiter))
        except csv.Error as error:
            raise NotADataset(f"{path} does not begin with the columns' names: {error}.") from None
        self.header = [name.strip() for name in names]

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[str], bytes]]:
        """Open the file at its start; yield its text and its first bytes."""
        with self._translated_errors(), self._path.open("rb") as raw:
            self._raw = raw
            decompressed: Any = gzip.GzipFile(fileobj=raw) if self._is_gzip else raw
            file = io.BufferedReader(decompressed, 1 << 18)
            head = file.peek(_HEAD)[:_HEAD]
            with self._decoded(file) as text:
                yield text, head

    def _decoded(self, file: io.BufferedReader) -> IO[str]:
        errors = "surrogateescape"  # undecodable bytes are rejected row by row
        if file.peek(2)[:2] in _UTF16:
            self._encoding, errors = "utf-16", "replace"
        try:
            return io.TextIOWrapper(file, self._encoding, errors, newline="")
        except LookupError:
            raise NotADataset(f"There is no encoding called {self._encoding!r}.") from None

    def rows(self) -> Iterator[Row | BrokenRow]:
        with self._opened() as (text, _):
            _first_lines(text)
            yield from self._records(_Lines(text))

    def _records(self, lines: _Lines) -> Iterator[Row | BrokenRow]:
        records = csv.reader(lines, delimiter=self._delimiter)
        width = len(self.header)
        while True:
            try:
                for row in records:
                    if len(row) == width and len(lines.consumed) == 1:
                        yield row
                    elif row:  # skip blank lines
                        yield self._repaired(row, lines)
                    lines.consumed.clear()
            except csv.Error:
                reason = BrokenRow.WIDTH if len(lines.consumed) > 1 else BrokenRow.TOO_LONG
                lines.push_back()
                lines.consumed.clear()
                yield reason
            else:
                return

    def _repaired(self, row: list[str], lines: _Lines) -> list[str] | BrokenRow:
        """Return a row of another width, or of several lines, if it is usable.

        An unclosed quote swallows the rows after it: they are read again.
        """
        width = len(self.header)
        fits = len(row) >= width and not any(cell.strip() for cell in row[width:])
        if fits and lines.balanced():
            return row[:width]
        lines.push_back()
        return BrokenRow.WIDTH

    def estimate_rows(self, done: int) -> float | None:
        at = self._size if self._raw is None or self._raw.closed else self._raw.tell()
        return done * self._size / at if at else None

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DamagedFile(
                f"{self._path} is damaged: {error}. What came before is imported; "
                "get the whole file and start again."
            ) from error
        except UnicodeError as error:
            raise NotADataset(
                f"{self._path} cannot be read as {self._encoding} ({error}): name its encoding "
                "with --encoding, such as latin-1."
            ) from error


def _first_lines(file: IO[str]) -> tuple[str, str | None]:
    """Return the header's line, and the delimiter if Excel declared it (`sep=;`)."""
    first = _filled_line(file)
    match = _SEPARATOR.fullmatch(first)
    return (first, None) if match is None else (_filled_line(file), match[1])


def _filled_line(file: IO[str]) -> str:
    """Return the next line that is not blank; an empty one at the end of the file."""
    while (line := file.readline()) and not line.strip():
        pass
    return line


def _is_binary(first: str, head: bytes) -> bool:
    """Return whether a file is binary, by its first line and its first bytes."""
    if any(unicodedata.category(c) == "Cc" for c in first.strip() if c != "\t"):
        return True
    return b"\0" in head and not head.startswith(_UTF16) and any(map(_is_surrogate, first))


def _is_surrogate(character: str) -> bool:
    return unicodedata.category(character) == "Cs"


class _Parquet(DatasetReader):
    has_exact_count = True

    def __init__(self, path: Path) -> None:
        # pyarrow takes a quarter of a second to import, and CSV does not need it
        import pyarrow as pa
        from pyarrow import parquet

        self._path, self._broken = path, pa.ArrowException
        try:
            self._file = parquet.ParquetFile(path)
        except pa.ArrowException as error:
            raise NotADataset(f"{path} is not a Parquet file: {error}.") from error
        self.header = list(self._file.schema_arrow.names)

    def rows(self) -> Iterator[Row | BrokenRow]:
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                columns = (map(_as_text, column.to_pylist()) for column in batch.columns)
                yield from zip(*columns, strict=True)
        except (self._broken, OSError) as error:
            raise DamagedFile(
                f"{self._path} is damaged: {error}. What came before is imported; "
                "get the whole file and start again."
            ) from error

    def estimate_rows(self, done: int) -> float | None:  # noqa: ARG002 - the file's metadata has it
        return float(self._file.metadata.num_rows)


def _as_text(value: Any) -> str:
    """Return a value as a cell; a nested one as its JSON text."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return _decode(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=_as_text)
    return value if isinstance(value, str) else str(value)


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
