"""A progress bar with the estimated time left (ETA); lines of text without a terminal."""

import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from genrebase.progress import ProgressCallback

_LINE_INTERVAL: Final = 5.0
"""Minimum seconds between two lines of progress without a terminal."""
_MIN_ELAPSED: Final = 1.0
"""Minimum seconds of work before an ETA is estimated."""
_MINUTE: Final = 60.0
_MAX_MINUTES: Final = 90
"""Minutes above which the time left is given in hours."""


def format_eta(seconds: float | None) -> str:
    """Return the time left in words; an empty text if it is unknown."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return "under a minute left"
    minutes = round(seconds / _MINUTE)
    if minutes < _MAX_MINUTES:
        return f"about {minutes} min left"
    return f"about {seconds / _MINUTE**2:.1f} h left"


@contextmanager
def show_progress(
    console: Console, title: str, total: float | None = None
) -> Iterator[ProgressCallback]:
    """Show on `console` the progress that the block reports to the yielded callback.

    On a terminal, log lines that go to the same stream are printed above the bar.
    """
    display = _Display(console, title, total)
    if not console.is_terminal:
        yield display
        return
    with _logs_above_bar(console), display.bar:
        yield display


@contextmanager
def _logs_above_bar(console: Console) -> Iterator[None]:
    """Let the log handlers of the console's stream print through the console."""
    stream = console.file
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream
    ]
    for handler in handlers:
        handler.setStream(_ConsoleStream(console))
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(stream)


class _ConsoleStream(io.TextIOBase):
    """A stream whose text is printed on a console: above the bar, if it shows one."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        self._console.print(Text.from_ansi(text.removesuffix("\n")), soft_wrap=True)
        return len(text)


class _EtaColumn(ProgressColumn):
    """The time left, which also counts down between two reports."""

    def __init__(self, eta: Callable[[], str]) -> None:
        super().__init__()
        self._eta = eta

    def render(self, task: Task) -> Text:  # noqa: ARG002 - there is one task
        return Text(self._eta(), style="progress.remaining")


class _Display:
    """A `ProgressCallback` that updates a bar, or prints lines without a terminal."""

    def __init__(self, console: Console, title: str, total: float | None) -> None:
        self._console, self._title, self._total = console, title, total
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._has_eta = False
        self._printed_at = -_LINE_INTERVAL
        self._printed = ""
        """The count of the last line."""
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}", style="progress.download"),
            TimeElapsedColumn(),
            _EtaColumn(self._eta),
            console=console,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # otherwise it is a file of its own
        )
        self._task = self.bar.add_task(title, total=None, count="")

    def __call__(
        self,
        done: float,
        total: float | None = None,
        *,
        note: str | None = None,
        fraction: float | None = None,
        estimated: bool = False,
    ) -> None:
        self._total = self._total if total is None else total
        if fraction is None and self._total:
            fraction = done / self._total
        finished = done == self._total and not estimated
        count = _count(done, self._total, estimated=estimated)
        self._has_eta = fraction is not None and not finished
        if fraction is not None:
            self._record(fraction)
        if self._console.is_terminal:
            self.bar.update(
                self._task,
                completed=done if fraction is None else fraction,
                total=None if fraction is None else 1.0,
                description=self._title if note is None else f"{self._title}: {note}",
                count=count,
            )
        elif finished and self._printed == count:
            return  # the end was printed before
        elif finished or self._console.get_time() - self._printed_at >= _LINE_INTERVAL:
            self._printed = count
            self._printed_at = self._console.get_time()
            line = f"{self._title}: {count}" + ("" if note is None else f" ({note})")
            eta = self._eta()
            self._console.print(f"{line}, {eta}" if eta else line, markup=False, soft_wrap=True)

    def _record(self, fraction: float) -> None:
        now = self._console.get_time()
        if self._first is None:
            self._first = self._last = (now, fraction)
        elif fraction > self._last[1]:
            self._last = (now, fraction)

    def _eta(self) -> str:
        return format_eta(self._seconds_left()) if self._has_eta else ""

    def _seconds_left(self) -> float | None:
        """Estimate the time left from the fraction done since the first report.

        Work done before, such as the trials of an earlier run, took no time in this run. (rich's
        own estimate uses the last 30 s, and one training takes longer.)
        """
        if self._first is None:
            return None
        elapsed, gained = self._last[0] - self._first[0], self._last[1] - self._first[1]
        if gained <= 0 or elapsed < _MIN_ELAPSED:
            return None
        since_last = self._console.get_time() - self._last[0]
        return max(0.0, elapsed / gained * (1 - self._last[1]) - since_last)


def _count(done: float, total: float | None, *, estimated: bool) -> str:
    if total is None:
        return f"{done:,.0f}"
    return f"{done:,.0f} of {'about ' if estimated else ''}{total:,.0f}"
