"""Command lines: examples of docstrings, and the JSON document of an error."""

import json
import sys
from typing import Annotated, Any

import pytest
import structlog
import typer

from genrebase.errors import CommandInterrupted, GenrebaseError, NothingToDo, UserError
from genrebase.runtime.command_line import CommandLine, run_app, split_examples
from genrebase.runtime.console import Output


def test_examples_are_the_lines_after_their_heading() -> None:
    """The text before them is the help."""
    docstring = """Do it.

    More.

    Examples:
      it one
      it two --fast
    """
    assert split_examples(docstring) == ("Do it.\n\nMore.", ["it one", "it two --fast"])
    assert split_examples("Do it.") == ("Do it.", [])


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_a_number_is_finite(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that nobody can compute with is refused as every other wrong value."""
    assert ended(_numbers(), monkeypatch, "it", f"--minutes={text}") == 2
    assert "'--minutes'" in capsys.readouterr().err


def test_a_number_fits_into_a_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole numbers below 2**63, also in a list."""
    assert ended(_numbers(), monkeypatch, "it", "--at", "1", "--at", str(2**63)) == 2
    assert "9223372036854775808 is infinite, no number or too large" in capsys.readouterr().err
    assert ended(_numbers(), monkeypatch, "it", "--at", str(2**63 - 1), "--minutes", "-2.5") == 0


def _numbers() -> CommandLine:
    app = CommandLine("it", "Do it.")

    @app.command()
    def it(
        minutes: Annotated[float, typer.Option()] = 1.0,
        at: Annotated[list[int] | None, typer.Option()] = None,
    ) -> None:
        """Do it."""

    return app


def ended(app: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["it", *arguments])
    with pytest.raises(SystemExit) as end:
        run_app(app, exit_process=lambda _code: None)
    return int(str(end.value.code))


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UserError("Name another one."), 2),
        (NothingToDo("There is nothing to do."), 3),
        (GenrebaseError("It failed."), 1),
        (CommandInterrupted("Stopped: 2 of 3 are stored."), 130),
    ],
)
def test_an_error_is_one_json_document(
    error: GenrebaseError,
    exit_code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On standard output with --json; the message is on standard error in any case."""

    def app() -> None:
        raise error

    assert ended(app, monkeypatch, "--json") == exit_code
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"error": str(error), "exit_code": exit_code}
    assert printed.err == f"{error}\n"
    assert ended(app, monkeypatch) == exit_code
    assert capsys.readouterr().out == ""


def test_a_command_that_wrote_its_document_writes_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that reads the output can parse it as one document."""

    def app() -> None:
        Output(as_json=True).write_json({"ok": False})
        raise GenrebaseError("A check failed.")

    assert ended(app, monkeypatch, "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"ok": False}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("cunt", "--json"), "Did you mean 'count'?"),
        (("count", "--json", "--most", "x"), "'--most'"),
        (("count", "--json", "--leats", "1"), "--leats"),
        (("count", "--json", "a", "b"), "b"),
        (("count", "--json"), "Missing argument"),
    ],
)
def test_a_usage_error_is_one_json_document(
    arguments: tuple[str, ...],
    part: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An unknown command, a wrong value, an unknown option, too many or missing arguments."""
    app = CommandLine("it", "Count.")

    @app.command()
    def count(
        item: str, most: int = 1, as_json: Annotated[bool, typer.Option("--json")] = False
    ) -> None: ...

    @app.command()
    def other() -> None: ...

    code = ended(app, monkeypatch, *arguments)
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (code, document["exit_code"]) == (2, 2)
    assert document["error"] in " ".join(printed.err.split())
    assert part.lower() in document["error"].lower()


@pytest.mark.parametrize(("name", "is_json"), [("work", False), ("run", True)])
def test_logs_of_commands_are_text(
    name: str, is_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As their messages are; only services that run on write JSON lines without a terminal."""
    app = CommandLine("it", "Do it.")

    @app.command(name)
    def work() -> None:
        structlog.get_logger("it").warning("done", items=1)

    @app.command()
    def other() -> None:
        """Make it a group."""

    assert ended(app, monkeypatch, name) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("{") is is_json
    assert "done" in line
