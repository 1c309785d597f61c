"""The two counters of a genre: `sightings` (tracks sighted in it) and `tracks` (that it claims).

Counting the tracks of a large database takes seconds, and every step of a harvest needs the
numbers. Whoever adds or removes sightings or tracks, or changes a claim, adds the change to the
counters in the same transaction. `genrebase doctor` compares them with the rows.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from genrebase.store import bulk, tables

_genre, _track, _sighting = tables.genre, tables.track, tables.sighting

_ADD_SQLITE: Final = """
UPDATE genre SET sightings = sightings + json_extract(listed.value, '$[1]'),
    tracks = tracks + json_extract(listed.value, '$[2]')
FROM json_each(?) AS listed WHERE genre.id = json_extract(listed.value, '$[0]')
"""
_ADD_POSTGRESQL: Final = """
WITH locked AS (
    SELECT id FROM genre WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE genre SET sightings = genre.sightings + listed.sightings,
    tracks = genre.tracks + listed.tracks
FROM locked JOIN unnest(%s::bigint[], %s::integer[], %s::integer[])
    AS listed(id, sightings, tracks) ON listed.id = locked.id
WHERE genre.id = locked.id
"""
"""Rows are locked in the order of their ids, so that two transactions cannot block each other."""


@dataclass(frozen=True, slots=True)
class WrongCounter:
    """A genre whose counters differ from its rows."""

    name: str
    sightings: int
    tracks: int
    counted_sightings: int
    """The number of tracks with a sighting in it."""
    counted_tracks: int
    """The number of tracks that it claims."""


def add(
    connection: Connection,
    sightings: Mapping[int, int] | None = None,
    tracks: Mapping[int, int] | None = None,
) -> None:
    """Add to the counters of genres, by id, in one statement."""
    sightings, tracks = sightings or {}, tracks or {}
    changes = [
        (genre_id, sightings.get(genre_id, 0), tracks.get(genre_id, 0))
        for genre_id in sorted({*sightings, *tracks})
    ]
    changes = [change for change in changes if any(change[1:])]
    if not changes:
        return
    if connection.dialect.name == "postgresql":
        ids, *columns = map(list, zip(*changes, strict=True))
        connection.exec_driver_sql(_ADD_POSTGRESQL, (ids, ids, *columns))
    else:
        connection.exec_driver_sql(_ADD_SQLITE, (json.dumps(changes),))


def of_moves(moves: Iterable[tuple[int | None, int | None]]) -> Counter[int]:
    """Return the changes of `tracks` when claims move: (genre before, genre after), None: none."""
    changes: Counter[int] = Counter()
    for before, after in moves:
        if before == after:
            continue
        if before is not None:
            changes[before] -= 1
        if after is not None:
            changes[after] += 1
    return changes


def negated(counts: Mapping[int, int]) -> dict[int, int]:
    """Return the counts to subtract."""
    return {genre_id: -count for genre_id, count in counts.items()}


def count_sightings(connection: Connection, track_ids: Iterable[int]) -> Counter[int]:
    """Return how many of these tracks are sighted in each genre, by genre id."""
    rows = bulk.select_in(
        connection,
        "SELECT s.genre_id, count(DISTINCT s.track_id) FROM {values} CROSS JOIN sighting s"
        " WHERE s.track_id = listed.value GROUP BY s.genre_id",
        list(track_ids),
    )
    return Counter(dict(map(tuple, rows)))


def count_claims(connection: Connection, track_ids: Iterable[int]) -> Counter[int]:
    """Return how many of these tracks each genre claims, by genre id."""
    rows = bulk.select_in(
        connection,
        "SELECT t.genre_id, count(*) FROM {values} CROSS JOIN track t"
        " WHERE t.id = listed.value AND t.genre_id IS NOT NULL GROUP BY t.genre_id",
        list(track_ids),
    )
    return Counter(dict(map(tuple, rows)))


def recount(connection: Connection, genre_ids: Iterable[int] | None = None) -> None:
    """Set the counters of these genres, or of all, to the number of their rows."""
    statement = update(_genre)
    if genre_ids is not None:
        statement = statement.where(_genre.c.id.in_(list(genre_ids)))
    connection.execute(statement.values(sightings=_counted_sightings(), tracks=_counted_tracks()))


def wrong_counters(connection: Connection) -> list[WrongCounter]:
    """Return the genres whose counters differ from their rows, by name."""
    sightings, tracks = _counted_sightings(), _counted_tracks()
    query = select(_genre.c.name, _genre.c.sightings, _genre.c.tracks, sightings, tracks).where(
        or_(_genre.c.sightings != sightings, _genre.c.tracks != tracks)
    )
    rows = connection.execute(query.order_by(_genre.c.name))
    return [WrongCounter(*row) for row in rows]


def _counted_sightings() -> ColumnElement[Any]:
    counted = select(func.count(_sighting.c.track_id.distinct()))
    own = counted.where(_sighting.c.genre_id == _genre.c.id).correlate(_genre)
    return own.scalar_subquery()


def _counted_tracks() -> ColumnElement[Any]:
    counted = select(func.count()).select_from(_track)
    return counted.where(_track.c.genre_id == _genre.c.id).correlate(_genre).scalar_subquery()
