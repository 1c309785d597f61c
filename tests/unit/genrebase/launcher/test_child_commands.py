"""Commands run as child processes to their end."""

import threading

import pytest

from genrebase.errors import GenrebaseError
from genrebase.launcher import child_commands
from genrebase.runtime.shutdown import StopSignal
from tests.unit.genrebase.launcher.conftest import Program


def test_a_step_returns_its_document(program: Program) -> None:
    """The JSON output of the command is returned, also when it is large."""
    code = "import json; print(json.dumps({'tracks': ['ü' * 10] * 20_000}))"
    assert len(child_commands.run_command(program(code), StopSignal())["tracks"]) == 20_000


def test_nothing_to_do_is_no_failure(program: Program) -> None:
    """Exit code 3 without output is None; with a document it is the document."""
    assert child_commands.run_command(program("import sys; sys.exit(3)"), StopSignal()) is None
    assert (
        child_commands.run_command(program("import sys; print('{}'); sys.exit(3)"), StopSignal())
        == {}
    )


@pytest.mark.parametrize(("code", "exit_code"), [(1, 1), (2, 2), (4, 1)])
def test_a_failed_step_names_itself(program: Program, code: int, exit_code: int) -> None:
    """Another exit code is a failure that names command and code; a refusal remains one."""
    failing = program(f"import sys; sys.exit({code})", "harvest")
    with pytest.raises(GenrebaseError, match=rf"harvest` failed \(exit code {code}\)") as failed:
        child_commands.run_command(failing, StopSignal())
    assert failed.value.exit_code == exit_code


@pytest.mark.parametrize("output_text", ["", "print('done')"])
def test_a_step_without_json_is_a_failure(program: Program, output_text: str) -> None:
    """A command that ends well without its document has broken its promise."""
    with pytest.raises(GenrebaseError, match="no JSON document"):
        child_commands.run_command(program(output_text or "pass"), StopSignal())


def test_a_stop_ends_the_step(program: Program) -> None:
    """A stop request is passed to the command and waited for; nothing is returned."""
    stop = StopSignal()
    forever = program("import threading; threading.Event().wait()")
    threading.Timer(0.2, stop.request).start()
    with pytest.raises(child_commands.LauncherStopped):
        child_commands.run_command(forever, stop)


def test_a_quiet_step_prints_only_errors(
    program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its standard error is hidden, and is the reason when it fails."""
    aside = "import sys; print('chatter', file=sys.stderr); "
    assert (
        child_commands.run_command(program(aside + "print('[]')"), StopSignal(), quietly=True)
        == []
    )
    with pytest.raises(GenrebaseError, match=r"\(exit code 1\): chatter"):
        child_commands.run_command(program(aside + "sys.exit(1)"), StopSignal(), quietly=True)
    assert capfd.readouterr().err == ""
