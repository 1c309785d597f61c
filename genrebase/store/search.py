"""Search tracks by words of their titles and artists: the best matches first.

Best are titles and artists that equal the query, then those that begin with it, then tracks with
all of its words, then tracks with all of them as parts of words (`search_terms.Match`); among
equals the most popular first. Of matches of one kind, at most `MAX_COMPARED` are compared, the
tracks that were stored first, so that a common word takes no longer than a rare one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, text

from genrebase.errors import UserError
from genrebase.store import search_index, tables
from genrebase.store.search_terms import Match, Query, indexed_text, parse, trigrams

MAX_COMPARED: Final = 2_000
"""Tracks that are compared for each kind of match."""
MAX_EXAMINED: Final = 20_000
"""Tracks with the trigrams of a query whose texts are read for each kind of match.

On PostgreSQL also the first tracks of all, which are read if a query may be in one of ten: its
index returns all of a common word's tracks before the first is read.
"""
MAX_DUE: Final = 1_000
"""Tracks that are not indexed yet and are compared one by one."""

POSITION_PATTERN: Final = r"^([0-3]\.(-1|[0-9]{1,3})\.[0-9]{1,18})?$"
"""A position in a list of matches (`Hit`), or nothing."""

_UNKNOWN: Final = -1
"""The popularity of a track without one: it comes last."""


_IN_SQLITE: Final = """
WITH examined AS (
    SELECT rowid AS track_id FROM search_index WHERE search_index MATCH :wanted
    ORDER BY rowid LIMIT :examined
), named AS (
    SELECT s.track_id, s.words FROM examined
    CROSS JOIN search_text AS s ON s.track_id = examined.track_id
)
"""
_FIRST_TRACKS: Final = """
WITH examined AS (SELECT 1 WHERE 1 = 0),
named AS (SELECT track_id, words FROM search_text ORDER BY track_id LIMIT :examined)
"""
"""Without the index."""
_ALL: Final = -1
"""SQLite's limit of all rows."""
_IN_POSTGRESQL: Final = """
WITH examined AS (
    SELECT track_id, words FROM search_text WHERE text_trigrams(words) @> :wanted LIMIT :examined
), named AS (SELECT track_id, words FROM examined)
"""
_CANDIDATES: Final = """
SELECT * FROM (
    SELECT track_id, words, (
        SELECT coalesce(t.popularity, -1) FROM track AS t WHERE t.id = named.track_id
    ) FROM named WHERE {patterns} LIMIT :maximum
) AS matching
UNION ALL SELECT NULL, NULL, count(*) FROM examined
"""
"""The last row is the number of tracks with the trigrams. Deleted tracks have no popularity."""


class InvalidPosition(UserError):
    """This is no position in a list of matches."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A track that matches, in the order in which matches are listed."""

    match: Match
    unpopularity: int
    """The popularity, negated."""
    track_id: int

    def __str__(self) -> str:
        """Return the position after this track, for the next page."""
        return f"{self.match:d}.{-self.unpopularity}.{self.track_id}"

    @classmethod
    def from_text(cls, text_: str) -> "Hit":
        """Return the hit of a position; raise `InvalidPosition`."""
        if not re.fullmatch(POSITION_PATTERN, text_) or not text_:
            raise InvalidPosition(
                f"{text_[:50]!r} is no position in a search: take it from the page before."
            )
        match, popularity, track_id = map(int, text_.split("."))
        return cls(Match(match), -popularity, track_id)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of matches."""

    hits: tuple[Hit, ...]
    has_more: bool
    """Whether more matches follow."""
    is_cut: bool
    """Whether more tracks match in one way than are compared."""
    has_due: bool
    """Whether more than `MAX_DUE` tracks wait to be indexed: some of them are not compared."""

    @property
    def track_ids(self) -> list[int]:
        """The ids of the tracks, the best match first."""
        return [hit.track_id for hit in self.hits]


def search(
    connection: Connection, words: str, limit: int, after: Hit | None = None
) -> SearchResult:
    """Return at most `limit` tracks that match `words`, those that follow `after`."""
    query = parse(words)
    if query is None:
        return SearchResult((), has_more=False, is_cut=False, has_due=False)
    with _by_index(connection):
        return _search(connection, query, limit, after)


def _search(connection: Connection, query: Query, limit: int, after: Hit | None) -> SearchResult:
    due = _due_tracks(connection)
    unindexed = list(_compare(query, due.values()))
    hits: list[Hit] = []
    is_cut = False
    for matches, rows, is_part in _rounds(connection, query, after.match if after else 0):
        is_cut |= is_part
        indexed = _compare(query, (row for row in rows if row[0] not in due))
        found = {hit for hit in (*indexed, *unindexed) if hit.match in matches}
        hits += sorted(hit for hit in found if after is None or hit > after)
        if len(hits) > limit:
            break
    return SearchResult(tuple(hits[:limit]), len(hits) > limit, is_cut, len(due) > MAX_DUE)


def _rounds(
    connection: Connection, query: Query, first: int
) -> Iterator[tuple[Sequence[Match], Sequence[Any], bool]]:
    """Yield tracks that may match: in one round if there are few, else in one per kind.

    Each round has its kinds of matches, the tracks, and whether there may be more.
    """
    may_be_common = connection.dialect.name == "postgresql"
    if query.parts_include_all:
        patterns = query.patterns(Match.PARTS)
        may_be_common = may_be_common and _among_first(connection, patterns) is not None
        rows: list[Any] = []
        is_cut = True
        if not may_be_common:
            rows, is_cut = _by_trigrams(connection, patterns, MAX_COMPARED)
        if not is_cut:
            yield tuple(Match), rows, False
            return
    for match in list(Match)[first:]:
        patterns = query.patterns(match)
        among_first = _among_first(connection, patterns) if may_be_common else None
        if among_first is not None:
            yield (match,), among_first, True
        else:
            yield (match,), *_by_trigrams(connection, patterns, MAX_EXAMINED)


@contextmanager
def _by_index(connection: Connection) -> Iterator[None]:
    """Keep PostgreSQL from computing the trigrams of all rows, whatever it estimates.

    Processes that help would take longer to start than these queries.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    for setting in ("enable_seqscan = off", "max_parallel_workers_per_gather = 0"):
        connection.execute(text(f"SET LOCAL {setting}"))
    yield
    for setting in ("enable_seqscan", "max_parallel_workers_per_gather"):
        connection.execute(text(f"SET LOCAL {setting} TO DEFAULT"))


def _compare(query: Query, rows: Iterable[Any]) -> Iterator[Hit]:
    for track_id, indexed, popularity in rows:
        match = None if popularity is None else query.match(indexed)
        if match is not None:
            yield Hit(match, -popularity, track_id)


def _due_tracks(connection: Connection) -> dict[int, tuple[int, str, int]]:
    """Return the tracks that wait to be indexed: one more than `MAX_DUE` if there are more.

    Those that are deleted have an empty text, which matches nothing.
    """
    due, track = tables.search_due.c, tables.track.c
    latest = select(due.track_id).order_by(due.id.desc()).limit(MAX_DUE + 1).subquery("latest")
    query = select(latest.c.track_id, track.title, track.artists, track.popularity).select_from(
        latest.outerjoin(tables.track, track.id == latest.c.track_id)
    )
    return {
        row.track_id: (
            row.track_id,
            "" if row.title is None else indexed_text(row.title, row.artists),
            _UNKNOWN if row.popularity is None else row.popularity,
        )
        for row in connection.execute(query)
    }


def _among_first(connection: Connection, patterns: list[str]) -> list[Any] | None:
    """Return `MAX_COMPARED` of the first tracks, if so many of them have the patterns."""
    rows, _ = _read(connection, _FIRST_TRACKS, patterns, {"examined": MAX_EXAMINED})
    return rows if len(rows) == MAX_COMPARED else None


def _by_trigrams(
    connection: Connection, patterns: list[str], examined: int
) -> tuple[list[Any], bool]:
    """Return the first tracks whose text has the patterns.

    Also whether there may be more: at most `examined` tracks with the trigrams are read.
    """
    wanted = trigrams(patterns)
    if connection.dialect.name == "postgresql":
        parameters = {"wanted": wanted, "examined": examined}
        rows, count = _read(connection, _IN_POSTGRESQL, patterns, parameters)
    elif search_index.is_usable(connection):
        quoted = " AND ".join('"' + one.replace('"', '""') + '"' for one in wanted)
        parameters = {"wanted": quoted, "examined": examined}
        rows, count = _read(connection, _IN_SQLITE, patterns, parameters)
    else:
        rows, count = _read(connection, _FIRST_TRACKS, patterns, {"examined": _ALL})
    return rows, len(rows) == MAX_COMPARED or count >= examined


def _read(
    connection: Connection, source: str, patterns: list[str], parameters: dict[str, Any]
) -> tuple[list[Any], int]:
    """Return (id, indexed text, popularity) of tracks, and how many had the trigrams."""
    position = "instr" if connection.dialect.name == "sqlite" else "strpos"
    conditions = (f"{position}(words, :pattern{place}) > 0" for place in range(len(patterns)))
    statement = source + _CANDIDATES.replace("{patterns}", " AND ".join(conditions))
    values = {f"pattern{place}": pattern for place, pattern in enumerate(patterns)}
    result = connection.execute(text(statement), {**parameters, **values, "maximum": MAX_COMPARED})
    *rows, (_, _, count) = result.all()
    return rows, count
