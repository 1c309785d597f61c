"""Notice a source that returns the same items, or nothing usable, whatever the offset. Pure.

Its shard would be requested to the end of what a search may return, and so would the parts that it
is split into: thousands of requests for one page of tracks.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

MAX_REPEATS: Final = 2
"""Pages in a row that bring nothing but items of the pages before them."""
MAX_UNUSABLE: Final = 5
"""Pages in a row without a usable item."""
_MAX_SHARDS: Final = 256
"""Shards that are remembered, those that were read last."""


@dataclass(slots=True)
class _ReadPages:
    offset: int = -1
    ids: set[str] = field(default_factory=set)
    repeats: int = 0
    unusable: int = 0


@dataclass(slots=True)
class RepeatedPages:
    """Remembers the items of each shard, for one run."""

    max_repeats: int = MAX_REPEATS
    max_unusable: int = MAX_UNUSABLE
    _read: OrderedDict[int, _ReadPages] = field(default_factory=OrderedDict)

    def add(self, shard_id: int, offset: int, ids: Collection[str], received: int) -> bool:
        """Add the ids of a page of `received` items; return whether its shard gets nowhere."""
        if not received:
            return False  # an empty page says something else: see `planning`
        pages = self._read.pop(shard_id, None)
        if pages is None or offset <= pages.offset:  # it is read from its start again
            pages = _ReadPages()
        pages.repeats = pages.repeats + 1 if ids and pages.ids.issuperset(ids) else 0
        pages.unusable = 0 if ids else pages.unusable + 1
        pages.offset = offset
        pages.ids.update(ids)
        self._read[shard_id] = pages
        if len(self._read) > _MAX_SHARDS:
            self._read.popitem(last=False)
        return pages.repeats >= self.max_repeats or pages.unusable >= self.max_unusable
