"""Output of the commands: tables and messages for people, a JSON document for programs, progress.

With `--json`, standard output carries one JSON document and nothing else; progress and logs go to
standard error.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from genrebase.errors import CommandInterrupted
from genrebase.runtime.control_characters import escape_control_characters, escape_in_json

if TYPE_CHECKING:
    from genrebase.progress import ProgressCallback


_IDENTIFIES: Final = re.compile(
    r"^(id|track|model|experiment)$|(^|[_ ])(id|year)($|[_ ])", re.IGNORECASE
)
"""Columns of numbers that commands take, or years: no separator of thousands."""


def json_default(value: Any) -> Any:
    """Convert datetimes and dataclasses for `json.dumps`; raise `TypeError` for anything else."""
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class EscapingConsole(Console):
    """A console on which only its own styles are control sequences, never the text it prints."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments, their control characters escaped."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(escape_control_characters(segment.text), segment.style)


class Output:
    """The output of one command."""

    wrote_document: ClassVar = False
    """Whether the running command has written its JSON document."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = EscapingConsole(stderr=as_json, highlight=False, emoji=False)
        self.error_console = EscapingConsole(stderr=True, highlight=False, emoji=False)

    def print(self, message: str) -> None:
        """Print a message for people (on standard error with `--json`)."""
        self.console.print(message, markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a warning on standard error."""
        self.error_console.print(message, markup=False, soft_wrap=True, style="yellow")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table for people; with `--json` nothing, because the document has the rows."""
        if self.as_json:
            return
        from genrebase.runtime.text_table import print_table  # few commands print tables

        cells = [
            [_format_cell(cell, column) for column, cell in zip(columns, row, strict=True)]
            for row in rows
        ]
        print_table(self.console, title, columns, cells)

    def write_json(self, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write the JSON document to standard output, with `--json`."""
        if self.as_json:
            text = json.dumps(value, ensure_ascii=False, default=json_default, allow_nan=False)
            sys.stdout.write(escape_in_json(text) + "\n")
            sys.stdout.flush()
            Output.wrote_document = True

    @contextmanager
    def progress(self, title: str, total: float | None = None) -> "Iterator[ProgressCallback]":
        """Show a progress bar on standard error while the block runs; yield its callback."""
        from genrebase.runtime.progress import show_progress  # imports rich.progress

        with show_progress(self.error_console, title, total) as progress:
            yield progress

    @contextmanager
    def on_interrupt(self, describe_kept: Callable[[], str]) -> Iterator[None]:
        """Turn Ctrl-C in the block into one message: "Stopped: " and the kept results.

        `describe_kept` is called only then; it returns a phrase that ends with a full stop.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise CommandInterrupted(f"Stopped: {describe_kept()}") from None


def print_error(message: str) -> None:
    """Print a message on standard error."""
    EscapingConsole(stderr=True, highlight=False, emoji=False).print(
        message, markup=False, soft_wrap=True
    )


def _format_cell(cell: object, column: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.3f}"
    if isinstance(cell, int):
        return str(cell) if _IDENTIFIES.search(column) else f"{cell:,}"
    return str(cell)
