"""What a harvest would do next, without asking anything."""

from dataclasses import dataclass

from collector import planning
from collector.catalogue import shards
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
