"""Detect a source that returns the same items, or nothing usable, at every offset. Pure.

Without this check, its shard would be requested up to the maximum offset, and so would each part
into which it is split: thousands of requests for one page of tracks.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

MAX_REPEATS: Final = 2
"""Consecutive pages with items of earlier pages only, after which a shard is closed."""
MAX_UNUSABLE: Final = 5
"""Consecutive pages without a usable item, after which a shard is closed."""
_MAX_SHARDS: Final = 256
"""Maximum of shards whose items are stored, the latest ones."""


@dataclass(slots=True)
class _ReadPages:
    offset: int = -1
    ids: set[str] = field(default_factory=set)
    repeats: int = 0
    unusable: int = 0


@dataclass(slots=True)
class RepeatedPages:
    """Stores the ids of each shard's items, for one run."""

    max_repeats: int = MAX_REPEATS
    max_unusable: int = MAX_UNUSABLE
    _read: OrderedDict[int, _ReadPages] = field(default_factory=OrderedDict)

    def add(self, shard_id: int, offset: int, ids: Collection[str], received: int) -> bool:
        """Add the ids of a page of `received` items; return whether to close its shard."""
        if not received:
            return False  # `planning` handles empty pages
        pages = self._read.pop(shard_id, None)
        if pages is None or offset <= pages.offset:  # a new pass from the start
            pages = _ReadPages()
        pages.repeats = pages.repeats + 1 if ids and pages.ids.issuperset(ids) else 0
        pages.unusable = 0 if ids else pages.unusable + 1
        pages.offset = offset
        pages.ids.update(ids)
        self._read[shard_id] = pages
        if len(self._read) > _MAX_SHARDS:
            self._read.popitem(last=False)
        return pages.repeats >= self.max_repeats or pages.unusable >= self.max_unusable
