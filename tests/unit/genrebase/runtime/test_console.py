"""Ends of commands: exit codes and messages."""

import signal
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
import typer

from genrebase import exit_codes
from genrebase.errors import UserError
from genrebase.runtime.command_line import run_app
from genrebase.runtime.console import Output


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def left(app: Callable[[], object]) -> tuple[int | str | None, list[int]]:
    """Run a command line; return its exit code, and with what the process was left."""
    codes: list[int] = []
    with pytest.raises(SystemExit) as ended:
        run_app(app, exit_process=codes.append)
    return ended.value.code, codes


def stopped() -> NoReturn:
    raise KeyboardInterrupt


def test_ctrl_c_ends_with_what_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on standard error, 130, nothing on standard output; no thread is waited for."""

    def app() -> None:
        output = Output(as_json=True)
        with output.on_interrupt(lambda: "2 of 3 are stored."), output.progress("Doing"):
            stopped()

    assert left(app) == (exit_codes.INTERRUPTED, [exit_codes.INTERRUPTED])
    assert capsys.readouterr() == ("", "Stopped: 2 of 3 are stored.\n")
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_ctrl_c_where_nothing_was_begun_has_a_sentence_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whether Typer turned it into an exit or not."""
    app = typer.Typer()
    app.command()(stopped)
    argv, sys.argv = sys.argv, ["it"]
    try:
        assert left(app) == (exit_codes.INTERRUPTED, [exit_codes.INTERRUPTED])
    finally:
        sys.argv = argv
    assert left(stopped) == (exit_codes.INTERRUPTED, [exit_codes.INTERRUPTED])
    assert capsys.readouterr().err.splitlines() == ["Stopped: nothing is half-written."] * 2


def test_an_error_of_ours_is_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code of its kind; the process ends as usual."""

    def app() -> None:
        raise UserError("Name another one.")

    assert left(app) == (2, [])
    assert capsys.readouterr().err == "Name another one.\n"


def test_text_of_the_data_is_not_parsed_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets and emoji codes in titles and genres are printed as they are."""
    output = Output(as_json=False)
    output.table("[/t]", ("genre",), [("[/x]",), (":x:",)])
    output.print("genre [/y] :x:")
    printed = capsys.readouterr().out
    assert "[/t]" in printed
    assert printed.count(":x:") == 2
    assert "[/y]" in printed
