"""What a harvest would do next, without asking anything."""

from dataclasses import dataclass
from datetime import datetime

from collector import planning
from collector.catalogue import playlists, shards
from collector.crawl.playlists import RECHECK_AFTER
from genrebase.store.engine import Engine, read_transaction

_ANY_LIMIT = 50
"""Items a page; which shard of one genre comes first does not hang on it."""


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """Where the harvest of one genre stands."""

    genre: str
    target: int
    tracks: int
    """Unique tracks that count for it."""
    open_shards: int
    """Parts of its search space that are not read to their end; 1 before the first request."""
    query: str | None
    """What would be asked next; None where nothing would."""
    year_from: int | None
    year_to: int | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class PlannedPlaylist:
    """A playlist that would be read before any search is asked for its genre."""

    genre: str
    playlist: str
    """Its id."""
    offset: int
    """Where reading would go on."""
    read_before: bool
    """It was read to its end, and would be looked at for changes."""


def plan_playlists(
    engine: Engine, source: str, genres: list[str], now: datetime
) -> list[PlannedPlaylist]:
    """Return the playlists that would be read, of every genre that lacks tracks or of these."""
    with read_transaction(engine) as connection:
        needs = shards.genre_progress(connection, genres)
        lacking = {genre_id: need for genre_id, need in needs.items() if need.missing_share}
        unread = playlists.without_shard(connection, source, lacking)
        due = playlists.due(connection, source, lacking, now - RECHECK_AFTER)
    begun = [
        PlannedPlaylist(
            lacking[shard.genre_id].name,
            shard.query,
            offset=0 if shard.status == "exhausted" else shard.next_offset,
            read_before=shard.status == "exhausted",
        )
        for shard in due
    ]
    fresh = [
        PlannedPlaylist(lacking[genre_id].name, playlist_id, offset=0, read_before=False)
        for genre_id, playlist_id in unread
    ]
    return sorted([*begun, *fresh], key=lambda one: (one.genre, one.playlist))


def plan_searches(engine: Engine, source: str, genres: list[str]) -> list[PlannedSearch]:
    """Return where every genre with a target stands, or these only."""
    with read_transaction(engine) as connection:
        needs = shards.genre_progress(connection, genres)
        fresh = shards.genres_without_shards(connection, source, needs)
        waiting = shards.open_shards(connection, source, needs)
    found = []
    for genre_id, need in sorted(needs.items(), key=lambda pair: pair[1].name):
        own = [shard for shard in waiting if shard.genre_id == genre_id]
        shard = planning.next_shard(own, needs, _ANY_LIMIT)
        years = None if shard is None or shard.years == planning.ALL_YEARS else shard.years
        found.append(
            PlannedSearch(
                genre=need.name,
                target=need.target,
                tracks=need.tracks,
                open_shards=len(own) or int(genre_id in fresh),
                query=None if shard is None else shard.query,
                year_from=years and years[0],
                year_to=years and years[1],
                offset=None if shard is None else shard.next_offset,
            )
        )
    return found
