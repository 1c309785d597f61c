"""Record statements while they run, and find those that scan a table that grows.

Each statement is explained on the connection that is about to run it, so that its temporary tables
and its transaction are those of the statement.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Engine, event

from genrebase.store import tables

TRACKS: Final = 20_000
"""Of the database that statements are explained on: with fewer, PostgreSQL reads whole tables."""
GENRES: Final = 50
STATEMENTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

GROWING: Final = frozenset(
    {
        tables.track.name,
        tables.artist.name,
        tables.budget_slot.name,
        tables.search_text.name,
        *(
            table.name
            for table in tables.metadata.sorted_tables
            if any(key.column is tables.track.c.id for key in table.foreign_keys)
        ),
    }
)
"""Tables with rows per track, artist or request."""

_ALIAS: Final = re.compile(
    rf"\b({'|'.join(sorted(GROWING, key=len, reverse=True))})\s+(?:AS\s+)?\"?(\w+)", re.IGNORECASE
)
_SQLITE_SCAN: Final = re.compile(r"SCAN (?:TABLE )?(\w+)")
_POSTGRESQL_SCANS: Final = ("Index Scan", "Index Only Scan", "Bitmap Index Scan")


@dataclass
class RecordedStatements:
    """The statements that an engine ran."""

    texts: list[str] = field(default_factory=list)
    scans: dict[str, str] = field(default_factory=dict)
    """The statements that scan a growing table, with the step of their plan that does."""

    def clear(self) -> None:
        """Forget what was recorded."""
        self.texts.clear()
        self.scans.clear()


@contextmanager
def recording(engine: Engine, *, explain: bool = False) -> Iterator[RecordedStatements]:
    """Record the statements of a block, and explain each one if asked to."""
    recorded = RecordedStatements()

    def record(
        connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        recorded.texts.append(statement)
        if explain and statement.lstrip(" (\n").upper().startswith(STATEMENTS):
            given = parameters[0] if many else parameters
            cursor = connection.connection.cursor()
            is_postgresql = connection.dialect.name == "postgresql"
            find_scans = _postgresql_scans if is_postgresql else _sqlite_scans
            for scan in find_scans(cursor, statement, given):
                recorded.scans[" ".join(statement.split())] = scan

    event.listen(engine, "before_cursor_execute", record)
    try:
        yield recorded
    finally:
        event.remove(engine, "before_cursor_execute", record)


def _sqlite_scans(cursor: Any, statement: str, parameters: Any) -> Iterator[str]:
    """Yield scans of a growing table, or of all of an index, and indexes that a query builds."""
    aliases = {name.lower(): table.lower() for table, name in _ALIAS.findall(statement)}
    for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall():
        scanned = _SQLITE_SCAN.match(step)
        name = scanned[1].lower() if scanned else ""
        if name in GROWING or aliases.get(name) in GROWING or "AUTOMATIC" in step:
            yield step


def _postgresql_scans(cursor: Any, statement: str, parameters: Any) -> Iterator[str]:
    """Yield sequential scans of a growing table, and scans of an index without a condition."""
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    plan = cursor.fetchone()[0]
    nodes = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        table = node.get("Relation Name")
        if table not in GROWING:
            continue
        kind = node["Node Type"]
        if kind == "Seq Scan" or (kind in _POSTGRESQL_SCANS and "Index Cond" not in node):
            yield f"{kind} on {table}"
