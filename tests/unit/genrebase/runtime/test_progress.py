"""Progress and remaining time, with and without a bar."""

import io
import logging
import re

import pytest
from rich.console import Console

from genrebase.runtime import progress
from genrebase.runtime.progress import format_eta


class TimedConsole(Console):
    """A console whose clock is set by hand."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.at = 0.0
        super().__init__(
            file=io.StringIO(), force_terminal=terminal, width=120, get_time=lambda: self.at
        )

    def text(self) -> str:
        assert isinstance(self.file, io.StringIO)
        return self.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.0, "under a minute left"),
        (59.9, "under a minute left"),
        (61.0, "about 1 min left"),
        (5_000.0, "about 83 min left"),
        (9_000.0, "about 2.5 h left"),
    ],
)
def test_format_eta(seconds: float | None, words: str) -> None:
    """It is empty if unknown; otherwise minutes, then hours."""
    assert format_eta(seconds) == words


def test_the_estimate_counts_from_the_first_report() -> None:
    """Half was done before: a tenth in 60 s leaves 240 s, which count down without progress."""
    console = TimedConsole()
    with progress.show_progress(console, "Tuning", total=10) as report:
        report(5)
        console.at = 60.0
        report(6)
        console.at = 190.0
        report(6)
        console.at = 1000.0
        report(6)
    assert console.text().splitlines() == [
        "Tuning: 5 of 10",
        "Tuning: 6 of 10, about 4 min left",
        "Tuning: 6 of 10, about 2 min left",
        "Tuning: 6 of 10, under a minute left",
    ]


def test_lines_without_a_terminal() -> None:
    """Steps of different duration count by their fraction; the last line has no time left."""
    console = TimedConsole()
    with progress.show_progress(console, "Tuning") as report:
        report(0, total=4, note="a", fraction=0.0)
        console.at = 120.0
        report(3, total=4, note="b", fraction=0.1)
        console.at = 121.0
        report(4, total=4, note="done", fraction=1.0)
    assert console.text().splitlines() == [
        "Tuning: 0 of 4 (a)",
        "Tuning: 3 of 4 (b), about 18 min left",
        "Tuning: 4 of 4 (done)",
    ]


def test_an_estimated_total_is_marked() -> None:
    """It is marked "about" until the exact number is known."""
    console = TimedConsole()
    with progress.show_progress(console, "Importing") as report:
        report(5_000, total=9_876.5, estimated=True)
        report(10_000, total=10_000, estimated=True)
        report(10_000, total=10_000)
    assert console.text().splitlines() == [
        "Importing: 5,000 of about 9,876",
        "Importing: 10,000 of 10,000",
    ]


def test_a_bar_on_a_terminal() -> None:
    """It has the counts, marks the estimate, and has the remaining time."""
    console = TimedConsole(terminal=True)
    with progress.show_progress(console, "Importing") as report:
        report(0, total=100, estimated=True)
        console.at = 60.0
        report(50, total=100, estimated=True)
    assert "50 of about 100" in console.text()
    assert "about 1 min left" in console.text()


def test_the_time_left_counts_down_between_reports() -> None:
    """The bar on a terminal is redrawn while no report arrives."""
    console = TimedConsole(terminal=True)
    with progress.show_progress(console, "Training") as report:
        report(0, total=100)
        console.at = 300.0
        report(50, total=100)
        console.at = 420.0
    assert "about 3 min left" in console.text()


def test_the_end_is_printed_once() -> None:
    """However often it is reported."""
    console = TimedConsole()
    with progress.show_progress(console, "Analysing", total=4) as report:
        report(0)
        report(4, note="2.00 files/s")
        report(4, note="1.99 files/s")
    assert console.text().splitlines() == ["Analysing: 0 of 4", "Analysing: 4 of 4 (2.00 files/s)"]


def test_log_lines_are_above_the_bar() -> None:
    """A log line, also one wider than the terminal, never shares a line with the bar."""
    console = TimedConsole(terminal=True)
    root = logging.getLogger()
    before = root.handlers
    handler = logging.StreamHandler(console.file)
    root.handlers = [handler]
    try:
        with progress.show_progress(console, "Harvesting") as report:
            report(1, total=4)
            logging.getLogger("a").warning("genre finished %s", "x" * 200)
            report(2, total=4)
            logging.getLogger("b").warning("one\ntwo \x1b[1mbold\x1b[0m")
        assert handler.stream is console.file
    finally:
        root.handlers = before
    erased = re.sub(r"[^\n]*\r\x1b\[2K", "", console.text())
    lines = [re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", line) for line in erased.split("\n")]
    assert [line.strip("\r") for line in lines if "Harvesting" not in line] == [
        f"genre finished {'x' * 200}",
        "one",
        "two bold",
        "",
    ]
