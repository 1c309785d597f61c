"""How far a command has come, and about how long it still takes: a bar, or lines without one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

_PLAIN_EVERY_SECONDS: Final = 5.0
"""Without a terminal, a line of progress at most this often."""
_TELLING_SECONDS: Final = 1.0
"""Work that took less says nothing about what is left."""
_MINUTE: Final = 60.0
_MINUTES_TOLD: Final = 90
"""Minutes up to which they are not told in hours."""


class ProgressCallback:
    """Tell how far the work has come."""

    def __call__(
        self,
        done: float,
        *,
        total: float | None = None,
        note: str | None = None,
        fraction: float | None = None,
        estimated: bool = False,
    ) -> None:
        """Set how much is `done` (absolute), optionally of a new `total`, with a note.

        `share` is the part of the work behind us, between 0 and 1, where steps take differently
        long. `about`: the total is an estimate, and is told as one.
        """
        raise NotImplementedError


class EtaEstimator:
    """Estimates the time left, from the share of the work done since the first report.

    What was there before that, such as the trials of an earlier run, cost no time in this one.
    """

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)

    def update(self, now: float, share: float) -> None:
        """Take down that at `now` (seconds) this `share` of the work was done."""
        if self._first is None:
            self._first = (now, share)
        if share > self._last[1] or self._first == (now, share):
            self._last = (now, share)

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds left at `now`; None as long as nobody can tell."""
        if self._first is None:
            return None
        took, came = (self._last[at] - self._first[at] for at in (0, 1))
        if came <= 0 or took < _TELLING_SECONDS:
            return None
        return max(0.0, took / came * (1 - self._last[1]) - (now - self._last[0]))


def format_eta(seconds: float | None) -> str:
    """Return the time left as people say it; nothing where it is not known."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return "under a minute left"
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTES_TOLD:
        return f"about {minutes} min left"
    return f"about {seconds / _MINUTE**2:.1f} h left"


@contextmanager
def show_progress(
    console: Console, what: str, total: float | None = None
) -> Iterator[ProgressCallback]:
    """Show on `console` how far the block has come; the yielded object advances it."""
    if not console.is_terminal:
        yield _PlainAdvance(console, what, total)
        return
    advance = _BarAdvance(console, what, total)
    with advance.bars:
        yield advance


class _Counted(ProgressColumn):
    """How many of how many."""

    def render(self, task: Task) -> Text:
        return Text(
            _of(task.completed, task.total, about=task.fields["about"]), "progress.download"
        )


class _Left(ProgressColumn):
    """The time left; rich's own looks at the last 30 s, and a single training takes longer."""

    def __init__(self, pace: EtaEstimator) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        return Text(
            "" if task.finished else format_eta(self._pace.seconds_left(task.get_time())),
            "progress.remaining",
        )


class _Told(ProgressCallback):
    """What both ways of showing it keep: the total, and the pace."""

    def __init__(self, what: str, total: float | None) -> None:
        self._what, self._total = what, total
        self._pace = EtaEstimator()

    def __call__(
        self,
        done: float,
        *,
        total: float | None = None,
        note: str | None = None,
        fraction: float | None = None,
        estimated: bool = False,
    ) -> None:
        self._total = self._total if total is None else total
        came = _share(done, self._total, fraction)
        if came is not None:
            self._pace.update(self._now(), came)
        self._show(done, note, about=estimated)

    def _now(self) -> float:
        raise NotImplementedError

    def _show(self, done: float, note: str | None, *, about: bool) -> None:
        raise NotImplementedError


class _BarAdvance(_Told):
    def __init__(self, console: Console, what: str, total: float | None) -> None:
        super().__init__(what, total)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            _Counted(),
            TimeElapsedColumn(),
            _Left(self._pace),
        )
        self.bars = Progress(*columns, console=console, transient=True)
        self._task = self.bars.add_task(what, total=total, about=False)

    def _now(self) -> float:
        return self.bars.get_time()

    def _show(self, done: float, note: str | None, *, about: bool) -> None:
        text = self._what if note is None else f"{self._what}: {note}"
        self.bars.update(
            self._task, completed=done, total=self._total, description=text, about=about
        )


class _PlainAdvance(_Told):
    def __init__(self, console: Console, what: str, total: float | None) -> None:
        super().__init__(what, total)
        self._console = console
        self._said_at = -_PLAIN_EVERY_SECONDS

    def _now(self) -> float:
        return self._console.get_time()

    def _show(self, done: float, note: str | None, *, about: bool) -> None:
        now, over = self._now(), done == self._total and not about
        if now - self._said_at < _PLAIN_EVERY_SECONDS and not over:
            return
        self._said_at = now
        left = "" if over else format_eta(self._pace.seconds_left(now))
        line = f"{self._what}: {_of(done, self._total, about=about)}"
        line += "" if note is None else f" ({note})"
        line += f", {left}" if left else ""
        self._console.print(line, markup=False, soft_wrap=True)


def _share(done: float, total: float | None, share: float | None) -> float | None:
    if share is not None:
        return share
    return done / total if total else None


def _of(done: float, total: float | None, *, about: bool) -> str:
    if total is None:
        return f"{done:,.0f}"
    return f"{done:,.0f} of {'about ' if about else ''}{total:,.0f}"
