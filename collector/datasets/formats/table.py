"""The common interface of all formats: a table with a header, and rows of text cells."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from collector.datasets.parsing import cells
from genrebase.errors import GenrebaseError, UserError, as_clause

Row = Sequence[str]
"""One row, every cell as text."""

DEFAULT_ENCODING: Final = "utf-8-sig"
"""It removes a byte-order mark, which would be part of the first column's name."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_NO_LETTER: Final = re.compile(r"[\W_]+")
_WORD_BREAK: Final = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])")


class NotADataset(UserError):
    """The file cannot be read as a dataset."""


class DamagedFile(GenrebaseError):
    """The file is truncated or corrupt."""

    @classmethod
    def because(cls, name: str, reason: object) -> "DamagedFile":
        """Return the error for a file that breaks off while its rows are read."""
        return cls(
            f"{name} is damaged: {as_clause(reason)}. Rows that were imported before the "
            "damage are not counted twice: get the whole file and import it."
        )


class BrokenRow(StrEnum):
    """The reason why a line is not a row."""

    WIDTH = "wrong number of columns"
    TOO_LONG = "a cell of more than 131,072 characters"
    """The csv module's own limit."""
    HEADER = "the header again"
    NOT_JSON = "not a JSON object"


class DatasetReader:
    """An open dataset: its header, and its rows."""

    header: Sequence[str]
    """The columns' names, without blanks around them."""

    is_json: ClassVar[bool] = False

    row_count: int | None = None
    """The exact number of rows; None: unknown before they are read."""

    licence: ClassVar[str | None] = None
    """The licence of a published dataset with this layout, as in `genrebase.licences`."""

    non_ascii_rows: int = 0
    """Rows of the latest pass so far that hold a character beyond ASCII, decoded or not."""

    def notes(self) -> list[str]:
        """Return sentences on how the rows of the latest pass were read."""
        return []

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield each row, with as many cells as the header, or the reason why a line is not a row.

        Every call reads the file from its start.
        """
        raise NotImplementedError

    def whole_rows(self) -> Iterator[Row]:
        """Yield the rows without the lines that are none."""
        return (row for row in self.rows() if not isinstance(row, BrokenRow))

    def estimate_rows(self, done: int) -> float | None:  # noqa: ARG002 - some formats estimate
        """Estimate the number of rows after `done` were read; None if unknown."""
        return self.row_count


NamesTracks = Callable[[Sequence[str]], bool]
"""Returns whether a header names a title and an artist."""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table of a file."""

    name: str
    """Its name in the file: a sheet, a member of an archive; empty for a file of one table."""
    open: Callable[[], DatasetReader]
    """Reads its header; raises `NotADataset` if it is no table."""


class HeaderCheck:
    """Detects repeated headers among the rows, as in concatenated files."""

    def __init__(self, header: Sequence[str]) -> None:
        """Compare with `header` by letters and digits: `Track Name` repeats `track_name`."""
        self._names = [plain_name(name) for name in header]
        self._order: list[int] | None = None
        """Positions of the cells in the following rows, if a repeated header has another order."""
        self.first_cells = frozenset(form for name in header for form in _spellings(name))
        """Possible first cells of a repeated header; a quick test before `apply`."""

    @property
    def is_reordered(self) -> bool:
        """Whether the following rows have their cells in another order."""
        return self._order is not None

    def apply(self, row: Row) -> Row | BrokenRow:
        """Return a row with its cells in the header's order, or `HEADER` for a repeated header."""
        names = [plain_name(cell) for cell in row]
        if names == self._names and any(names):
            self._order = None
            return BrokenRow.HEADER
        if len(set(names)) == len(names) > 1 and sorted(names) == sorted(self._names):
            self._order = [names.index(name) for name in self._names]
            return BrokenRow.HEADER
        return row if self._order is None else [row[place] for place in self._order]


def _spellings(name: str) -> Iterator[str]:
    """Yield the spellings of a name: `track_name`, `Track Name`, `trackName` and the like."""
    words = [word for word in _WORD_BREAK.split(name) if word]
    joined = [separator.join(words) for separator in ("", " ", "_", "-", ".")]
    camel = "".join([*(word.lower() for word in words[:1]), *map(str.capitalize, words[1:])])
    for text in (name, *joined, " ".join(words).title().replace(" ", ""), camel):
        for form in (text, text.lower(), text.upper(), text.title(), text.capitalize()):
            yield from (form, _BYTE_ORDER_MARK + form)


def without_headers(header: Sequence[str], rows: Iterable[Row]) -> Iterator[Row | BrokenRow]:
    """Yield the rows, and `HEADER` for each repetition of the header."""
    check = HeaderCheck(header)
    for row in rows:
        if row and (check.is_reordered or row[0] in check.first_cells):
            yield check.apply(row)
        else:
            yield row


def plain_name(name: str) -> str:
    """Return a column's name as it is compared here: letters and digits only."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", name).casefold())


def as_text(value: Any) -> str:
    """Return a value as a cell; a list or an object as its JSON text, bytes decoded."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return cells.decode_bytes(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value)
