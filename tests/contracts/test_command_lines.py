"""Every command: its help, its examples, its options, and its refusals under `--json`."""

import re
import shlex
from collections.abc import Iterable
from typing import Any

import pytest
from typer.testing import CliRunner

from classifier.cli import app as classifier_app
from collector.cli import app as collector_app
from genrebase.cli import app as genrebase_app
from tests.every_command import every_command, every_group

COMMANDS = every_command()
GROUPS = every_group()
PROGRAMS = {"genrebase": genrebase_app, "collector": collector_app, "classifier": classifier_app}
EIGHTY_COLUMNS = {"COLUMNS": "80", "TERMINAL_WIDTH": "80"}


def help_text(command: Any, name: str) -> str:
    return str(command.make_context(name, [], resilient_parsing=True).get_help())


def words(text: str) -> list[str]:
    """Return the words of a text; a line break after a hyphen joins the parts."""
    return re.sub(r"-\n\s+", "-", text).split()


def missing_words(wanted: Iterable[str], text: str) -> list[str]:
    present = set(words(text))
    return [word for word in wanted if word not in present]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_shows_every_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a command's text is taken for markup and dropped, brackets in particular."""
    monkeypatch.setenv("COLUMNS", "80")
    command = COMMANDS[name]
    shown = help_text(command, name)
    texts = [command.help, *(getattr(one, "help", None) or "" for one in command.params)]
    assert command.help
    assert missing_words(words(" ".join(texts)), shown) == []
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help_text(name: str) -> None:
    """An option without a sentence cannot be used by who has only the help."""
    visible = [one for one in COMMANDS[name].params if not getattr(one, "hidden", False)]
    assert [one.name for one in visible if not getattr(one, "help", None)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_of_itself(name: str) -> None:
    """The example calls the command, and its parser accepts the arguments."""
    command = COMMANDS[name]
    assert command.examples
    shown = help_text(command, name)
    for example in command.examples:
        assert f"  {example}" in [line[2:] for line in shown.splitlines()]
        arguments = shlex.split(example, comments=True)
        own = name.split()
        assert arguments[: len(own)] == own
        command.make_context(name, arguments[len(own) :])


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_lists_whole_summaries(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No summary ends in an ellipsis."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = help_text(GROUPS[name], name)
    assert "..." not in shown.split("Commands:")[1]
    for child in GROUPS[name].commands.values():
        assert missing_words(words((child.help or "").split("\n\n")[0]), shown) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_a_version_a_short_help_and_completion(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What users of other programs try first works."""
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    run = CliRunner().invoke
    assert run(PROGRAMS[name], ["--version"]).stdout.startswith("genrebase ")
    assert "Usage:" in run(PROGRAMS[name], ["-h"]).stdout
    script = run(PROGRAMS[name], ["--show-completion"], prog_name=name)
    assert f"_{name.upper()}_COMPLETE" in script.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_short_help(name: str) -> None:
    """`-h` is `--help`, also in commands that are imported when they run."""
    program, *rest = name.split()
    result = CliRunner().invoke(PROGRAMS[program], [*rest, "-h"], env=EIGHTY_COLUMNS)
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    ("words", "position", "expected"),
    [
        ("collector har", 1, "harvest"),
        ("collector harvest --max", 2, "--max-requests"),
        ("collector genres mer", 2, "merge"),
        ("classifier learn", 1, "learning-curve"),
        ("classifier predict --se", 2, "--search"),
    ],
)
def test_completion_offers_commands_and_options(words: str, position: int, expected: str) -> None:
    """Also of commands that are imported when they run."""
    program = words.split(maxsplit=1)[0]
    variable = f"_{program.upper()}_COMPLETE"
    result = CliRunner().invoke(
        PROGRAMS[program],
        [],
        prog_name=program,
        env={variable: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position)},
    )
    assert expected in result.stdout.split()
