"""Cells of CSV files that a spreadsheet would execute as formulas."""

from collections.abc import Iterable
from typing import Any, Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula starts with; Excel also takes the full-width signs of East Asian keyboards."""


def as_text(cell: Any) -> Any:
    """Return a text that would be executed with an apostrophe before it, which shows it as text.

    Other cells, numbers among them, are returned unchanged.
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
