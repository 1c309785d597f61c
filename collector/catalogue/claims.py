"""Which genre a track counts for.

The claim is the sighting with the best rank; a tie goes to the genre with fewer sightings, then
to the first by name. The rule does not depend on the order of the crawl: whenever the genres
change places by their number of sightings, the tied tracks are settled again.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, select, update

from genrebase.store import bulk, tables

TieBreakKeys = Mapping[int, tuple[int, str]]
"""Per genre id: (sightings, name): what decides a tie."""


def tie_break_keys(connection: Connection) -> dict[int, tuple[int, str]]:
    """Return every genre's standing."""
    genre = tables.genre
    rows = connection.execute(select(genre.c.id, genre.c.sightings, genre.c.name))
    return {row.id: (row.sightings, row.name) for row in rows}


def choose_claim(ranks: Mapping[int, int], standing: TieBreakKeys) -> tuple[int | None, bool]:
    """Return the genre that claims a track, and whether its best rank was tied.

    `ranks` is the best rank per genre id the track was sighted under.
    """
    if len(ranks) == 1:
        return next(iter(ranks)), False
    if not ranks:
        return None, False
    best = min(ranks.values())
    tied = [genre_id for genre_id, rank in ranks.items() if rank == best]
    return min(tied, key=standing.__getitem__), len(tied) > 1


def order_changed(before: TieBreakKeys, after: TieBreakKeys) -> bool:
    """Say whether two genres changed places, so that ties may fall otherwise."""
    return sorted(before, key=before.__getitem__) != sorted(after, key=after.__getitem__)


def recompute(connection: Connection, track_ids: Iterable[int]) -> None:
    """Bring the claims of these tracks up to date with their sightings."""
    ids = list(track_ids)
    ranks = best_ranks(connection, ids)
    standing = tie_break_keys(connection)
    current = bulk.select_in(
        connection,
        "SELECT t.id, t.genre_id, t.claim_tied FROM {values} CROSS JOIN track t"
        " WHERE t.id = listed.value",
        ids,
        sql_type="bigint",
    )
    changed = []
    for track_id, genre_id, tied in current:
        settled = choose_claim(ranks.get(track_id, {}), standing)
        if settled != (genre_id, bool(tied)):
            changed.append((*settled, track_id))
    bulk.update(connection, tables.track, ("genre_id", "claim_tied"), changed)


def recompute_tied(connection: Connection) -> None:
    """Settle every tied track again: the genres' standing has changed."""
    track = tables.track
    recompute(connection, connection.scalars(select(track.c.id).where(track.c.claim_tied)).all())


def recompute_all(connection: Connection) -> None:
    """Settle every track there is: genres were merged or removed."""
    recompute(connection, connection.scalars(select(tables.track.c.id)).all())


def best_ranks(connection: Connection, track_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Return per track the best rank under each genre it was sighted under."""
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, s.genre_id, s.best_rank FROM {values} CROSS JOIN sighting s"
        " WHERE s.track_id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    ranks: dict[int, dict[int, int]] = {}
    for track_id, genre_id, rank in rows:
        ranks.setdefault(track_id, {})[genre_id] = rank
    return ranks


def add_to_sighting_counts(connection: Connection, added: Mapping[int, int]) -> None:
    """Add to the genres' counters of sightings."""
    genre = tables.genre
    for genre_id in sorted(added):
        connection.execute(
            update(genre)
            .where(genre.c.id == genre_id)
            .values(sightings=genre.c.sightings + added[genre_id])
        )


def recount_sightings(connection: Connection, genre_ids: Iterable[int]) -> None:
    """Count the genres' sightings afresh: some were united or removed."""
    genre, sighting = tables.genre, tables.sighting
    counted = (
        select(func.count())
        .where(sighting.c.genre_id == genre.c.id)
        .correlate(genre)
        .scalar_subquery()
    )
    connection.execute(
        update(genre).where(genre.c.id.in_(list(genre_ids))).values(sightings=counted)
    )
