"""Run commands of the classifier in this process."""

import json
from typing import Any

from typer.testing import CliRunner

from classifier.cli import app
from genrebase.errors import GenrebaseError


def run_text(*arguments: str) -> str:
    """Return what a successful command prints."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def run_json(*arguments: str) -> Any:
    """Return the JSON document of a successful command."""
    return json.loads(run_text(*arguments, "--json"))


def refusal(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the message of a command that fails, and prints no document."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert isinstance(result.exception, GenrebaseError), result.output
    assert result.stdout == ""
    return result.exception.exit_code, str(result.exception)
