"""The claim: the one genre (primary label) that a track counts for.

The rule is in `genrebase.store.claims`. It does not depend on the order of the crawl: whenever the
order of the genres by their number of tracks changes, the claims of tied tracks are recomputed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from collector.catalogue import genre_counters
from genrebase.store import bulk, tables
from genrebase.store.claims import choose_claim

_TIED_AT_ONCE: Final = 50_000
"""Tied tracks that are held in memory."""

_TIED: Final = "SELECT track.id FROM track WHERE track.claim_tied"
"""The condition as the index of tied tracks has it: SQLite takes no index for `claim_tied = 1`."""

Claim = tuple[int | None, bool]
"""The claiming genre, and whether its rank was tied."""

TieBreakKeys = Mapping[int, tuple[int, str]]
"""Per genre id: (sighted tracks, name), by which ties are broken."""


def tie_break_keys(connection: Connection) -> dict[int, tuple[int, str]]:
    """Return the tie-break key of every genre."""
    rows = connection.exec_driver_sql("SELECT id, sightings, name FROM genre").all()
    return {genre_id: (count, name) for genre_id, count, name in rows}


def overtaken(before: TieBreakKeys, after: TieBreakKeys) -> tuple[set[int], set[int]]:
    """Return the genres that others overtook, and those that overtook them.

    Ties can only go from the former to the latter. A genre that is new overtakes nobody: no track
    that was there before is sighted in it.
    """
    ordered = sorted(after, key=after.__getitem__)
    places = {genre_id: place for place, genre_id in enumerate(ordered)}
    stored = sorted(before.keys() & after.keys(), key=before.__getitem__)
    losers, winners = set(), set()
    first_behind, last_ahead = len(places), -1
    for genre_id in reversed(stored):
        if places[genre_id] > first_behind:
            losers.add(genre_id)
        first_behind = min(first_behind, places[genre_id])
    for genre_id in stored:
        if places[genre_id] < last_ahead:
            winners.add(genre_id)
        last_ahead = max(last_ahead, places[genre_id])
    return losers, winners


def with_added(keys: TieBreakKeys, added: Mapping[int, int]) -> dict[int, tuple[int, str]]:
    """Return the tie-break keys after more tracks were sighted, by genre id."""
    return {key: (count + added.get(key, 0), name) for key, (count, name) in keys.items()}


def write_claims(
    connection: Connection, moves: Iterable[tuple[int, Claim, Claim]]
) -> Counter[int]:
    """Store new claims: (track, claim before, claim after).

    Returns the changes of `genre.tracks`, which the caller adds to the counters.
    """
    moves = list(moves)
    rows = [(*after, track_id) for track_id, _, after in moves]
    bulk.update(connection, tables.track, ("genre_id", "claim_tied"), rows)
    return genre_counters.of_moves((before[0], after[0]) for _, before, after in moves)


def recompute(
    connection: Connection, track_ids: Iterable[int], keys: TieBreakKeys | None = None
) -> None:
    """Recompute the claims of these tracks from their sightings.

    `keys` are the genres' tie-break keys, if they are loaded already.
    """
    ids = list(track_ids)
    if not ids:
        return
    ranks = best_ranks(connection, ids)
    keys = tie_break_keys(connection) if keys is None else keys
    current = bulk.rows_of(connection, "track", "id", ids, ("id", "genre_id", "claim_tied"))
    moves = []
    for track_id, genre_id, tied in current:
        before, after = (genre_id, bool(tied)), choose_claim(ranks.get(track_id, {}), keys)
        if before != after:
            moves.append((track_id, before, after))
    genre_counters.add(connection, tracks=write_claims(connection, moves))


def recompute_tied(connection: Connection) -> None:
    """Recompute the claims of all tied tracks, after the order of the genres has changed."""
    _recompute_tied(connection, _TIED)


def recompute_overtaken(connection: Connection, before: TieBreakKeys, after: TieBreakKeys) -> None:
    """Recompute the claims of the tied tracks that a change of the genres' order can move."""
    losers, winners = (", ".join(map(str, sorted(ids))) for ids in overtaken(before, after))
    if losers:
        # text: building and compiling a query for every page takes as long as running it
        query = (
            f"{_TIED} AND track.genre_id IN ({losers}) AND EXISTS (SELECT 1 FROM sighting"
            f" WHERE sighting.track_id = track.id AND sighting.genre_id IN ({winners}))"
        )
        _recompute_tied(connection, query, after)


def _recompute_tied(connection: Connection, query: str, keys: TieBreakKeys | None = None) -> None:
    last = 0
    while True:
        next_ids = f"{query} AND track.id > {last} ORDER BY track.id LIMIT {_TIED_AT_ONCE}"
        ids = connection.exec_driver_sql(next_ids).scalars().all()
        recompute(connection, ids, keys)
        if len(ids) < _TIED_AT_ONCE:
            return
        last = ids[-1]


def claims(connection: Connection, track_ids: Sequence[int]) -> dict[int, int | None]:
    rows = bulk.rows_of(connection, "track", "id", track_ids, ("id", "genre_id"))
    return dict(map(tuple, rows))


def best_ranks(connection: Connection, track_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Return per track the best rank in each genre it was sighted in, over all sources."""
    columns = ("track_id", "genre_id", "best_rank")
    rows = bulk.rows_of(connection, "sighting", "track_id", track_ids, columns)
    ranks: dict[int, dict[int, int]] = {}
    for track_id, genre_id, rank in rows:
        by_genre = ranks.setdefault(track_id, {})
        by_genre[genre_id] = min(rank, by_genre.get(genre_id, rank))
    return ranks
