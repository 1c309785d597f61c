"""The claim: the one genre (primary label) that a track counts for.

The rule is in `genrebase.store.claims`. It does not depend on the order of the crawl: whenever the
order of the genres by their number of tracks changes, the claims of tied tracks are recomputed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, func, select, update

from genrebase.store import bulk, tables
from genrebase.store.claims import choose_claim

_TIED_AT_ONCE: Final = 50_000
"""Tied tracks that are held in memory."""

TieBreakKeys = Mapping[int, tuple[int, str]]
"""Per genre id: (sighted tracks, name), by which ties are broken."""


def tie_break_keys(connection: Connection) -> dict[int, tuple[int, str]]:
    """Return the tie-break key of every genre."""
    genre = tables.genre
    rows = connection.execute(select(genre.c.id, genre.c.sightings, genre.c.name))
    return {row.id: (row.sightings, row.name) for row in rows}


def order_changed(before: TieBreakKeys, after: TieBreakKeys) -> bool:
    """Return whether the order of the genres changed, so that ties may go to another genre."""
    return sorted(before, key=before.__getitem__) != sorted(after, key=after.__getitem__)


def recompute(connection: Connection, track_ids: Iterable[int]) -> None:
    """Recompute the claims of these tracks from their sightings."""
    ids = list(track_ids)
    ranks = best_ranks(connection, ids)
    keys = tie_break_keys(connection)
    current = bulk.select_in(
        connection,
        "SELECT t.id, t.genre_id, t.claim_tied FROM {values} CROSS JOIN track t"
        " WHERE t.id = listed.value",
        ids,
        sql_type="bigint",
    )
    changed = []
    for track_id, genre_id, tied in current:
        claim = choose_claim(ranks.get(track_id, {}), keys)
        if claim != (genre_id, bool(tied)):
            changed.append((*claim, track_id))
    bulk.update(connection, tables.track, ("genre_id", "claim_tied"), changed)


def recompute_tied(connection: Connection) -> None:
    """Recompute the claims of all tied tracks, after the order of the genres has changed."""
    track, last = tables.track.c, 0
    while True:
        query = select(track.id).where(track.claim_tied, track.id > last).order_by(track.id)
        ids = connection.scalars(query.limit(_TIED_AT_ONCE)).all()
        recompute(connection, ids)
        if len(ids) < _TIED_AT_ONCE:
            return
        last = ids[-1]


def claims(connection: Connection, track_ids: Sequence[int]) -> dict[int, int | None]:
    """Return the genre that claims each of these tracks."""
    rows = bulk.select_in(
        connection,
        "SELECT t.id, t.genre_id FROM {values} CROSS JOIN track t WHERE t.id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    return dict(map(tuple, rows))


def best_ranks(connection: Connection, track_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Return per track the best rank in each genre it was sighted in, over all sources."""
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, s.genre_id, s.best_rank FROM {values} CROSS JOIN sighting s"
        " WHERE s.track_id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    ranks: dict[int, dict[int, int]] = {}
    for track_id, genre_id, rank in rows:
        by_genre = ranks.setdefault(track_id, {})
        by_genre[genre_id] = min(rank, by_genre.get(genre_id, rank))
    return ranks


def add_to_sighting_counts(connection: Connection, added: Mapping[int, int]) -> None:
    """Add to the genres' counters of sighted tracks."""
    genre = tables.genre
    for genre_id in sorted(added):
        connection.execute(
            update(genre)
            .where(genre.c.id == genre_id)
            .values(sightings=genre.c.sightings + added[genre_id])
        )


def recount_sightings(connection: Connection, genre_ids: Iterable[int]) -> None:
    """Count the genres' sighted tracks again, after sightings were merged or removed."""
    genre, sighting = tables.genre, tables.sighting
    counted = (
        select(func.count(sighting.c.track_id.distinct()))
        .where(sighting.c.genre_id == genre.c.id)
        .correlate(genre)
        .scalar_subquery()
    )
    connection.execute(
        update(genre).where(genre.c.id.in_(list(genre_ids))).values(sightings=counted)
    )
