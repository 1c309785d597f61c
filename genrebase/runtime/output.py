"""The command line's voice: tables for people, JSON for machines, sentences for errors.

With `--json`, standard output carries one JSON document and nothing else; progress and logs go to
standard error.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from genrebase.errors import GenrebaseError
from genrebase.runtime import logging

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

_PLAIN_EVERY_SECONDS = 5.0
"""Without a terminal, a line of progress at most this often."""


def to_jsonable(value: Any) -> Any:
    """Turn moments and records into what JSON knows; anything else is an error."""
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Output:
    """Where a command speaks to."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.people = Console(stderr=as_json, highlight=False)
        self.errors = Console(stderr=True, highlight=False)

    def say(self, sentence: str) -> None:
        """Tell people something (on standard error when JSON is wanted)."""
        self.people.print(sentence, markup=False, soft_wrap=True)

    def warn(self, sentence: str) -> None:
        """Tell people something they should look at, on standard error."""
        self.errors.print(sentence, markup=False, soft_wrap=True, style="yellow")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show rows to people; with `--json` nothing, the document has them."""
        if self.as_json:
            return
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*("" if cell is None else _cell(cell) for cell in row))
        self.people.print(table)

    def document(self, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write the JSON document, when it is wanted."""
        if self.as_json:
            text = json.dumps(value, ensure_ascii=False, default=to_jsonable, allow_nan=False)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self, what: str, total: float | None = None) -> Iterator["Advance"]:
        """Show a bar on standard error while the block runs; the yielded object advances it."""
        console = self.errors
        if not console.is_terminal:
            yield _PlainAdvance(console, what, total)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bars:
            yield _BarAdvance(bars, what, total)


class Advance:
    """Tell how far the work has come."""

    def __call__(
        self, done: float, *, total: float | None = None, note: str | None = None
    ) -> None:
        """Set how much is `done` (absolute), optionally of a new `total`, with a note."""
        raise NotImplementedError


class _BarAdvance(Advance):
    def __init__(self, bars: Progress, what: str, total: float | None) -> None:
        self._bars, self._what = bars, what
        self._task = bars.add_task(what, total=total)

    def __call__(
        self, done: float, *, total: float | None = None, note: str | None = None
    ) -> None:
        text = self._what if note is None else f"{self._what}: {note}"
        if total is None:
            self._bars.update(self._task, completed=done, description=text)
        else:
            self._bars.update(self._task, completed=done, description=text, total=total)


class _PlainAdvance(Advance):
    def __init__(self, console: Console, what: str, total: float | None) -> None:
        self._console, self._what, self._total = console, what, total
        self._said_at = -_PLAIN_EVERY_SECONDS

    def __call__(
        self, done: float, *, total: float | None = None, note: str | None = None
    ) -> None:
        self._total = self._total if total is None else total
        now = self._console.get_time()
        if now - self._said_at < _PLAIN_EVERY_SECONDS and done != self._total:
            return
        self._said_at = now
        of = "" if self._total is None else f" of {self._total:,.0f}"
        tail = "" if note is None else f" ({note})"
        self._console.print(f"{self._what}: {done:,.0f}{of}{tail}", markup=False, soft_wrap=True)


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.3f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return str(cell)


def run_app(app: typer.Typer) -> NoReturn:
    """Run a command line; an error of ours becomes its sentence and its exit code.

    Exit codes: 0 done, 1 failed or stopped half-way, 2 usage or refused, 3 nothing to do, 4
    blocked by the source; 130 after Ctrl-C in a command that has nothing half-done to tell of.
    Logs go to standard error, from `GENREBASE_LOG_LEVEL` up.
    """
    try:
        logging.configure()
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except GenrebaseError as error:
        Console(stderr=True, highlight=False).print(str(error), markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    sys.exit(0)
