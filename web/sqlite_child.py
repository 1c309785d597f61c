"""Run one SELECT on a SQLite file, as a process of its own that its parent can kill.

Imports the standard library only, so that it starts in some 30 ms: it is run as a script, with the
database's file and the limits as arguments and the query on standard input. Writes one JSON
document: columns, rows and `has_more`, or `error`.
"""

import contextlib
import json
import math
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any, Final

_ALLOWED: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer"})
_MAX_MEMORY: Final = 1 << 30
"""Bytes of memory of this process."""
_GRACE_SECONDS: Final = 0.25
"""Seconds after the limit until the process ends without a message."""
_PROGRESS_STEPS: Final = 10_000
"""Instructions of SQLite's virtual machine between two looks at the clock."""


def main() -> None:
    """Read the query from standard input and write its result."""
    file, seconds, max_rows, max_bytes = sys.argv[1:]
    _limit_process(float(seconds))
    try:
        result = _run(Path(file), sys.stdin.read(), float(seconds), int(max_rows), int(max_bytes))
    except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError) as error:
        message = str(error) or "out of memory"
        refused = "this page only reads: write one SELECT"
        result = {"error": refused if message == "not authorized" else message}
    json.dump(result, sys.stdout)


def _run(file: Path, sql: str, seconds: float, max_rows: int, max_bytes: int) -> dict[str, Any]:
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=seconds)
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    for name, function in (("sqrt", math.sqrt), ("floor", lambda value: float(value // 1))):
        connection.create_function(name, 1, _null_safe(function), deterministic=True)
    connection.execute("PRAGMA query_only=ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max_bytes)
    connection.set_authorizer(_authorize)
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _PROGRESS_STEPS)
    with contextlib.closing(connection):
        cursor = connection.execute(sql)
        if cursor.description is None:
            return {"error": "enter one SELECT"}
        columns = [column[0] for column in cursor.description]
        rows: list[list[Any]] = []
        size = 0
        for row in cursor:
            cells = [_cell(cell) for cell in row]
            size += len(json.dumps(cells))
            if len(rows) == max_rows or size > max_bytes:
                return {"columns": columns, "rows": rows, "has_more": True}
            rows.append(cells)
        return {"columns": columns, "rows": rows, "has_more": False}


def _authorize(action: int, _first: Any, second: Any, *_names: Any) -> int:
    is_allowed = action in _ALLOWED and not (
        action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _FORBIDDEN_FUNCTIONS
    )
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _null_safe(function: Any) -> Any:
    return lambda value: None if value is None else function(value)


def _cell(cell: Any) -> Any:
    if isinstance(cell, bytes):
        return f"({len(cell):,} {'byte' if len(cell) == 1 else 'bytes'})"
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _limit_process(seconds: float) -> None:
    if sys.platform != "win32":
        import resource

        # ends this process, also within an operation of SQLite that looks at no clock
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_MEMORY, _MAX_MEMORY))


if __name__ == "__main__":
    main()
