"""Infer whether the numbers of a column have decimal points or decimal commas. Pure."""

from collections.abc import Sequence

from collector.datasets.number_summary import NumberSummary
from collector.datasets.parsing.number_cells import Notation
from collector.datasets.survey import ColumnSummary


def table_notation(columns: Sequence[ColumnSummary]) -> Notation | None:
    """Return the notation that a table's columns prove; None without proof, or with both."""
    proofs = {
        Notation.COMMA if _comma_count(column) > column.points.total else Notation.POINT
        for column in columns
        if _comma_count(column) != column.points.total
        and 2 * max(_comma_count(column), column.points.total) >= column.present
    }
    return proofs.pop() if len(proofs) == 1 else None


def column_notation(column: ColumnSummary, table: Notation | None) -> Notation | None:
    """Return the notation of a column's numbers, None if both fit and differ."""
    commas = _comma_count(column)
    if commas != column.points.total:
        return Notation.COMMA if commas > column.points.total else Notation.POINT
    if column.commas is None or _bounds(column.commas) == _bounds(column.points):
        return Notation.POINT
    return table


def _comma_count(column: ColumnSummary) -> int:
    return 0 if column.commas is None else column.commas.total


def _bounds(numbers: NumberSummary) -> tuple[float, float]:
    return numbers.minimum, numbers.maximum
