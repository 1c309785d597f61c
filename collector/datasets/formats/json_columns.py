"""Flatten the objects of a JSON list to columns: `album.name` for a name inside an album. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from collector.datasets.formats.table import as_text

_WRAPPERS: Final = frozenset({"track", "item", "track_metadata", "additional_info"})
"""Wrapper objects: their members become columns without the wrapper's name."""
_MAX_MEMBERS: Final = 200
"""An object with more different names of members stays JSON text: its names are data."""
_MAX_DEPTH: Final = 5

_Path = tuple[str, ...]


class JsonColumns:
    """The columns of the objects of one list, in order of first occurrence."""

    def __init__(self) -> None:
        self._paths: dict[_Path, None] = {}
        self._members: dict[_Path, set[str]] = {}
        self._collapsed: set[_Path] = set()
        """Paths of objects that stay JSON text."""
        self.objects = 0
        """Number of added objects."""

    def add(self, record: Mapping[str, Any]) -> None:
        """Add the columns of one object."""
        self.objects += 1
        for path, _ in self._flat(record, ()):
            if path not in self._paths:
                self._add_path(path)

    def _add_path(self, path: _Path) -> None:
        for depth in range(1, len(path)):
            outer = path[:depth]
            members = self._members.setdefault(outer, set())
            members.add(path[depth])
            if len(members) > _MAX_MEMBERS:
                self._collapsed.add(outer)
                self._paths = {
                    path: None for path in self._paths if path[:depth] != outer or path == outer
                }
                path = outer
                break
        self._paths[path] = None

    def header(self) -> list[str]:
        """Return the columns' names; wrappers are named only where a name would repeat."""
        plain = [self._unwrapped(path) for path in self._paths]
        return [
            name if plain.count(name) == 1 or len(path) == 1 else ".".join(path)
            for path, name in zip(self._paths, plain, strict=True)
        ]

    @staticmethod
    def _unwrapped(path: _Path) -> str:
        outer = [name for name in path[:-1] if name not in _WRAPPERS]
        return ".".join([*outer, path[-1]]).strip()

    def cells(self, record: Mapping[str, Any]) -> Sequence[str]:
        """Return the cells of one object, in the order of the header."""
        values = dict(self._flat(record, ()))
        return [as_text(values.get(path)) for path in self._paths]

    def _flat(self, record: Mapping[str, Any], outer: _Path) -> Iterator[tuple[_Path, Any]]:
        for name, value in record.items():
            path = (*outer, name)
            if isinstance(value, dict) and len(path) < _MAX_DEPTH and path not in self._collapsed:
                yield from self._flat(value, path)
            elif value is not None:
                yield path, value
