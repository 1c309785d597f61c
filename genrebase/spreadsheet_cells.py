"""Cells of CSV files that a spreadsheet would execute as formulas."""

from collections.abc import Iterable
from typing import Any, Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The first characters of formulas; Excel also accepts full-width signs."""


def as_text(cell: Any) -> Any:
    """Return a formula with an apostrophe before it, so that spreadsheets treat it as text.

    Other cells, including numbers, are returned unchanged.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


class SpreadsheetWriter:
    """Writes rows to a CSV writer with every cell `as_text`."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def writerow(self, row: Iterable[Any]) -> None:
        """Write one row."""
        self._writer.writerow([as_text(cell) for cell in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write several rows."""
        for row in rows:
            self.writerow(row)
