"""Rate and page limits of each source, for forecasts before the first request.

They repeat the limits of the sources' classes, whose modules import HTTP clients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.catalogue import shards
from collector.rate_limits import Rate
from collector.settings import CollectorSettings
from genrebase.store import source_ids
from genrebase.store.engine import Connection

PAGE_LIMITS: Final[Mapping[str, Sequence[int]]] = {
    source_ids.SPOTIFY: (50, 10),
    source_ids.MUSICBRAINZ: (100, 25),
    source_ids.INTERNET_ARCHIVE: (1_000,),
    source_ids.JAMENDO: (200,),
}
_OTHER_PAGE_LIMITS: Final = (50,)
_OTHER_RATE: Final = Rate(60, 30)


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """A source's rate and page limits."""

    name: str
    rate: Rate = _OTHER_RATE
    page_limits: Sequence[int] = _OTHER_PAGE_LIMITS
    """Items per page, the largest first."""


def configured(settings: CollectorSettings) -> tuple[SourceLimits, ...]:
    """Return the limits of the sources of `COLLECTOR_SOURCES`, in order."""
    rates = {
        source_ids.SPOTIFY: settings.rate,
        source_ids.MUSICBRAINZ: settings.musicbrainz_rate,
        source_ids.INTERNET_ARCHIVE: settings.archive_rate,
        source_ids.JAMENDO: settings.jamendo_rate,
    }
    return tuple(
        SourceLimits(name, rates.get(name, _OTHER_RATE), PAGE_LIMITS.get(name, _OTHER_PAGE_LIMITS))
        for name in settings.source_names
    )


def next_sources(
    connection: Connection, sources: Sequence[SourceLimits], genre_ids: Sequence[int]
) -> dict[int, SourceLimits]:
    """Return, per genre, the first of `sources` that has something left for it, else the last."""
    chosen: dict[int, SourceLimits] = {}
    for source in sources:
        left = shards.genres_without_shards(connection, source.name, genre_ids)
        left |= {
            shard.genre_id for shard in shards.open_shards(connection, source.name, genre_ids)
        }
        for genre_id in left:
            chosen.setdefault(genre_id, source)
    return {genre_id: chosen.get(genre_id, sources[-1]) for genre_id in genre_ids}
