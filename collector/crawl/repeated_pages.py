"""Notice a source that returns the same items whatever the offset. Pure.

Its shard would be requested to the end of what a search may return, and so would the parts that it
is split into: thousands of requests for one page of tracks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MAX_REPEATS: Final = 2
"""Pages in a row that bring nothing but the items of the page before them."""


@dataclass(slots=True)
class _LastPage:
    offset: int
    ids: frozenset[str]
    repeats: int = 0


@dataclass(slots=True)
class RepeatedPages:
    """Remembers the last page of each shard, for one run."""

    _last: dict[int, _LastPage] = field(default_factory=dict)

    def add(self, shard_id: int, offset: int, ids: Iterable[str]) -> bool:
        """Add the ids of a page; return whether its shard keeps giving the same page."""
        page, before = _LastPage(offset, frozenset(ids)), self._last.get(shard_id)
        if not page.ids:
            return False  # an empty page says something else: see `planning`
        if before is not None and page.offset > before.offset:
            page.repeats = before.repeats + 1 if page.ids <= before.ids else 0
        self._last[shard_id] = page
        return page.repeats >= MAX_REPEATS
