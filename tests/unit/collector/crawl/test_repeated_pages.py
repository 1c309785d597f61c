"""A source that returns the same page whatever the offset."""

from collector.crawl.repeated_pages import MAX_REPEATS, RepeatedPages


def test_the_same_page_twice_more_is_noticed() -> None:
    """The first page, and two that hold nothing else, in whatever order."""
    pages = RepeatedPages()
    seen = [pages.add(1, offset, ids) for offset, ids in ((0, "abc"), (3, "cba"), (6, "ab"))]
    assert seen == [False] * MAX_REPEATS + [True]


def test_what_moves_on_is_not_taken_for_it() -> None:
    """Overlapping pages, requests repeated, empty pages and other shards count for nothing."""
    pages = RepeatedPages()
    moving = ((0, "abc"), (3, "cd"), (6, "d"), (9, "ef"), (12, "ef"), (12, "ef"), (12, "ef"))
    assert not any(pages.add(1, offset, ids) for offset, ids in moving)
    again = ((0, "ef"), (2, "ef"), (0, "ef"), (2, "ef"))
    assert not any(pages.add(3, offset, ids) for offset, ids in again)
    assert not any(pages.add(2, offset, "") for offset in range(9))
    assert not any(pages.add(shard, shard, "ef") for shard in range(4, 9))
