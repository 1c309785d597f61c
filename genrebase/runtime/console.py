"""The command line's voice: tables for people, JSON for machines, sentences for errors.

With `--json`, standard output carries one JSON document and nothing else; progress and logs go to
standard error.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.table import Table

from genrebase.errors import GenrebaseError
from genrebase.runtime import logging, progress

INTERRUPTED_EXIT_CODE = 130
"""128 + SIGINT, as shells have it."""


class CommandInterrupted(GenrebaseError):
    """Ctrl-C ended a command; the sentence says what holds."""

    exit_code = INTERRUPTED_EXIT_CODE


_NOTHING_HALF: Final = "Stopped: nothing is half-written."
"""True of every command, for each writes in transactions."""


def json_default(value: Any) -> Any:
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
        self.console = Console(stderr=as_json, highlight=False)
        self.error_console = Console(stderr=True, highlight=False)

    def print(self, sentence: str) -> None:
        """Tell people something (on standard error when JSON is wanted)."""
        self.console.print(sentence, markup=False, soft_wrap=True)

    def warn(self, sentence: str) -> None:
        """Tell people something they should look at, on standard error."""
        self.error_console.print(sentence, markup=False, soft_wrap=True, style="yellow")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show rows to people; with `--json` nothing, the document has them."""
        if self.as_json:
            return
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*("" if cell is None else _cell(cell) for cell in row))
        self.console.print(table)

    def write_json(self, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write the JSON document, when it is wanted."""
        if self.as_json:
            text = json.dumps(value, ensure_ascii=False, default=json_default, allow_nan=False)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(
        self, what: str, total: float | None = None
    ) -> Iterator[progress.ProgressCallback]:
        """Show a bar on standard error while the block runs; the yielded object advances it."""
        with progress.show_progress(self.error_console, what, total) as advance:
            yield advance

    @contextmanager
    def on_interrupt(self, what_holds: Callable[[], str]) -> Iterator[None]:
        """Turn Ctrl-C in the block into one sentence: "Stopped" and what holds now.

        `what_holds` is asked then: it ends with a full stop, and says what is kept.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise CommandInterrupted(f"Stopped: {what_holds()}") from None


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.3f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return str(cell)


def run_app(
    app: Callable[[], object], exit_process: Callable[[int], object] = os._exit
) -> NoReturn:
    """Run a command line; an error of ours becomes its sentence and its exit code.

    Exit codes: 0 done, 1 failed or stopped half-way, 2 usage or refused, 3 nothing to do, 4
    blocked by the source; 130 after Ctrl-C, with a sentence that says what holds. Then the
    process ends through `leave`, which waits for no thread at work.
    Logs go to standard error, from `GENREBASE_LOG_LEVEL` up.
    """
    try:
        logging.configure()
        app()
    except KeyboardInterrupt:
        _stop(_NOTHING_HALF, exit_process)
    except CommandInterrupted as error:
        _stop(str(error), exit_process)
    except SystemExit as error:
        if error.code == INTERRUPTED_EXIT_CODE:  # what Typer makes of Ctrl-C
            _stop(_NOTHING_HALF, exit_process)
        raise
    except GenrebaseError as error:
        _tell(str(error))
        sys.exit(error.exit_code)
    sys.exit(0)


def _stop(sentence: str, leave: Callable[[int], object]) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience must not cost the sentence
    _tell(sentence)
    with suppress(OSError, ValueError):  # nobody reads any more
        sys.stdout.flush()
        sys.stderr.flush()
    leave(INTERRUPTED_EXIT_CODE)
    sys.exit(INTERRUPTED_EXIT_CODE)


def _tell(sentence: str) -> None:
    Console(stderr=True, highlight=False).print(sentence, markup=False, soft_wrap=True)
