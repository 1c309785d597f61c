"""How far it has come, and how long it still takes: in the same words with and without a bar."""

import io

import pytest
from rich.console import Console

from genrebase.runtime import progress
from genrebase.runtime.progress import EtaEstimator, format_eta


class Watched(Console):
    """A console whose clock is set by hand."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.at = 0.0
        super().__init__(
            file=io.StringIO(), force_terminal=terminal, width=120, get_time=lambda: self.at
        )

    def said(self) -> str:
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
def test_time_left_is_told_as_people_do(seconds: float | None, words: str) -> None:
    """Nothing where nobody knows; then minutes, then hours."""
    assert format_eta(seconds) == words


def test_the_estimate_goes_by_what_was_done_since_the_first_report() -> None:
    """Half was there before: a tenth in 60 s leaves 240 s for the other four tenths."""
    pace = EtaEstimator()
    assert pace.seconds_left(0.0) is None
    pace.update(10.0, 0.5)
    assert pace.seconds_left(10.0) is None
    pace.update(70.0, 0.6)
    assert pace.seconds_left(70.0) == pytest.approx(240.0)
    assert pace.seconds_left(100.0) == pytest.approx(210.0)
    pace.update(100.0, 0.6)
    assert pace.seconds_left(100.0) == pytest.approx(210.0)
    assert pace.seconds_left(1_000.0) == 0.0


def test_plain_lines_say_how_much_and_how_long() -> None:
    """Steps of different weight count by their share; the end has no time left."""
    console = Watched()
    with progress.show_progress(console, "Tuning") as advance:
        advance(0, total=4, note="a", fraction=0.0)
        console.at = 120.0
        advance(3, total=4, note="b", fraction=0.1)
        console.at = 121.0
        advance(4, total=4, note="done", fraction=1.0)
    assert console.said().splitlines() == [
        "Tuning: 0 of 4 (a)",
        "Tuning: 3 of 4 (b), about 18 min left",
        "Tuning: 4 of 4 (done)",
    ]


def test_an_estimated_total_is_told_as_one() -> None:
    """ "about" stands there until the exact number is known, also where both are equal."""
    console = Watched()
    with progress.show_progress(console, "Importing") as advance:
        advance(5_000, total=9_876.5, estimated=True)
        advance(10_000, total=10_000, estimated=True)
        advance(10_000, total=10_000)
    assert console.said().splitlines() == [
        "Importing: 5,000 of about 9,876",
        "Importing: 10,000 of 10,000",
    ]


def test_a_bar_says_the_same() -> None:
    """On a terminal: the numbers, the estimate marked as one, and the time left."""
    console = Watched(terminal=True)
    with progress.show_progress(console, "Importing") as advance:
        advance(0, total=100, estimated=True)
        console.at = 60.0
        advance(50, total=100, estimated=True)
        console.at = 61.0
    assert "50 of about 100" in console.said()
    assert "under a minute left" in console.said()
