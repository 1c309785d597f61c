"""A shard: a partition of a genre's search space, how far it was read, and when it is read again.

A shard is a query over a range of years. Pure.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

ALL_YEARS: Final = (0, 9999)
"""The years of a shard whose query names no year."""

FIRST_SPLIT_YEAR: Final = 1900
"""The first year of a split; earlier releases are searched for together with it."""

UNDATED: Final = (0, 0)
"""The years of a shard of the items without a date, at sources that can search for them."""

RECRAWL_AFTER: Final = timedelta(days=30)

RECENT_RECRAWL_SHARE: Final = 0.25
"""Share of the recrawl period after which a shard with the current year is read again."""

CLOCK_TOLERANCE: Final = timedelta(days=1)
"""A visit later than that comes from a clock that was set back since."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A partition of a genre's search space, and how far it was read."""

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
    """Where its rows end, set while its head is read; None before."""
    status: str
    """`open`, `split`, `exhausted` or `capped`."""
    requests: int
    tracks_new: int
    dry_pages: int
    """Pages in a row that brought no new track."""
    empty_pages: int
    promised: float | None
    """New tracks expected on its next page; None without an estimate: a full page."""
    cursor: str | None = None
    """The source's own mark of the next page, where it has one; None: `next_offset` counts."""

    @property
    def years(self) -> tuple[int, int]:
        """Return its range of years, inclusive."""
        return self.year_from, self.year_to


@dataclass(frozen=True, slots=True)
class GenreProgress:
    """A genre's target and the tracks it has."""

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
    """A shard to add."""

    years: tuple[int, int]
    first_rank: int
    head: int
    promised: float | None


ROOT_SHARD: Final = NewShard(ALL_YEARS, first_rank=0, head=0, promised=None)
"""A genre before the first request."""


def reopened(shard: Shard) -> Shard:
    """Return a closed shard reopened: read from its first row on, after all others."""
    return replace(
        shard,
        status="open",
        head=0,
        next_offset=0,
        end_offset=None,
        cursor=None,
        dry_pages=0,
        empty_pages=0,
        promised=0.0,
    )


def years_added_since(last_year: int, first_rank: int, this_year: int) -> NewShard | None:
    """Return a shard of the years that began after a genre was split, None if none did."""
    announced = this_year + 1
    if last_year >= announced:
        return None
    return NewShard((last_year + 1, announced), first_rank, head=0, promised=None)
