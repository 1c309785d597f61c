"""The scale of one numeric column: how a cell becomes the number that is stored. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collector.datasets.column_roles import feature_headers
from collector.datasets.parsing import number_cells
from collector.datasets.parsing.number_cells import Notation
from genrebase.store import tables

MAX_MILLISECONDS: Final = 2**31 - 1
MIN_MILLISECONDS: Final = 1_000
"""No track is shorter than a second: a smaller number is in another unit."""


class ColumnRefused(Exception):
    """A column is not taken, because its scale is not certain; the message is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnScale:
    """The notation of a column's cells, and the range of the stored values."""

    low: float
    high: float
    """Inclusive, after rescaling."""
    is_whole: bool = False
    """Whether fractions are out of range: the numbers are categories."""
    notation: Notation = Notation.POINT
    exponent: int = 0
    """The power of ten that a number is multiplied by: -2 for percent."""
    multiplier: float = 1.0
    """The factor of a number: 60,000 for minutes, which are stored as milliseconds."""
    unit: str | None = None
    """The unit after each number; a cell without it is unreadable."""
    words: Callable[[str], float | None] | None = None
    """Parses words and times, such as `C#` and `3:45`; the result is not rescaled."""
    are_numbers_words: bool = False
    """Whether `words` parses the numbers, too: 3.45 is 3:45."""
    note: str | None = None
    """The message about the column; None for the usual scale."""

    @property
    def is_plain(self) -> bool:
        """Whether Python's number of a cell is the value to store."""
        return (
            self.notation is Notation.POINT
            and not self.exponent
            and self.multiplier == 1
            and self.unit is None
            and not self.are_numbers_words
        )

    def read(self, cell: str) -> float | None:
        """Return a cell's rescaled number, in range or not; None for an unreadable cell."""
        if self.are_numbers_words:
            return self._read_word(cell)
        number, unit = (cell, None) if self.unit is None else number_cells.split_unit(cell)
        text = number_cells.plain_number(number, self.notation)
        if text is None:
            return self._read_word(cell)
        return self._rescaled(text) if unit == self.unit else None

    def fits(self, value: float) -> bool:
        """Return whether a rescaled number may be stored."""
        return self.low <= value <= self.high and (not self.is_whole or value.is_integer())

    def _read_word(self, cell: str) -> float | None:
        return None if self.words is None else self.words(cell)

    def _rescaled(self, text: str) -> float:
        if self.exponent:
            try:  # exact in decimals: 54.3 percent is 0.543
                return float(f"{text.strip()}e{self.exponent}")
            except ValueError:  # the number has an exponent already
                return float(text) * 10.0**self.exponent
        return float(text) * self.multiplier


def native_scale(field: str) -> ColumnScale:
    """Return the scale on which a field's numbers are stored: a feature, duration, popularity."""
    if field == feature_headers.DURATION:
        return ColumnScale(low=MIN_MILLISECONDS, high=MAX_MILLISECONDS)
    if field == feature_headers.POPULARITY:
        return ColumnScale(low=0, high=100)
    low, high = tables.FEATURE_RANGES[field]
    return ColumnScale(low=low, high=high, is_whole=field in tables.CATEGORICAL_FEATURES)
