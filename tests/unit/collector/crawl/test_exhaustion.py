"""How many empty pages end a search."""

from dataclasses import replace

import pytest

from collector.crawl.exhaustion import is_exhausted, looks_beyond_hole
from collector.shard import ALL_YEARS, Shard

SHARD = Shard(1, 1, 'genre:"rock"', *ALL_YEARS, 0, 0, 0, None, "open", 0, 0, 0, 0, None)


@pytest.mark.parametrize(
    ("empty_pages", "more", "is_end"),
    [(1, False, False), (2, False, True), (2, True, False), (3, True, True)],
)
def test_a_source_with_more_rows_is_requested_once_more(empty_pages, more, is_end):
    assert is_exhausted(empty_pages, more=more) == is_end


def test_only_an_open_shard_looks_beyond_a_hole():
    empty = replace(SHARD, empty_pages=2)
    assert looks_beyond_hole(empty)
    assert not looks_beyond_hole(replace(SHARD, empty_pages=1))
    assert not looks_beyond_hole(replace(empty, status="exhausted"))
