"""Which shard to ask next, and what a page means for its shard. Pure.

A shard is a slice of a genre's search space: its query, over a range of years. A search answers at
most `reach` rows, so a shard that gets there is split by years; its children stand behind all
others and are asked only while the genre lacks tracks. A single year that is still full is capped.
A shard is exhausted by an empty page, asked twice, because answers lie.

A narrower search shows the same rows in the same order, so the rows of a child that its parent
showed stand at its head: it is read from behind them to its end, and its head last of all.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

ALL_YEARS: Final = (0, 9999)
"""The years of a shard that asks for no year."""

CLOSED_STATUSES: Final = ("exhausted", "capped")
"""Statuses of shards that were read as far as a search shows them."""

EMPTY_PAGES_TO_EXHAUST: Final = 2
DRY_PAGES_TO_POSTPONE: Final = 3
"""Pages without a new track after which a shard waits behind all others; it is never given up."""

RECRAWL_AFTER: Final = timedelta(days=30)
RECENT_RECRAWL_SHARE: Final = 0.25
"""Of the look-back period, after which a shard with the current year in it is read again."""

UNREAD_CHILD_YIELD: Final = 0.4
"""Share of a page that an unread child is taken at, at most. Greater hopes lead every genre over
the first pages of all its children, where the tracks stand that other genres show, too."""

_FIRST_SPLIT: Final = (1900, 1970, 1990, 2000, 2010, 2015, 2020, 2023)
"""Where the years of a whole genre are cut: catalogues grow towards the present. Fixed, so that a
track's rank does not depend on the order of the crawl."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A slice of a genre's search space, and how far it was read."""

    id: int
    genre_id: int
    query: str
    year_from: int
    year_to: int
    first_rank: int
    """Rank of the row at offset 0."""
    head: int
    """Rows at its beginning that were seen before it was made; they are read last."""
    next_offset: int
    end_offset: int | None
    """Where its rows end, known while its head is read; None before."""
    status: str
    """`open`, `split_shard`, `exhausted` or `capped`."""
    requests: int
    tracks_new: int
    dry_pages: int
    """Pages in a row that brought no new track."""
    empty_pages: int
    """Empty pages in a row."""
    promised: float | None
    """New tracks its next page is expected to bring; None: a full page, nobody knows better."""

    @property
    def years(self) -> tuple[int, int]:
        """Return its range of years, inclusive."""
        return self.year_from, self.year_to


@dataclass(frozen=True, slots=True)
class GenreProgress:
    """How far a genre is."""

    name: str
    target: int
    tracks: int
    """Unique tracks that count for it."""

    @property
    def missing_share(self) -> float:
        """Return the share of the target still missing, 0..1."""
        return max(0.0, 1 - self.tracks / self.target) if self.target else 0.0


@dataclass(frozen=True, slots=True)
class NewShard:
    """A shard that is to be made."""

    years: tuple[int, int]
    first_rank: int
    head: int
    promised: float | None


ROOT_SHARD: Final = NewShard(ALL_YEARS, first_rank=0, head=0, promised=None)
"""A genre before the first request."""


def next_shard(
    shards: Iterable[Shard], needs: Mapping[int, GenreProgress], page_limit: int
) -> Shard | None:
    """Return the shard whose next page promises most new tracks, None where nothing is open.

    A promise is weighted by the share of its genre's target still missing. Children stand behind
    all first-hand shards; those that ran dry, or seem to be at their end, behind all others. Where
    promises are equal, each genre takes the years in an order of its own: in the same years genres
    show one another's tracks.
    """
    waiting = [
        shard
        for shard in shards
        if shard.status == "open"
        and shard.genre_id in needs
        and needs[shard.genre_id].missing_share
    ]
    return min(
        waiting, key=lambda shard: _urgency(shard, needs[shard.genre_id], page_limit), default=None
    )


def _urgency(
    shard: Shard, need: GenreProgress, page_limit: int
) -> tuple[bool, bool, float, int, str, int]:
    brings = expected_new_tracks(shard, page_limit)
    postponed = shard.dry_pages >= DRY_PAGES_TO_POSTPONE or brings == 0
    promise = brings * need.missing_share
    spread = zlib.crc32(f"{need.name}|{shard.year_from}".encode())
    return postponed, shard.first_rank > 0, -promise, spread, need.name, shard.id


def expected_new_tracks(shard: Shard, page_limit: int) -> float:
    """Return how many new tracks the next page of a shard is expected to bring."""
    if shard.promised is None:
        return page_limit
    return (
        shard.promised if shard.requests else min(shard.promised, page_limit * UNREAD_CHILD_YIELD)
    )


def after_page(shard: Shard, received: int, tracks_new: int, requested: int, reach: int) -> Shard:
    """Return the shard as a page of `received` items leaves it.

    `tracks_new` of them were unknown, `asked` were asked for; from the offset `reach` on a search
    answers nothing.
    """
    asked_once = replace(shard, requests=shard.requests + 1)
    if received == 0:
        empty = replace(asked_once, empty_pages=shard.empty_pages + 1, promised=0.0)
        return empty if empty.empty_pages < EMPTY_PAGES_TO_EXHAUST else _at_end(empty, reach)
    hoped = requested if shard.promised is None else shard.promised
    seems_ended = received < requested
    after = replace(
        asked_once,
        next_offset=shard.next_offset + received,
        tracks_new=shard.tracks_new + tracks_new,
        dry_pages=0 if tracks_new else shard.dry_pages + 1,
        empty_pages=0,
        promised=0.0 if seems_ended else (hoped + tracks_new) / 2,
    )
    head_is_read = shard.end_offset is not None and after.next_offset >= shard.head
    return _at_end(after, reach) if head_is_read or after.next_offset >= reach else after


def _at_end(shard: Shard, reach: int) -> Shard:
    """Return the shard as it goes on where there is nothing more to read."""
    end = shard.next_offset if shard.end_offset is None else shard.end_offset
    if end >= reach and shard.year_from < shard.year_to:
        return replace(shard, status="split")
    if shard.end_offset is None and shard.head:
        return replace(shard, next_offset=0, end_offset=end, empty_pages=0, promised=0.0)
    return replace(
        shard, next_offset=end, end_offset=None, status="capped" if end >= reach else "exhausted"
    )


def child_year_ranges(shard: Shard, this_year: int) -> Sequence[tuple[int, int]]:
    """Return the ranges of years that a shard is split into; together they cover its own."""
    if shard.years != ALL_YEARS:
        middle = (shard.year_from + shard.year_to) // 2
        return [(shard.year_from, middle), (middle + 1, shard.year_to)]
    last = this_year + 1  # releases are announced ahead
    cuts = [year for year in _FIRST_SPLIT if year <= last]
    ends = [*(year - 1 for year in cuts[1:]), last]
    return list(zip(cuts, ends, strict=True))


def split_shard(
    shard: Shard, seen_by_year: Mapping[int, int], this_year: int, page_limit: int, reach: int
) -> Sequence[NewShard]:
    """Return the slices that a shard is split into.

    `seen_by_year` are the rows its searches showed, by release year: they stand at the heads
    of the children. The more were seen of a child's years, the more it promises.
    """
    made = []
    for low, high in child_year_ranges(shard, this_year):
        seen = sum(rows for year, rows in seen_by_year.items() if low <= year <= high)
        head = max(0, min(seen, reach - page_limit))  # something is left to ask for
        made.append(NewShard((low, high), shard.first_rank + reach, head, promised=seen + 1.0))
    return made


def is_due(
    status: str, year_to: int, visited_at: datetime, now: datetime, recrawl_after: timedelta
) -> bool:
    """Say whether a shard that was read to its end is to be read again, for what came since."""
    if status not in CLOSED_STATUSES:
        return False
    recent = year_to >= now.year
    return now - visited_at >= (recrawl_after * RECENT_RECRAWL_SHARE if recent else recrawl_after)


def reopened(shard: Shard) -> Shard:
    """Return a closed shard as it is read again: from its first row on, behind all others."""
    return replace(
        shard,
        status="open",
        head=0,
        next_offset=0,
        end_offset=None,
        dry_pages=0,
        empty_pages=0,
        promised=0.0,
    )


def years_added_since(last_year: int, first_rank: int, this_year: int) -> NewShard | None:
    """Return the years that came after a genre was split up to `last_year`, None for none."""
    announced = this_year + 1
    if last_year >= announced:
        return None
    return NewShard((last_year + 1, announced), first_rank, head=0, promised=None)
