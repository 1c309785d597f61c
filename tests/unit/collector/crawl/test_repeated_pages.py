"""A source that returns the same page whatever the offset."""

from collector.crawl.repeated_pages import MAX_REPEATS, MAX_UNUSABLE, RepeatedPages


def test_the_same_page_twice_more_is_noticed() -> None:
    """The first page, and two that hold nothing else, in whatever order."""
    pages = RepeatedPages()
    seen = [pages.add(1, offset, ids, 3) for offset, ids in ((0, "abc"), (3, "cba"), (6, "ab"))]
    assert seen == [False] * MAX_REPEATS + [True]


def test_what_moves_on_is_not_taken_for_it() -> None:
    """Overlapping pages, requests repeated, empty pages and other shards count for nothing."""
    pages = RepeatedPages()
    moving = ((0, "abc"), (3, "cd"), (6, "d"), (9, "ef"), (12, "ef"), (12, "ef"), (12, "ef"))
    assert not any(pages.add(1, offset, ids, 3) for offset, ids in moving)
    again = ((0, "ef"), (2, "ef"), (0, "ef"), (2, "ef"))
    assert not any(pages.add(3, offset, ids, 3) for offset, ids in again)
    assert not any(pages.add(2, offset, "", 0) for offset in range(9))
    assert not any(pages.add(shard, shard, "ef", 3) for shard in range(4, 9))


def test_pages_in_turns_are_noticed() -> None:
    """Items of any earlier page of the shard are nothing new."""
    pages = RepeatedPages()
    turns = ((0, "abc"), (3, "def"), (6, "abc"), (9, "fed"))
    assert [pages.add(1, *turn, 3) for turn in turns] == [False, False, False, True]


def test_pages_of_nothing_usable_are_noticed() -> None:
    """A few of them may be chance."""
    pages = RepeatedPages()
    assert not pages.add(1, 0, "a", 3)
    seen = [pages.add(1, 3 * page, "", 3) for page in range(1, MAX_UNUSABLE + 1)]
    assert seen == [False] * (MAX_UNUSABLE - 1) + [True]


def test_memory_is_bounded() -> None:
    """The shards that were read last are remembered."""
    pages = RepeatedPages()
    for shard in range(9_999):
        pages.add(shard, 0, "abc", 3)
    assert len(pages._read) < 999
