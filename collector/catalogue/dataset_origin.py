"""The origin of a dataset: the earlier import of which a file is a new version, by content.

The file's name is not sufficient: many tables are called `train.csv`. A file is a version of an
earlier one of its name if at least half of its first rows are tracks that the earlier one
delivered; otherwise it is another table, and its origin gets a number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from collector.catalogue import imported_files
from collector.catalogue.aliases import tracks_of_aliases
from collector.datasets.rows import ParsedRow
from genrebase.audio import packed_vectors
from genrebase.store import bulk, names, tables
from genrebase.store.source_ids import FILE_PREFIX, SPOTIFY

SAMPLE_ROWS: Final = 2_000
"""Maximum of leading rows by which a file is compared with earlier ones."""
MIN_SHARE: Final = 0.5
"""The share of equal rows from which a file is a version of another, and of equal values from
which two rows describe the same audio file."""

_file = tables.imported_file
_DELIVERED_BY: Final = (
    "(t.origin = {mark} OR EXISTS (SELECT 1 FROM import_track d"
    " JOIN imported_file f ON f.id = d.import_id WHERE d.track_id = t.id AND f.origin = {mark}))"
)


@dataclass(frozen=True, slots=True)
class DatasetOrigin:
    """The origin of a file."""

    name: str
    versions: Sequence[int]
    """Earlier imports of which the file is a new version."""
    others: Sequence[int]
    """Earlier imports of the same file name that hold another table."""


def choose_origin(
    connection: Connection, file_name: str, sha256: str, sample: Sequence[ParsedRow]
) -> DatasetOrigin:
    """Return the origin of the earlier import that the file is a version of, else a new one.

    `sample` has the first rows, at most `SAMPLE_ROWS` of them, with ids of the origin
    `csv:<file_name>`; `sha256` identifies an import that is repeated.
    """
    query = select(_file.c.id, _file.c.sha256, _file.c.origin, _file.c.rows_done).where(
        _file.c.name == file_name, _file.c.undone_at.is_(None)
    )
    earlier = connection.execute(query.order_by(_file.c.id)).all()
    repeated = [row for row in earlier if imported_files.same_file(row.sha256, sha256)]
    origin = repeated[-1].origin if repeated else None
    if origin is None:
        rows: dict[str, int] = {}
        for row in earlier:
            rows[row.origin] = max(row.rows_done, rows.get(row.origin, 0))
        shares = {
            name: _equal_rows(connection, name, sample) / max(min(count, len(sample)), 1)
            for name, count in rows.items()
        }
        best = max(shares, key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= MIN_SHARE:
            origin = best
        else:
            origin = _free_origin(connection, file_name)
    same = [row for row in earlier if row.origin == origin]
    if repeated and same[-1] == repeated[-1]:
        same.pop()  # the file goes on with this import
    others = [row.id for row in earlier if row.origin != origin]
    return DatasetOrigin(origin, [row.id for row in same], others)


def _free_origin(connection: Connection, file_name: str) -> str:
    query = select(_file.c.origin).where(_file.c.undone_at.is_(None))
    taken = set(connection.scalars(query))
    origin, number = f"{FILE_PREFIX}{file_name}", 2
    while origin in taken:
        origin, number = f"{FILE_PREFIX}{file_name}#{number}", number + 1
    return origin


def _equal_rows(connection: Connection, origin: str, sample: Sequence[ParsedRow]) -> int:
    if any(len(row.values) for row in sample):
        return _equal_descriptors(connection, origin, sample)
    keys = [names.name_key(row.track.title, row.track.artists[0].name) for row in sample]
    by_name = _delivered(
        connection, origin, "SELECT DISTINCT t.name_key FROM {values} CROSS JOIN track t"
        " WHERE t.name_key = listed.value AND ", keys,
    )  # fmt: skip
    ids = [row.track.source_id for row in sample if row.track.source == SPOTIFY]
    by_id = _delivered(
        connection, origin, "SELECT DISTINCT a.source_id FROM {values} CROSS JOIN track_alias a"
        f" JOIN track t ON t.id = a.track_id WHERE a.source = '{SPOTIFY}'"
        " AND a.source_id = listed.value AND ", ids,
    )  # fmt: skip
    return sum(
        key in by_name or (row.track.source == SPOTIFY and row.track.source_id in by_id)
        for key, row in zip(keys, sample, strict=True)
    )


def _delivered(connection: Connection, origin: str, query: str, values: Iterable[str]) -> set[str]:
    listed = list(dict.fromkeys(values))
    rows = bulk.select_in(connection, query + _DELIVERED_BY, listed, origin, origin)
    return {value for (value,) in rows}


def _equal_descriptors(connection: Connection, origin: str, sample: Sequence[ParsedRow]) -> int:
    """Return how many rows describe the stored file of their name: by its values, else its genre.

    Values that only one of the two has are not compared.
    """
    stored = tracks_of_aliases(connection, origin, (row.track.source_id for row in sample))
    track_ids = sorted(set(stored.values()))
    columns = ("track_id", "data")
    vectors = bulk.grouped(bulk.rows_of(connection, "descriptor", "track_id", track_ids, columns))
    genres = _genres(connection, track_ids)
    equal = 0
    for row in sample:
        track_id = stored.get(row.track.source_id)
        if track_id is None:
            continue
        share = _share_of_equal_values(row.values, vectors.get(track_id, ()))
        has_genre = not set(row.genres).isdisjoint(genres.get(track_id, ()))
        equal += has_genre if share is None else share >= MIN_SHARE
    return equal


def _share_of_equal_values(values: Sequence[float], data: Iterable[bytes]) -> float | None:
    """Return the greatest share of equal values; None where none can be compared."""
    given = np.asarray(values, np.float32)
    best: float | None = None
    for packed in data:
        try:
            stored = packed_vectors.unpack(packed, len(given))
        except packed_vectors.CorruptVector:  # another number of values
            continue
        both = ~np.isnan(given) & ~np.isnan(stored)
        if both.any():
            share = float(np.isclose(given[both], stored[both], rtol=1e-5).mean())
            best = share if best is None else max(best, share)
    return best


def _genres(connection: Connection, track_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, g.name FROM {values} CROSS JOIN sighting s"
        " JOIN genre g ON g.id = s.genre_id WHERE s.track_id = listed.value",
        track_ids,
    )
    return bulk.grouped(rows)
