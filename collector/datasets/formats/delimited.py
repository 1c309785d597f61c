"""Read delimited text: CSV, tab-separated and the like, in constant memory."""

import csv
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Final

from collector.datasets.formats import dialect, text_encoding
from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.formats.table import (
    BrokenRow,
    DatasetReader,
    HeaderCheck,
    NamesTracks,
    NotADataset,
    Row,
)
from genrebase.counts import counted
from genrebase.errors import as_clause

_SAMPLE_LINES: Final = 100
_MAX_SAMPLE_LINE: Final = 1 << 18
"""Characters."""
_BACKSLASH_QUOTE: Final = '\\"'
_BLOCK: Final = 1 << 16
"""Characters of the lines that are read at once."""


class DelimitedText(DatasetReader):
    """A delimited text file."""

    def __init__(self, source: ByteSource, encoding: str, names_tracks: NamesTracks) -> None:
        """Read the header; raise `NotADataset` for an empty or binary file."""
        self._source, self._encoding = source, encoding
        self._lines: _Lines | None = None
        with self._opened() as text:
            lines = _sample(text)
        if self._is_mixed:
            lines = [text_encoding.decode_line(line, self._encoding) for line in lines]
        if not lines:
            raise NotADataset(f"{source.name} is empty: its first line has to name the columns.")
        if _is_binary(lines[0], source.head):
            raise NotADataset(
                f"{source.name} is a binary file, or text in an encoding that has to be named "
                "(--encoding utf-16): give a table, such as CSV, Parquet, JSON or a workbook."
            )
        self._dialect = dialect.detect_dialect(lines)
        names = self._names(lines)
        self._preamble = 0
        self._header_rows = 1
        if dialect.is_fma_tracks(names, lines[1].strip().split(",") if lines[1:] else []):
            raise NotADataset(
                f"{source.name} is FMA's table of tracks, with two header rows: import its folder "
                "(unpack fma_metadata.zip), or the file alone."
            )
        below = lines[self._dialect.skipped :]
        joined, rows = dialect.header_levels(below, self._dialect.delimiter, names_tracks)
        if rows > 1:
            names, self._header_rows = joined, rows
        elif not names_tracks(names):
            names = self._names_below(lines, names_tracks) or names
        sample = self._sample_rows(lines)
        if _has_row_names(names, sample):
            names = ["", *names]
        self.header = names[: _width(names, sample)]

    def _names(self, lines: list[str]) -> list[str]:
        skipped = self._dialect.skipped
        first = lines[skipped] if len(lines) > skipped else ""
        try:
            names = dialect.split_line(first, self._dialect.delimiter, quote=self._dialect.quote)
        except csv.Error as error:
            raise NotADataset(
                f"{self._source.name} does not begin with the columns' names: {as_clause(error)}."
            ) from None
        return [name.strip() for name in names]

    def _names_below(self, lines: list[str], names_tracks: NamesTracks) -> list[str]:
        """Skip the lines above a header that names tracks, and return it; empty without one."""
        below = dialect.skip_preamble(lines, self._dialect, names_tracks)
        if below is None:
            return []
        self._preamble = below.skipped - self._dialect.skipped
        self._dialect = below
        return self._names(lines)

    def _sample_rows(self, lines: list[str]) -> list[list[str]]:
        """Return the rows below the header among the first lines; none if one is malformed."""
        try:
            rows = list(self._reader(lines[self._header_rows + self._dialect.skipped :]))
        except csv.Error:
            return []
        return [row for row in rows if row]

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield the rows; a malformed row does not affect the others."""
        with self._opened() as text:
            self._lines = _Lines(text, self._encoding if self._is_mixed else None)
            for _ in range(self._header_rows + self._dialect.skipped):
                _skip_to_filled(self._lines)
            check = HeaderCheck(self.header)
            while block := self._lines.next_block():
                rows = None if check.is_reordered else self._rows_of_block(block, check)
                if rows is None:
                    self._lines.read_singly(block)
                    yield from self._records(self._lines, check)
                else:
                    self._lines.count(block)
                    yield from rows

    def estimate_rows(self, done: int) -> float | None:
        return self._source.estimate(done)

    @property
    def non_ascii_rows(self) -> int:  # type: ignore[override]  # counted line by line
        """Lines of the latest pass that hold a character beyond ASCII."""
        return 0 if self._lines is None else self._lines.non_ascii

    def notes(self) -> list[str]:
        """Return sentences on skipped lines, and on rows in another encoding than requested."""
        skipped = counted(self._preamble, "line")
        notes = [f"{skipped} above the header skipped."] if self._preamble else []
        lines = self._lines
        if lines is None or self._encoding == "utf-8-sig" or not self._is_mixed:
            return notes
        utf8 = lines.non_ascii - lines.redecoded
        if not utf8:
            return notes
        sentence = (
            f"{counted(utf8, 'row')} with characters beyond ASCII are valid UTF-8 and were read "
            f"as UTF-8; {counted(lines.redecoded, 'other')} as {self._encoding}."
        )
        return [*notes, sentence]

    @contextmanager
    def _opened(self) -> Iterator[IO[str]]:
        try:
            with self._source.open() as file:
                text, encoding, is_mixed = text_encoding.open_text(
                    file, self._source.head, self._encoding
                )
                self._encoding, self._is_mixed = encoding, is_mixed
                with text:
                    yield text
        except UnicodeError as error:
            raise NotADataset(
                f"{self._source.name} cannot be read as {self._encoding} ({error}): name its "
                "encoding with --encoding, such as latin-1."
            ) from error

    def _rows_of_block(self, block: list[str], check: HeaderCheck) -> list[list[str]] | None:
        """Return the rows of several lines, None unless every line is one usable row.

        The csv module reads a list of lines three times as fast as lines from our own iterator.
        """
        text = "".join(block)
        if _BACKSLASH_QUOTE in text or (self._is_mixed and text_encoding.is_undecoded(text)):
            return None
        try:
            rows = list(self._reader(block))
        except csv.Error:
            return None
        if len(rows) != len(block) or set(map(len, rows)) != {len(self.header)}:
            return None
        return rows if check.first_cells.isdisjoint([row[0] for row in rows]) else None

    def _records(self, lines: "_Lines", check: HeaderCheck) -> Iterator[Row | BrokenRow]:
        """Yield the rows up to the end of the block, or of the record that goes on after it."""
        records = self._reader(lines)
        width, consumed = len(self.header), lines.consumed
        first_cells = check.first_cells
        is_reordered = check.is_reordered
        while True:
            try:
                for row in records:
                    if (
                        len(row) == width
                        and len(consumed) == 1
                        and _BACKSLASH_QUOTE not in consumed[0]
                    ):
                        if is_reordered or row[0] in first_cells:
                            yield check.apply(row)
                            is_reordered = check.is_reordered
                        else:
                            yield row
                    elif row:  # skip blank lines
                        repaired = self._repaired(row, lines)
                        is_broken = isinstance(repaired, BrokenRow)
                        yield repaired if is_broken else check.apply(repaired)
                    consumed.clear()
                    if not lines.has_pending:
                        return
            except csv.Error:
                reason = BrokenRow.WIDTH if len(consumed) > 1 else BrokenRow.TOO_LONG
                lines.push_back()
                consumed.clear()
                yield reason
            else:
                return

    def _repaired(self, row: list[str], lines: "_Lines") -> list[str] | BrokenRow:
        """Return a row of another width, of several lines or with backslashes, if it is usable.

        An unclosed quote joins the following rows to its own: they are parsed again.
        """
        first = lines.consumed[0]
        is_usable = self._fits(row) and lines.balanced(self._dialect.quote)
        if _BACKSLASH_QUOTE in first and not (
            is_usable and dialect.backslash_quote(self._dialect.delimiter).search(first) is None
        ):
            try:
                escaped = dialect.split_line(first, self._dialect.delimiter, backslash=True)
            except csv.Error:
                escaped = []
            if self._fits(escaped):
                lines.push_back()
                return escaped[: len(self.header)]
        if is_usable:
            return row[: len(self.header)]
        lines.push_back()
        return BrokenRow.WIDTH

    def _reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        quote = self._dialect.quote
        return csv.reader(
            lines, delimiter=self._dialect.delimiter, quotechar=quote, skipinitialspace=True
        )

    def _fits(self, row: list[str]) -> bool:
        width = len(self.header)
        return len(row) >= width and not any(cell.strip() for cell in row[width:])


class _Lines:
    """The lines of a file; those of the current record can be read again."""

    def __init__(self, file: IO[str], encoding: str | None) -> None:
        """Decode lines that are not UTF-8 in `encoding`, if that is given."""
        self._file, self._encoding = file, encoding
        self._pushed_back: deque[str] = deque()
        self._block: deque[str] = deque()
        self.consumed: list[str] = []
        self.non_ascii = self.redecoded = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._pushed_back:
            line = self._pushed_back.popleft()
        else:
            line = self._block.popleft() if self._block else next(self._file)
            if not line.isascii():
                line = self._decoded(line)
        self.consumed.append(line)
        return line

    @property
    def has_pending(self) -> bool:
        """Whether lines were read that are not consumed."""
        return bool(self._pushed_back or self._block)

    def next_block(self) -> list[str]:
        """Return the next lines, as they are; empty at the end of the file."""
        return self._file.readlines(_BLOCK)

    def read_singly(self, block: list[str]) -> None:
        """Consume the lines of a block one by one."""
        self._block.extend(block)

    def count(self, block: list[str]) -> None:
        """Count the lines of a block that is consumed as a whole."""
        if not "".join(block).isascii():
            self.non_ascii += sum(not line.isascii() for line in block)

    def _decoded(self, line: str) -> str:
        self.non_ascii += 1
        if self._encoding is None or not text_encoding.is_undecoded(line):
            return line
        self.redecoded += 1
        return text_encoding.decode_row(line, self._encoding)

    def balanced(self, quote: str) -> bool:
        """Return whether the record closes every quote it opens; one line always passes."""
        return len(self.consumed) == 1 or sum(line.count(quote) for line in self.consumed) % 2 == 0

    def push_back(self) -> None:
        """Read the lines after the first one of the current record again."""
        self._pushed_back.extendleft(reversed(self.consumed[1:]))


def _has_row_names(names: list[str], rows: list[list[str]]) -> bool:
    """Return whether all rows begin with their number, which has no name, as R writes them."""
    are_longer = all(len(row) == len(names) + 1 and row[-1].strip() for row in rows)
    numbers = [row[0] for row in rows]
    are_counted = any(
        numbers == [str(first + place) for place in range(len(rows))] for first in (0, 1)
    )
    return len(rows) > 1 and are_longer and are_counted


def _width(names: list[str], rows: list[list[str]]) -> int:
    """Return how many columns there are; rows may lack the unnamed ones at the end."""
    named = max((place for place, name in enumerate(names, 1) if name), default=len(names))
    return named if sum(len(row) == named for row in rows) > len(rows) / 2 else len(names)


def _sample(file: IO[str]) -> list[str]:
    """Return the first lines that are not blank."""
    lines = iter(lambda: file.readline(_MAX_SAMPLE_LINE), "")
    return list(islice((line for line in lines if line.strip()), _SAMPLE_LINES))


def _skip_to_filled(lines: _Lines) -> None:
    """Consume lines up to the next one that is not blank."""
    for line in lines:
        if line.strip():
            break
    lines.consumed.clear()


def _is_binary(first: str, head: bytes) -> bool:
    """Return whether a file is binary, by its first line and its first bytes."""
    if head.startswith(b"%PDF-"):
        return True
    if any(unicodedata.category(c) == "Cc" for c in first.strip() if c != "\t"):
        return True
    return (
        b"\0" in head
        and text_encoding.detect_unicode(head) is None
        and any(unicodedata.category(c) == "Cs" for c in first)
    )
