"""JSON documents that are one object: a single track, or a table by columns (pandas)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

WHOLE: Final = "."
"""The path of the document itself, if it is one object."""
COLUMNS: Final = "|"
"""The path of the rows of a document that holds a table by columns."""
_MAX_OBJECTS: Final = 100
"""Maximum of stored objects per list; a longer list is a table of its own."""


class WholeObject:
    """Collects the members of a document that is one object."""

    def __init__(self) -> None:
        self._members: dict[str, Any] = {}
        self._lists: dict[str, list[Any]] = {}

    def add(self, name: str, value: Any, *, is_element: bool) -> None:
        """Add a member, or an element of the list that is one."""
        if not is_element:
            self._members[name] = value
            return
        elements = self._lists.setdefault(name, [])
        if not isinstance(value, dict) or len(elements) < _MAX_OBJECTS:
            elements.append(value)

    def records(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the document as one record, and the rows of a table that it holds by columns."""
        if not self._members and not self._lists:
            return
        rows = self._rows()
        if rows is None:
            yield WHOLE, {**self._members, **self._lists}
        else:
            for row in rows:
                yield COLUMNS, row

    def _rows(self) -> Iterator[Mapping[str, Any]] | None:
        """Return the rows if the members are columns, as of pandas' `to_json`; else None."""
        names, data = self._lists.get("columns"), self._lists.get("data")
        if names and data and as_header(names) and all(isinstance(row, list) for row in data):
            return (dict(zip(names, row, strict=False)) for row in data)
        if not self._members and len(self._lists) > 1:
            columns = self._lists
            if len({len(column) for column in columns.values()}) == 1 and _are_scalars(columns):
                return (
                    dict(zip(columns, row, strict=True))
                    for row in zip(*columns.values(), strict=True)
                )
        if not self._lists and len(self._members) > 1:
            return _rows_of_objects(self._members)
        return None


def _are_scalars(columns: Mapping[str, list[Any]]) -> bool:
    return not any(isinstance(cell, dict) for column in columns.values() for cell in column)


def _rows_of_objects(members: Mapping[str, Any]) -> Iterator[Mapping[str, Any]] | None:
    """Return the rows of `{column: {row: cell}}`; None if the members are something else."""
    columns = list(members.values())
    if not all(isinstance(column, dict) and column for column in columns):
        return None
    keys = list(columns[0])
    if any(list(column) != keys for column in columns) or not all(map(str.isdigit, keys)):
        return None  # an object of objects: its members are the rows
    if any(isinstance(cell, dict) for column in columns for cell in column.values()):
        return None
    return ({name: members[name][key] for name in members} for key in keys)


def as_header(row: list[Any]) -> list[str]:
    """Return a row of names as a header; an empty list if it holds anything else."""
    is_header = len(row) > 1 and all(isinstance(name, str) and name.strip() for name in row)
    return row if is_header and len(set(row)) == len(row) else []
