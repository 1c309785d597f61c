"""Which shard to ask next, and what a page means for its shard. Pure.

A shard is a slice of a genre's search space: its query, over a range of years. A search answers at
most `reach` rows, so a shard that gets there is split by years; its children stand behind all
others and are asked only while the genre lacks tracks. A single year that is still full is capped.
A shard is exhausted by an empty page, asked twice, because answers lie.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

ALL_YEARS: Final = (0, 9999)
"""The years of a shard that asks for no year."""

EMPTY_PAGES_TO_EXHAUST: Final = 2
DRY_PAGES_TO_POSTPONE: Final = 3
"""Pages without a new track after which a shard waits behind all others; it is never given up."""

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
    next_offset: int
    status: str
    """`open`, `split`, `exhausted` or `capped`."""
    requests: int
    tracks_new: int
    dry_pages: int
    """Pages in a row that brought no new track."""
    empty_pages: int
    """Empty pages in a row."""

    @property
    def years(self) -> tuple[int, int]:
        """Return its range of years, inclusive."""
        return self.year_from, self.year_to


@dataclass(frozen=True, slots=True)
class Need:
    """How far a genre is."""

    name: str
    target: int
    tracks: int
    """Unique tracks that count for it."""

    @property
    def missing(self) -> float:
        """Return the share of the target still missing, 0..1."""
        return max(0.0, 1 - self.tracks / self.target) if self.target else 0.0


def next_shard(
    shards: Iterable[Shard], needs: Mapping[int, Need], page_limit: int
) -> Shard | None:
    """Return the shard whose next page promises most new tracks, None where nothing is open.

    A promise is the yield per request so far (an unread shard is taken at a full page), weighted
    by the share of its genre's target still missing. Shards that ran dry wait behind all others,
    children behind their parents' generation.
    """
    waiting = [
        shard
        for shard in shards
        if shard.status == "open" and shard.genre_id in needs and needs[shard.genre_id].missing
    ]
    return min(
        waiting, key=lambda shard: _urgency(shard, needs[shard.genre_id], page_limit), default=None
    )


def _urgency(shard: Shard, need: Need, page_limit: int) -> tuple[bool, int, float, str, int, int]:
    dry = shard.dry_pages >= DRY_PAGES_TO_POSTPONE
    expected = (shard.tracks_new + page_limit) / (shard.requests + 1)
    promise = expected * need.missing
    return dry, shard.first_rank, -promise, need.name, shard.year_from, shard.next_offset


def after_page(shard: Shard, received: int, tracks_new: int, reach: int) -> Shard:
    """Return the shard as a page of `received` items leaves it.

    `tracks_new` of them were unknown; from the offset `reach` on a search answers nothing.
    """
    if received == 0:
        empty = shard.empty_pages + 1
        status = "exhausted" if empty >= EMPTY_PAGES_TO_EXHAUST else shard.status
        return replace(shard, status=status, empty_pages=empty, requests=shard.requests + 1)
    offset = shard.next_offset + received
    return replace(
        shard,
        next_offset=offset,
        status=_at_reach(shard) if offset >= reach else shard.status,
        requests=shard.requests + 1,
        tracks_new=shard.tracks_new + tracks_new,
        dry_pages=0 if tracks_new else shard.dry_pages + 1,
        empty_pages=0,
    )


def _at_reach(shard: Shard) -> str:
    return "capped" if shard.year_from == shard.year_to else "split"


def children(shard: Shard, this_year: int) -> Sequence[tuple[int, int]]:
    """Return the ranges of years that a shard is split into; together they cover its own."""
    if shard.years != ALL_YEARS:
        middle = (shard.year_from + shard.year_to) // 2
        return [(shard.year_from, middle), (middle + 1, shard.year_to)]
    last = this_year + 1  # releases are announced ahead
    cuts = [year for year in _FIRST_SPLIT if year <= last]
    ends = [*(year - 1 for year in cuts[1:]), last]
    return list(zip(cuts, ends, strict=True))
