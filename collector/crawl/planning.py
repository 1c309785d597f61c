"""Crawl planning: which shard to request next, and how a page changes its shard. Pure.

A shard is a partition of a genre's search space: its query, over a range of years. A search
returns at most `max_results` rows, so a shard that reaches them is split by years; its children
come after all others and are requested only while the genre lacks tracks. A single year that is
still full is capped. `exhaustion` says after how many empty pages a shard is exhausted.

A narrower search returns the same rows in the same order, so the rows of a child that its parent
returned are at its head: the child is read from behind them to its end, and its head last of all.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from collector.crawl.exhaustion import is_exhausted, looks_beyond_hole
from collector.shard import ALL_YEARS, FIRST_SPLIT_YEAR, UNDATED, GenreProgress, NewShard, Shard

DRY_PAGES_TO_POSTPONE: Final = 3
"""Pages without a new track after which a shard comes after all others; it is never dropped."""

UNREAD_CHILD_YIELD: Final = 0.4
"""Maximum share of new tracks expected on a child's first page. A higher share would read the
first pages of all children of every genre, which hold the tracks that other genres show, too."""

_FIRST_SPLIT: Final = (FIRST_SPLIT_YEAR, 1970, 1990, 2000, 2010, 2015, 2020, 2023)
"""Where the years of a whole genre are cut: catalogues grow towards the present. Fixed, so that a
track's rank does not depend on the order of the crawl."""


def next_shard(
    shards: Iterable[Shard], needs: Mapping[int, GenreProgress], page_limit: int
) -> Shard | None:
    """Return the shard with the most new tracks expected on its next page, None if none is open.

    The expectation is weighted by the share of the genre's target still missing. Children come
    after all root shards; shards that brought nothing new lately, or seem to be at their end, come
    last. Ties are broken by a hash, which gives each genre its own order of years: in the same
    years genres show one another's tracks.
    """
    waiting = [
        shard
        for shard in shards
        if shard.status == "open"
        and shard.genre_id in needs
        and needs[shard.genre_id].missing_share
    ]
    return min(
        waiting,
        key=lambda shard: _priority(shard, needs[shard.genre_id], page_limit),
        default=None,
    )


def _priority(
    shard: Shard, need: GenreProgress, page_limit: int
) -> tuple[bool, bool, float, int, str, int]:
    expected = expected_new_tracks(shard, page_limit)
    postponed = shard.dry_pages >= DRY_PAGES_TO_POSTPONE or expected == 0
    weighted = expected * need.missing_share
    spread = zlib.crc32(f"{need.name}|{shard.year_from}".encode())
    return postponed, shard.first_rank > 0, -weighted, spread, need.name, shard.id


def expected_new_tracks(shard: Shard, page_limit: int) -> float:
    """Return the number of new tracks expected on the next page of a shard."""
    if shard.promised is None:
        return page_limit
    return (
        shard.promised if shard.requests else min(shard.promised, page_limit * UNREAD_CHILD_YIELD)
    )


def page_offset(shard: Shard, page_limit: int, max_results: int) -> int:
    """Return the offset of a shard's next page: its cursor, or a page further beyond a hole."""
    if not looks_beyond_hole(shard):
        return shard.next_offset
    return min(shard.next_offset + page_limit, max_results - 1)


def after_page(
    shard: Shard,
    received: int,
    tracks_new: int,
    requested: int,
    max_results: int,
    *,
    offset: int | None = None,
    total: int | None = None,
) -> Shard:
    """Return the shard after a page of `received` items at `offset` (None: its cursor).

    `tracks_new` of them were new, `requested` were requested; a search returns nothing from the
    offset `max_results` on. `total` is how many rows the source says it has, None if it does not.
    """
    requested_once = replace(shard, requests=shard.requests + 1)
    if received == 0:
        empty = replace(requested_once, empty_pages=shard.empty_pages + 1, promised=0.0)
        last = max_results if shard.end_offset is None else shard.head
        more = min(total or 0, last) > shard.next_offset + requested
        at_end = is_exhausted(empty.empty_pages, more=more)
        return _at_end(empty, max_results) if at_end else empty
    expected = requested if shard.promised is None else shard.promised
    seems_ended = received < requested
    after = replace(
        requested_once,
        next_offset=(shard.next_offset if offset is None else offset) + received,
        tracks_new=shard.tracks_new + tracks_new,
        dry_pages=0 if tracks_new else shard.dry_pages + 1,
        empty_pages=0,
        promised=0.0 if seems_ended else (expected + tracks_new) / 2,
    )
    head_is_read = shard.end_offset is not None and after.next_offset >= shard.head
    return (
        _at_end(after, max_results) if head_is_read or after.next_offset >= max_results else after
    )


def _at_end(shard: Shard, max_results: int) -> Shard:
    """Return the shard after its last row: split, reading its head, or closed."""
    end = shard.next_offset if shard.end_offset is None else shard.end_offset
    if end >= max_results and shard.year_from < shard.year_to:
        return replace(shard, status="split")
    if shard.end_offset is None and shard.head:
        return replace(shard, next_offset=0, end_offset=end, empty_pages=0, promised=0.0)
    return replace(
        shard,
        next_offset=end,
        end_offset=None,
        status="capped" if end >= max_results else "exhausted",
    )


def child_year_ranges(shard: Shard, this_year: int) -> Sequence[tuple[int, int]]:
    """Return the ranges of years to split a shard into; together they cover its own."""
    if shard.years != ALL_YEARS:
        middle = (shard.year_from + shard.year_to) // 2
        return [(shard.year_from, middle), (middle + 1, shard.year_to)]
    last = this_year + 1  # releases are announced ahead
    cuts = [year for year in _FIRST_SPLIT if year <= last]
    ends = [*(year - 1 for year in cuts[1:]), last]
    return list(zip(cuts, ends, strict=True))


def split_shard(
    shard: Shard,
    seen_by_year: Mapping[int, int],
    this_year: int,
    page_limit: int,
    max_results: int,
    *,
    undated: bool = False,
    has_set_aside: bool = False,
) -> Sequence[NewShard]:
    """Return the children to split a shard into.

    `seen_by_year` are the rows its searches returned, by release year: they are at the heads of
    the children. The more rows were seen of a child's years, the more new tracks are expected.
    With `undated` a whole genre gets one more child, for its items without a date.
    With `has_set_aside` the searches also returned rows of other genres, which `seen_by_year`
    does not count: they are taken to be of the same years.
    """
    made = []
    all_seen = sum(seen_by_year.values())
    rows_per_seen = max(1.0, max_results / all_seen) if has_set_aside and all_seen else 1.0
    for low, high in child_year_ranges(shard, this_year):
        seen = sum(rows for year, rows in seen_by_year.items() if low <= year <= high)
        rows = round(seen * rows_per_seen)
        head = max(0, min(rows, max_results - page_limit))  # leave something to request
        made.append(
            NewShard((low, high), shard.first_rank + max_results, head, promised=seen + 1.0)
        )
    if undated and shard.years == ALL_YEARS:
        made.append(NewShard(UNDATED, shard.first_rank + max_results, head=0, promised=None))
    return made
