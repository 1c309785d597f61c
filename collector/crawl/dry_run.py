"""Dry run of a harvest: the next request of each genre, without making any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.catalogue import playlists, shards
from collector.crawl import planning
from collector.crawl.forecast_limits import SourceLimits, next_sources
from collector.crawl.playlist_harvester import RECHECK_AFTER, next_offset
from collector.shard import ALL_YEARS
from genrebase.store.engine import Engine, read_transaction

_ANY_LIMIT = 50
"""Items a page; the order of one genre's shards does not depend on it."""


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """The next search of one genre."""

    genre: str
    target: int
    tracks: int
    """Unique tracks that count for it."""
    open_shards: int
    """Parts of its search space that are not read to their end; 1 before the first request."""
    query: str | None
    """The query of the next request; None if there is none."""
    year_from: int | None
    """With `year_to` 0: of the tracks without a date."""
    year_to: int | None
    offset: int | None
    source: str
    """The source that is requested."""


@dataclass(frozen=True, slots=True)
class PlannedPlaylist:
    """A playlist that would be read before any search for its genre."""

    genre: str
    playlist: str
    """Its id."""
    offset: int
    """The offset of the next page."""
    read_before: bool
    """It was read to its end, and would be checked for changes."""


def plan_playlists(
    engine: Engine, source: str, genres: list[str], now: datetime
) -> list[PlannedPlaylist]:
    """Return the playlists that would be read, of every genre that lacks tracks, or of these."""
    with read_transaction(engine) as connection:
        progress = shards.genre_progress(connection, genres)
        missing = {genre_id: need for genre_id, need in progress.items() if need.missing_share}
        unread = playlists.without_shard(connection, source, missing)
        due = playlists.due(connection, source, missing, now - RECHECK_AFTER)
    started = [
        PlannedPlaylist(
            missing[shard.genre_id].name,
            shard.query,
            offset=next_offset(shard),
            read_before=shard.status == "exhausted",
        )
        for shard in due
    ]
    new = [
        PlannedPlaylist(missing[genre_id].name, playlist_id, offset=0, read_before=False)
        for genre_id, playlist_id in unread
    ]
    return sorted([*started, *new], key=lambda one: (one.genre, one.playlist))


def plan_searches(
    engine: Engine, sources: Sequence[SourceLimits], genres: list[str]
) -> list[PlannedSearch]:
    """Return the next search of every genre with a target, or of these only.

    `sources` as in `forecast_genres`.
    """
    with read_transaction(engine) as connection:
        progress = shards.genre_progress(connection, genres)
        requested = next_sources(connection, sources, list(progress))
        new, all_open = {}, {}
        for source in sources:
            new[source] = shards.genres_without_shards(connection, source.name, progress)
            all_open[source] = shards.open_shards(connection, source.name, progress)
    searches = []
    for genre_id, need in sorted(progress.items(), key=lambda pair: pair[1].name):
        source = requested[genre_id]
        open_shards = [shard for shard in all_open[source] if shard.genre_id == genre_id]
        shard = planning.next_shard(open_shards, progress, _ANY_LIMIT)
        years = None if shard is None or shard.years == ALL_YEARS else shard.years
        searches.append(
            PlannedSearch(
                genre=need.name,
                target=need.target,
                tracks=need.tracks,
                open_shards=len(open_shards) or int(genre_id in new[source]),
                query=None if shard is None else shard.query,
                year_from=years and years[0],
                year_to=years and years[1],
                offset=None if shard is None else shard.next_offset,
                source=source.name,
            )
        )
    return searches
