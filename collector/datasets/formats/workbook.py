"""Read workbooks: xlsx, xls, xlsb and ods; every sheet is a table."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from collector.datasets.formats.table import (
    BrokenRow,
    DatasetReader,
    HeaderCheck,
    NamesTracks,
    NotADataset,
    Row,
    TableEntry,
    as_text,
)
from genrebase.errors import as_clause

_MAX_TITLE_ROWS: Final = 20
"""Maximum of rows above the header, such as a title."""


class Sheet(DatasetReader):
    """One sheet of a workbook."""

    def __init__(
        self, workbook: Any, name: str, file_name: str, names_tracks: NamesTracks
    ) -> None:
        """Find the header: the first row that names a title and an artist, else the first one."""
        self._sheet = workbook.get_sheet_by_name(name)
        first = list(self._filled(_MAX_TITLE_ROWS))
        if not first:
            raise NotADataset(f"The sheet {name!r} of {file_name} is empty.")
        self._header_row, cells = next((one for one in first if names_tracks(one[1])), first[0])
        width = max(place for place, cell in enumerate(cells, 1) if cell)
        self.header = [cell.strip() for cell in cells[:width]]
        self.row_count = max(self._sheet.total_height - 1 - self._header_row, 0)  # and blank ones

    def _filled(self, limit: int | None = None) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, with their numbers."""
        for number, row in enumerate(self._sheet.iter_rows()):
            if limit is not None and number >= limit:
                return
            cells = [_cell(value) for value in row]
            if any(cell.strip() for cell in cells):
                yield number, cells

    def rows(self) -> Iterator[Row | BrokenRow]:
        check, width = HeaderCheck(self.header), len(self.header)
        for number, cells in self._filled():
            if number > self._header_row:
                if any(cells[width:]):
                    yield BrokenRow.WIDTH
                else:
                    yield check.apply(cells[:width])


def tables(path: Path, name: str, names_tracks: NamesTracks) -> list[TableEntry]:
    """Return the sheets of a workbook; raise `NotADataset` if it cannot be read."""
    import python_calamine  # slow to import, and few imports need it

    try:
        with path.open("rb") as file:
            workbook = python_calamine.CalamineWorkbook.from_filelike(file)
    except (python_calamine.CalamineError, OSError) as error:
        raise NotADataset(
            f"{name} is a workbook that cannot be read: {as_clause(error)}."
        ) from error
    sheets = workbook.sheet_names
    return [
        TableEntry(
            "" if len(sheets) == 1 else sheet, partial(Sheet, workbook, sheet, name, names_tracks)
        )
        for sheet in sheets
    ]


def _cell(value: Any) -> str:
    """Return a cell as text; a whole number without a decimal point, as a workbook shows it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return as_text(value)
