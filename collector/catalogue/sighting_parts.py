"""Store and withdraw the parts of sightings that imports delivered.

`sighting` sums what all sources delivered; `import_sighting` holds each import's part. Of the
imports of one origin, the last one with genres of a track counts; the other parts stay stored, and
count again if that import is undone.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from collector.catalogue.sightings import BatchSighting
from genrebase.store import bulk, tables

Key = tuple[int, int]
"""(track id, genre id) of a sighting."""

_COLUMNS: Final = ("track_id", "genre_id", "import_id", "best_rank", "times", "rank_before")
_MERGE: Final = (
    "best_rank = CASE WHEN excluded.best_rank < import_sighting.best_rank"
    " THEN excluded.best_rank ELSE import_sighting.best_rank END,"
    " times = import_sighting.times + excluded.times"
)
_MERGE_TRACKS: Final = text(f"""
    INSERT INTO import_sighting ({", ".join(_COLUMNS)})
    SELECT :older, genre_id, import_id, best_rank, times, rank_before
    FROM import_sighting WHERE track_id = :younger
    ON CONFLICT (track_id, genre_id, import_id) DO UPDATE SET {_MERGE}
""")
_MERGE_GENRES: Final = text(f"""
    INSERT INTO import_sighting ({", ".join(_COLUMNS)})
    SELECT track_id, :into, import_id, best_rank, times, rank_before
    FROM import_sighting WHERE genre_id = :merged
    ON CONFLICT (track_id, genre_id, import_id) DO UPDATE SET {_MERGE}
""")


@dataclass(frozen=True, slots=True)
class SightingPart:
    """One import's part of a sighting."""

    track_id: int
    genre_id: int
    import_id: int
    rank: int
    times: int
    rank_before: int | None
    """The sighting's rank before this import; None: no sighting."""
    origin: str

    @property
    def key(self) -> Key:
        """The sighting's key."""
        return self.track_id, self.genre_id


def store(
    connection: Connection,
    import_id: int,
    sighted: Mapping[Key, BatchSighting],
    ranks_before: Mapping[Key, int],
) -> None:
    """Store an import's part of the sightings of a batch."""
    rows = []
    for key, seen in sighted.items():
        before = ranks_before.get(key)
        times = max(seen.times, 1) if before is None else seen.times
        rows.append((*key, import_id, seen.rank, times, before))
    bulk.upsert(connection, tables.import_sighting, _COLUMNS, rows, update=_MERGE)


def record_other_ranks(
    connection: Connection, sighted: Mapping[Key, BatchSighting], stored: Container[Key]
) -> None:
    """Record in the imports' parts the ranks that another source delivered after them."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    rows = [(seen.rank, *key, seen.rank) for key, seen in sighted.items() if key in stored]
    if rows:
        connection.exec_driver_sql(
            f"UPDATE import_sighting SET rank_before = {mark}"
            f" WHERE track_id = {mark} AND genre_id = {mark}"
            f" AND (rank_before IS NULL OR rank_before > {mark})",
            rows,
        )


def load(connection: Connection, track_ids: Sequence[int]) -> list[SightingPart]:
    """Return the parts of all imports about these tracks."""
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, s.genre_id, s.import_id, s.best_rank, s.times, s.rank_before, f.origin"
        " FROM {values} CROSS JOIN import_sighting s JOIN imported_file f ON f.id = s.import_id"
        " WHERE s.track_id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    return [SightingPart(*row) for row in rows]


def counting(parts: Iterable[SightingPart]) -> list[SightingPart]:
    """Return the counting parts: per track and origin those of the last import."""
    parts = list(parts)
    last: dict[tuple[int, str], int] = {}
    for part in parts:
        owner = (part.track_id, part.origin)
        last[owner] = max(part.import_id, last.get(owner, 0))
    return [part for part in parts if part.import_id == last[part.track_id, part.origin]]


def other_times(
    stored: Mapping[Key, tuple[int, int]], parts: Iterable[SightingPart]
) -> dict[Key, int]:
    """Return per sighting how often sources other than imports delivered it."""
    times = {key: seen for key, (_, seen) in stored.items()}
    for part in counting(parts):
        if part.key in times:
            times[part.key] -= part.times
    return times


def load_sightings(connection: Connection, track_ids: Sequence[int]) -> dict[Key, tuple[int, int]]:
    """Return (best rank, times) of the sightings of these tracks."""
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, s.genre_id, s.best_rank, s.times FROM {values} CROSS JOIN sighting s"
        " WHERE s.track_id = listed.value",
        track_ids,
        sql_type="bigint",
    )
    return {(track_id, genre_id): (rank, times) for track_id, genre_id, rank, times in rows}


def rewrite(
    connection: Connection,
    before: Sequence[SightingPart],
    after: Sequence[SightingPart],
    now: datetime,
) -> Counter[int]:
    """Rewrite the sightings whose parts were `before` to those of `after`.

    Returns by how many sightings each genre changed.
    """
    stored = load_sightings(connection, sorted({part.track_id for part in (*before, *after)}))
    others = other_times(stored, before)
    removed, remaining = _by_key(counting(before)), _by_key(counting(after))
    all_before = _by_key(before)
    changed: list[tuple[int, int, int, int]] = []
    deleted: list[Key] = []
    added: list[tuple[int, int, int, int]] = []
    for key in sorted({*removed, *remaining}):
        left = remaining.get(key, [])
        other = max(others.get(key, 0), 0)
        times = other + sum(part.times for part in left)
        if times == 0:
            deleted += [key] if key in stored else []
            continue
        ranks = [part.rank for part in left]
        if other:
            ranks.append(_other_rank(stored[key][0], all_before.get(key, [])))
        if key not in stored:
            added.append((*key, min(ranks), times))
        elif stored[key] != (min(ranks), times):
            changed.append((min(ranks), times, *key))
    _write(connection, changed, deleted, added, now)
    delta = Counter(genre_id for _, genre_id, _, _ in added)
    delta.subtract(genre_id for _, genre_id in deleted)
    return delta


def merge_tracks(connection: Connection, older: int, younger: int) -> None:
    """Give the older track the younger's parts."""
    connection.execute(_MERGE_TRACKS, {"older": older, "younger": younger})


def merge_genres(connection: Connection, merged: int, into: int) -> None:
    """Give a genre the parts of another."""
    connection.execute(_MERGE_GENRES, {"merged": merged, "into": into})


def _by_key(parts: Iterable[SightingPart]) -> dict[Key, list[SightingPart]]:
    by_key: dict[Key, list[SightingPart]] = {}
    for part in parts:
        by_key.setdefault(part.key, []).append(part)
    return by_key


def _other_rank(rank: int, parts: Sequence[SightingPart]) -> int:
    """Return the best rank without the imports' parts, as far as it is stored."""
    if all(rank < part.rank for part in parts):
        return rank
    earlier = [part.rank_before for part in parts if part.rank_before is not None]
    return max(earlier, default=rank)


def _write(
    connection: Connection,
    changed: list[tuple[int, int, int, int]],
    deleted: list[Key],
    added: list[tuple[int, int, int, int]],
    now: datetime,
) -> None:
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    where = f"WHERE track_id = {mark} AND genre_id = {mark}"
    if changed:
        connection.exec_driver_sql(
            f"UPDATE sighting SET best_rank = {mark}, times = {mark} {where}", changed
        )
    if deleted:
        connection.exec_driver_sql(f"DELETE FROM sighting {where}", deleted)
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    columns = ("track_id", "genre_id", "best_rank", "times", "first_seen_at", "last_seen_at")
    rows = [(*row, moment, moment) for row in added]
    bulk.insert(connection, tables.sighting, columns, rows)
