"""Run a command of the collector or the classifier to its end and return its JSON document."""

import json
import subprocess
from contextlib import nullcontext, suppress
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any, Final

from genrebase.errors import CommandInterrupted, GenrebaseError, NothingToDo, UserError
from genrebase.launcher import supervisor
from genrebase.launcher.supervisor import ChildCommand
from genrebase.runtime.shutdown import StopSignal

_POLL_SECONDS: Final = 0.5


class LauncherStopped(CommandInterrupted):
    """A stop was requested before the job was done; what is stored stays stored."""


def run_command(command: ChildCommand, stop: StopSignal, *, quietly: bool = False) -> Any:
    """Run `command` and return its JSON document; `quietly` shows its messages if it fails only.

    Return None if it had nothing to do and printed no document but that of its refusal. Raise
    `GenrebaseError` if it ends with another exit code than 0 or 3 (`UserError` for 2), or
    prints no JSON, and `LauncherStopped` if a stop is requested meanwhile.
    """
    with TemporaryFile() if quietly else nullcontext() as messages:
        with supervisor.start_child(command, stdout=subprocess.PIPE, stderr=messages) as process:
            output = _read_output(process, stop)
        if stop.requested:
            raise LauncherStopped("Stopped; the next run continues from here.")
        if process.returncode not in {0, NothingToDo.exit_code}:
            reason = f" (exit code {process.returncode}){_failure_reason(messages)}"
            raise failure(process.returncode)(f"`{command.name}` failed{reason}")
    return _parse_document(command, output, needed=process.returncode == 0)


def failure(exit_code: int) -> type[GenrebaseError]:
    """Return the error for a command that ended with `exit_code`."""
    return UserError if exit_code == UserError.exit_code else GenrebaseError


def _failure_reason(messages: IO[bytes] | None) -> str:
    if messages is None:
        return ", see above."
    messages.seek(0)
    return ": " + messages.read().decode("utf-8", "replace").strip()


def _read_output(process: subprocess.Popen[bytes], stop: StopSignal) -> bytes:
    """Return all standard output of the process; stop it when a stop is requested."""
    output: list[bytes] = []
    # communicate() would close standard input, which makes the child stop
    reader = Thread(target=lambda: output.append(process.stdout.read()))  # type: ignore[union-attr]  # it is a pipe
    reader.start()
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
        if stop.requested:
            supervisor.stop_children([process])
    reader.join()
    return b"".join(output)


def _parse_document(command: ChildCommand, output: bytes, *, needed: bool) -> Any:
    text = output.decode("utf-8").strip()
    if not text and not needed:
        return None
    try:
        document = json.loads(text)
    except ValueError:
        raise GenrebaseError(
            f"`{command.name}` printed no JSON document: {text[:200]!r}"
        ) from None
    is_refusal = not needed and isinstance(document, dict) and "error" in document
    return None if is_refusal else document
