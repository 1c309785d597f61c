"""Sightings: in which genre a source returned a track, at which best rank, and how often.

Sources are not added up: each has its own row per track and genre, with its votes and their level.
What one source says twice becomes the best rank, the lowest level, the most votes and the
stricter licence, in whatever order it arrives; the playlist is that of the best rank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from collector.records import Level, TrackObservation
from genrebase import licences
from genrebase.store import bulk, licence_sql, tables

Key = tuple[int, int]
"""(track id, genre id)."""
SourceKey = tuple[int, int, str]
"""(track id, genre id, source): the key of a row."""

VALUES: Final = ("best_rank", "times", "votes", "level", "licence", "playlist")
_COLUMNS: Final = ("track_id", "genre_id", "source", *VALUES, "first_seen_at", "last_seen_at")


def merged(table: str) -> str:
    """Return the SQL that merges an inserted row into one of `table`, all but how often."""
    smaller = "{0} = CASE WHEN excluded.{0} {1} {2} THEN excluded.{0} ELSE {3}.{0} END"
    licence = licence_sql.stricter(f"{table}.licence", "excluded.licence")
    playlist = (
        f"CASE WHEN excluded.best_rank < {table}.best_rank"
        f" OR excluded.best_rank = {table}.best_rank AND ({table}.playlist IS NULL"
        f" OR excluded.playlist < {table}.playlist)"
        f" THEN excluded.playlist ELSE {table}.playlist END"
    )
    return ", ".join(
        (
            smaller.format("best_rank", "<", f"{table}.best_rank", table),
            smaller.format("votes", ">", f"coalesce({table}.votes, 0)", table),
            smaller.format("level", "<", f"coalesce({table}.level, {len(Level)})", table),
            f"licence = {licence}",
            f"playlist = {playlist}",
        )
    )


_SEEN_AGAIN: Final = f"{merged('sighting')}, last_seen_at = excluded.last_seen_at"
_COUNTED_AGAIN: Final = f"{_SEEN_AGAIN}, times = sighting.times + excluded.times"
_MERGE: Final = f"""
    INSERT INTO sighting ({", ".join(_COLUMNS)})
    SELECT {{track}}, {{genre}}, source, {", ".join(VALUES)}, first_seen_at, last_seen_at
    FROM sighting WHERE {{of}}
    ON CONFLICT (track_id, genre_id, source) DO UPDATE SET {merged("sighting")},
        times = sighting.times + excluded.times,
        first_seen_at = CASE WHEN excluded.first_seen_at < sighting.first_seen_at
                        THEN excluded.first_seen_at ELSE sighting.first_seen_at END,
        last_seen_at = CASE WHEN excluded.last_seen_at > sighting.last_seen_at
                       THEN excluded.last_seen_at ELSE sighting.last_seen_at END
"""


def merge_statements(template: str) -> tuple[TextClause, TextClause]:
    """Return the statements that merge the rows of a track, and of a genre, into another's."""
    of_track = template.format(track=":older", genre="genre_id", of="track_id = :younger")
    of_genre = template.format(track="track_id", genre=":into", of="genre_id = :merged")
    return text(of_track), text(of_genre)


_MERGE_TRACKS, _MERGE_GENRES = merge_statements(_MERGE)


@dataclass(slots=True)
class BatchSighting:
    """A track in a genre, as one batch of a source holds it."""

    rank: int
    """The best one."""
    times: int
    """0 if every row was counted before."""
    votes: int | None = None
    """The most."""
    level: int | None = None
    """The lowest."""
    licence: str | None = None
    """The strictest of the items' own; None: the source's."""
    playlist: str | None = None
    """That of the best rank; of several, the first by name."""

    @property
    def values(self) -> tuple[Any, ...]:
        """The columns `VALUES` of a new row."""
        times = max(self.times, 1)
        return self.rank, times, self.votes, self.level, self.licence, self.playlist


def observe(sighted: dict[Key, BatchSighting], key: Key, item: TrackObservation) -> None:
    """Add an observation to the sightings of a batch."""
    licence = stored_licence(item.track.licence)
    times = int(item.count_sighting)
    seen = sighted.get(key)
    if seen is None:
        level = None if item.level is None else int(item.level)
        sighted[key] = BatchSighting(item.rank, times, item.votes, level, licence, item.playlist)
        return
    if item.rank < seen.rank:
        seen.rank, seen.playlist = item.rank, item.playlist
    elif item.rank == seen.rank and item.playlist is not None:
        seen.playlist = min(item.playlist, seen.playlist or item.playlist)
    seen.times += times
    if item.votes is not None:
        seen.votes = max(item.votes, seen.votes or 0)
    if item.level is not None:
        seen.level = int(item.level) if seen.level is None else min(int(item.level), seen.level)
    if licence is not None:
        seen.licence = licences.stricter(seen.licence, licence)


@cache
def stored_licence(licence: str | None) -> str | None:
    """Return an item's licence as it is stored: a name that is none of ours is unknown."""
    known = licence is None or licences.is_licence(licence)
    return licence if known else licences.UNKNOWN


def store(
    connection: Connection, source: str, sighted: Mapping[Key, BatchSighting], now: datetime
) -> None:
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    counted: list[bulk.Row] = []
    uncounted: list[bulk.Row] = []
    for key, seen in sighted.items():
        row = (*key, source, *seen.values, moment, moment)
        (counted if seen.times else uncounted).append(row)
    bulk.upsert(connection, tables.sighting, _COLUMNS, counted, update=_COUNTED_AGAIN)
    bulk.upsert(connection, tables.sighting, _COLUMNS, uncounted, update=_SEEN_AGAIN)


def load(connection: Connection, track_ids: Sequence[int]) -> dict[SourceKey, bulk.Row]:
    """Return the columns `VALUES` of the sightings of these tracks."""
    columns = ("track_id", "genre_id", "source", *VALUES)
    rows = bulk.rows_of(connection, "sighting", "track_id", track_ids, columns)
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def write(
    connection: Connection,
    added: Sequence[bulk.Row],
    changed: Sequence[bulk.Row],
    deleted: Sequence[SourceKey],
    now: datetime,
) -> None:
    """Write single rows: each of `added` and `changed` is a key and its `VALUES`."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    where = f"WHERE track_id = {mark} AND genre_id = {mark} AND source = {mark}"
    if changed:
        values = ", ".join(f"{name} = {mark}" for name in VALUES)
        rows = [(*row[3:], *row[:3]) for row in changed]
        connection.exec_driver_sql(f"UPDATE sighting SET {values} {where}", rows)
    if deleted:
        connection.exec_driver_sql(f"DELETE FROM sighting {where}", list(deleted))
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    rows = [(*row, moment, moment) for row in added]
    bulk.insert(connection, tables.sighting, _COLUMNS, rows)


def merge_tracks(connection: Connection, older: int, younger: int) -> None:
    """Give the older track the younger's sightings, merged in genres of both."""
    connection.execute(_MERGE_TRACKS, {"older": older, "younger": younger})


def merge_genres(connection: Connection, merged_id: int, into: int) -> None:
    """Give a genre the sightings of another, merged for tracks of both."""
    connection.execute(_MERGE_GENRES, {"merged": merged_id, "into": into})
