"""Tables for terminals that show whole words at any width."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_FRAMED: Final = 3
"""Characters between two columns of a framed table: a blank, a line, a blank."""
_PLAIN: Final = 1
"""Characters between two columns without lines."""


def print_table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Print a table that breaks lines between words only.

    It has a frame where the columns fit into the console's width with one, otherwise blanks
    between the columns. Where the longest words do not fit side by side, each row is printed as
    lines of `column: cell`.
    """
    cells = [[column, *(row[at] for row in rows)] for at, column in enumerate(columns)]
    natural = [max(map(cell_len, column)) for column in cells]
    minimum = [max(map(_longest_word, column)) for column in cells]
    available = console.width - _FRAMED * len(columns) - 1
    table = Table(title=Text(title), title_justify="left")
    if sum(minimum) > available:
        available = console.width - _PLAIN * (len(columns) - 1)
        table.box, table.show_edge, table.pad_edge = box.SIMPLE_HEAD, False, False
        table.padding = 0
    if sum(minimum) > available:
        _print_records(console, title, columns, rows)
        return
    for column, width in zip(columns, _widths(natural, minimum, available), strict=True):
        table.add_column(Text(column), width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _widths(natural: Sequence[int], minimum: Sequence[int], available: int) -> list[int]:
    """Return the width of each column: its natural width, or a share of the remaining width."""
    wanted = [most - least for most, least in zip(natural, minimum, strict=True)]
    spare = available - sum(minimum)
    if sum(wanted) <= spare:
        return list(natural)
    return [
        least + extra * spare // sum(wanted) for least, extra in zip(minimum, wanted, strict=True)
    ]


def _print_records(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    console.print(Text(title, style="table.title"))
    for row in rows:
        console.print()
        for column, cell in zip(columns, row, strict=True):
            console.print(Text(f"{column}: {cell}" if column else cell))
