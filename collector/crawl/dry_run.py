"""What a harvest would do next, without asking anything."""

from dataclasses import dataclass
from datetime import datetime

from collector import planning
from collector.catalogue import playlists, shards
from collector.crawl.playlists import LOOK_BACK
from genrebase.store.engine import Engine, reading

_ANY_LIMIT = 50
"""Items a page; which shard of one genre comes first does not hang on it."""


@dataclass(frozen=True, slots=True)
class Preview:
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
class PlaylistPreview:
    """A playlist that would be read before any search is asked for its genre."""

    genre: str
    playlist: str
    """Its id."""
    offset: int
    """Where reading would go on."""
    read_before: bool
    """It was read to its end, and would be looked at for changes."""


def preview_playlists(
    engine: Engine, source: str, genres: list[str], now: datetime
) -> list[PlaylistPreview]:
    """Return the playlists that would be read, of every genre that lacks tracks or of these."""
    with reading(engine) as connection:
        needs = shards.needs(connection, genres)
        lacking = {genre_id: need for genre_id, need in needs.items() if need.missing}
        unread = playlists.unread(connection, source, lacking)
        due = playlists.due(connection, source, lacking, now - LOOK_BACK)
    begun = [
        PlaylistPreview(
            lacking[shard.genre_id].name,
            shard.query,
            offset=0 if shard.status == "exhausted" else shard.next_offset,
            read_before=shard.status == "exhausted",
        )
        for shard in due
    ]
    fresh = [
        PlaylistPreview(lacking[genre_id].name, playlist_id, offset=0, read_before=False)
        for genre_id, playlist_id in unread
    ]
    return sorted([*begun, *fresh], key=lambda one: (one.genre, one.playlist))


def preview(engine: Engine, source: str, genres: list[str]) -> list[Preview]:
    """Return where every genre with a target stands, or these only."""
    with reading(engine) as connection:
        needs = shards.needs(connection, genres)
        fresh = shards.missing_roots(connection, source, needs)
        waiting = shards.open_shards(connection, source, needs)
    found = []
    for genre_id, need in sorted(needs.items(), key=lambda pair: pair[1].name):
        own = [shard for shard in waiting if shard.genre_id == genre_id]
        shard = planning.next_shard(own, needs, _ANY_LIMIT)
        years = None if shard is None or shard.years == planning.ALL_YEARS else shard.years
        found.append(
            Preview(
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
