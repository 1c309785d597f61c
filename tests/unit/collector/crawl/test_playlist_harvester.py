"""Cursors of playlists."""

from dataclasses import replace

import pytest

from collector.crawl import playlist_harvester
from collector.records import Page
from collector.shard import Shard

SHARD = Shard(
    **dict.fromkeys(Shard.__slots__, 0)
    | {"query": "a playlist", "year_to": 9999, "end_offset": None, "promised": None}
    | {"status": "open"}
)
READ = replace(SHARD, status="exhausted", next_offset=120, empty_pages=2)


def test_a_page_moves_the_cursor_by_the_items_received():
    """The next page begins after the last item received."""
    after = playlist_harvester.after_page(SHARD, 50, 17, 3)
    assert (after.next_offset, after.tracks_new, after.status) == (67, 3, "open")


def test_the_end_needs_two_empty_pages():
    """An item after an empty page restarts the count."""
    once = playlist_harvester.after_page(SHARD, 50, 0, 0)
    assert (once.status, once.next_offset) == ("open", 50)
    assert playlist_harvester.after_page(once, 50, 0, 0).status == "exhausted"
    more = playlist_harvester.after_page(once, 50, 1, 1)
    assert playlist_harvester.after_page(more, 51, 0, 0).status == "open"


def test_a_changed_playlist_is_read_from_the_start():
    """An emptied playlist needs two empty pages, too."""
    again = playlist_harvester.after_page(READ, 0, 50, 1)
    assert (again.status, again.next_offset) == ("open", 50)
    assert playlist_harvester.after_page(READ, 0, 0, 0).status == "open"


@pytest.mark.parametrize(
    ("shard", "version", "existing", "unchanged"),
    [
        (READ, "one", "one", True),
        (READ, "two", "one", False),
        (READ, None, None, False),
        (SHARD, "one", "one", False),
    ],
)
def test_only_a_complete_playlist_can_be_unchanged(shard, version, existing, unchanged):
    """A version that was read in part is continued."""
    assert playlist_harvester.is_unchanged(shard, Page((), 0, (), version), existing) is unchanged
