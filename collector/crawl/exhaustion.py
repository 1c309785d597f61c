"""When a search, a playlist or a list of items is at its end: after so many empty pages. Pure.

An empty page is requested twice, because responses can be wrong. Where the source says that there
is more, the page after the empty one is requested once, too: some searches have a hole.
"""

from typing import Final

from collector.shard import Shard

EMPTY_PAGES_TO_EXHAUST: Final = 2


def is_exhausted(empty_pages: int, *, more: bool = False) -> bool:
    """Return whether so many empty pages in a row are an end.

    `more` says whether the source has rows after the empty page.
    """
    return empty_pages >= EMPTY_PAGES_TO_EXHAUST + (1 if more else 0)


def looks_beyond_hole(shard: Shard) -> bool:
    """Return whether the page at an open shard's cursor was empty each time it was requested."""
    return shard.status == "open" and shard.empty_pages >= EMPTY_PAGES_TO_EXHAUST
