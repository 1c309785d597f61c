"""Stop signals."""

import os
import signal

import pytest

from genrebase.runtime.shutdown import StopSignal, stop_on_signals
from tests.fakes import FakeClock

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_requests_a_stop_and_the_second_aborts(number: signal.Signals) -> None:
    """The first signal ends a sleep; the second one ends the process at once."""
    woken: list[str] = []
    aborted: list[int] = []
    clock = FakeClock()
    with stop_on_signals(lambda: woken.append("x"), abort=aborted.append, clock=clock) as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested
        assert stop.wait()
        assert (woken, aborted) == (["x"], [])
        clock.advance(1.5)
        signal.raise_signal(number)
        assert (woken, aborted) == (["x"], [128 + number])


def test_an_echo_is_no_second_signal() -> None:
    """Two signals within a second, from the terminal and from our parent, are one request."""
    aborted: list[int] = []
    clock = FakeClock()
    with stop_on_signals(abort=aborted.append, clock=clock) as stop:
        signal.raise_signal(signal.SIGINT)
        clock.advance(0.5)
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested
        assert aborted == []


def test_the_handlers_are_restored() -> None:
    """After the block the former signal handlers are active."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with stop_on_signals():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_waiting_ends_without_a_stop() -> None:
    """A wait with a timeout returns that no stop was requested."""
    assert StopSignal().wait(0.0) is False


def test_what_is_finished_first_is_said_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    """Before anything is waited for."""
    with stop_on_signals(notice="Stopping after the file in progress."):
        signal.raise_signal(signal.SIGINT)
        os.write(2, b"later\n")
    assert capfd.readouterr().err == "\nStopping after the file in progress.\nlater\n"
