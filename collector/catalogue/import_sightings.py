"""Store and withdraw the parts of sightings that imports delivered.

`import_sighting` holds what each import delivered. Of the imports of one origin, the last one with
genres of a track counts: the sightings under that origin equal its parts. The other parts stay
stored, and count again if that import is undone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from collector.catalogue import sightings
from collector.catalogue.sightings import BatchSighting, Key, SourceKey
from genrebase.store import bulk, tables

_COLUMNS: Final = ("track_id", "genre_id", "import_id", *sightings.VALUES)
_SEEN_AGAIN: Final = sightings.merged("import_sighting")
_COUNTED_AGAIN: Final = f"{_SEEN_AGAIN}, times = import_sighting.times + excluded.times"
_MERGE: Final = f"""
    INSERT INTO import_sighting ({", ".join(_COLUMNS)})
    SELECT {{track}}, {{genre}}, import_id, {", ".join(sightings.VALUES)}
    FROM import_sighting WHERE {{of}}
    ON CONFLICT (track_id, genre_id, import_id) DO UPDATE SET {_COUNTED_AGAIN}
"""
_MERGE_TRACKS, _MERGE_GENRES = sightings.merge_statements(_MERGE)


@dataclass(frozen=True, slots=True)
class SightingPart:
    """One import's part of a sighting."""

    track_id: int
    genre_id: int
    import_id: int
    origin: str
    rank: int
    times: int
    votes: int | None
    level: int | None
    licence: str | None
    playlist: str | None

    @property
    def key(self) -> SourceKey:
        """The key of the sighting that it is a part of."""
        return self.track_id, self.genre_id, self.origin


def store(connection: Connection, import_id: int, sighted: Mapping[Key, BatchSighting]) -> None:
    """Store an import's part of the sightings of a batch."""
    counted: list[bulk.Row] = []
    uncounted: list[bulk.Row] = []
    for key, seen in sighted.items():
        (counted if seen.times else uncounted).append((*key, import_id, *seen.values))
    table = tables.import_sighting
    bulk.upsert(connection, table, _COLUMNS, counted, update=_COUNTED_AGAIN)
    bulk.upsert(connection, table, _COLUMNS, uncounted, update=_SEEN_AGAIN)


def load(connection: Connection, track_ids: Sequence[int]) -> list[SightingPart]:
    """Return the parts of all imports about these tracks."""
    values = ", ".join(f"s.{name}" for name in sightings.VALUES)
    rows = bulk.select_in(
        connection,
        f"SELECT s.track_id, s.genre_id, s.import_id, f.origin, {values}"
        " FROM {values} CROSS JOIN import_sighting s JOIN imported_file f ON f.id = s.import_id"
        " WHERE s.track_id = listed.value",
        track_ids,
    )
    return [SightingPart(*row) for row in rows]


def counting(parts: Iterable[SightingPart]) -> dict[SourceKey, SightingPart]:
    """Return the counting parts, by sighting: per track and origin those of the last import."""
    parts = list(parts)
    last: dict[tuple[int, str], int] = {}
    for part in parts:
        owner = (part.track_id, part.origin)
        last[owner] = max(part.import_id, last.get(owner, 0))
    return {part.key: part for part in parts if part.import_id == last[part.track_id, part.origin]}


def tracks_of_others(
    stored: Mapping[SourceKey, bulk.Row], parts: Iterable[SightingPart]
) -> set[int]:
    """Return the tracks with stored sightings that not only imports account for."""
    counted = counting(parts)
    return {
        key[0]
        for key, (_, times, *_) in stored.items()
        if key not in counted or times > counted[key].times
    }


def rewrite(
    connection: Connection,
    before: Sequence[SightingPart],
    after: Sequence[SightingPart],
    now: datetime,
) -> Counter[int]:
    """Rewrite the sightings whose parts were `before` to those of `after`.

    Returns by how many tracks each genre changed. What a harvest of the same origin delivered
    stays.
    """
    removed, remaining = counting(before), counting(after)
    changed = {key for key in {*removed, *remaining} if removed.get(key) != remaining.get(key)}
    stored = sightings.load(connection, sorted({key[0] for key in {*removed, *remaining}}))
    times = {key: part.times for key, part in removed.items()}
    return _rewrite(connection, stored, changed, times, remaining, now)


def merge_tracks(connection: Connection, older: int, younger: int, now: datetime) -> None:
    """Give the older track, which has the younger's sightings already, the younger's parts."""
    removed: Counter[SourceKey] = Counter()
    for (_, genre_id, origin), part in counting(load(connection, [older, younger])).items():
        removed[older, genre_id, origin] += part.times
    connection.execute(_MERGE_TRACKS, {"older": older, "younger": younger})
    remaining = counting(load(connection, [older]))
    stored = sightings.load(connection, [older])
    _rewrite(connection, stored, {*removed, *remaining}, removed, remaining, now)


def _rewrite(
    connection: Connection,
    stored: Mapping[SourceKey, bulk.Row],
    changed: Iterable[SourceKey],
    removed: Mapping[SourceKey, int],
    remaining: Mapping[SourceKey, SightingPart],
    now: datetime,
) -> Counter[int]:
    """Rewrite sightings to the remaining parts; return by how many tracks each genre changed.

    `removed` is how often the parts before had been seen.
    """
    added: list[bulk.Row] = []
    rewritten: list[bulk.Row] = []
    deleted: list[SourceKey] = []
    for key in sorted(changed):
        part, values = remaining.get(key), stored.get(key)
        other_times = 0 if values is None else max(0, values[1] - removed.get(key, 0))
        times = other_times + (0 if part is None else part.times)
        if values is not None and other_times:
            rewritten.append((*key, values[0], times, *values[2:]))
        elif part is not None:
            values_of_part = (part.votes, part.level, part.licence, part.playlist)
            row = (*key, part.rank, max(times, 1), *values_of_part)
            (added if values is None else rewritten).append(row)
        elif values is not None:
            deleted.append(key)
    sightings.write(connection, added, rewritten, deleted, now)
    return _change(stored, [row[:3] for row in added], deleted)


def _change(
    stored: Iterable[SourceKey], added: Iterable[Any], deleted: Iterable[SourceKey]
) -> Counter[int]:
    """Return by how many tracks each genre changed, whatever their sources."""
    rows = set(stored)
    before = {key[:2] for key in rows}
    after = {key[:2] for key in {*rows, *added} - {*deleted}}
    change = Counter(genre_id for _, genre_id in after - before)
    change.subtract(genre_id for _, genre_id in before - after)
    return change


def merge_genres(connection: Connection, merged: int, into: int) -> None:
    """Give a genre the parts of another."""
    connection.execute(_MERGE_GENRES, {"merged": merged, "into": into})
