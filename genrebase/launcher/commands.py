"""One command of a side, run to its end, with the JSON document that it answers."""

import json
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any, Final

from genrebase.errors import GenrebaseError
from genrebase.launcher import supervisor
from genrebase.launcher.supervisor import ChildCommand
from genrebase.runtime.shutdown import StopSignal

NOTHING_TO_DO_EXIT_CODE: Final = 3
_SECOND: Final = 0.5


class CommandFailed(GenrebaseError):
    """A step of a longer job failed; its own sentence was said before."""


class LauncherStopped(GenrebaseError):
    """Somebody asked us to stop before the job was done; what was stored stays."""


def run_command(command: ChildCommand, stop: StopSignal) -> Any:
    """Run `command` for people to see and return its document.

    None when it had nothing to do and said nothing. Raises `CommandFailed` when it ends with another
    exit code than 0 or 3, or says no JSON, and `LauncherStopped` when a stop is requested meanwhile.
    """
    return _ask(command, stop, None)


def run_command_quietly(command: ChildCommand, stop: StopSignal) -> Any:
    """Do the same without a word to people, unless it fails."""
    with TemporaryFile() as aside:
        return _ask(command, stop, aside)


def _ask(command: ChildCommand, stop: StopSignal, aside: IO[bytes] | None) -> Any:
    with supervisor.start_child(command, stdout=subprocess.PIPE, stderr=aside) as process:
        said = _read(process, stop)
    if stop.requested:
        raise LauncherStopped("Stopped; the next run goes on from here.")
    if process.returncode not in {0, NOTHING_TO_DO_EXIT_CODE}:
        reason = f" (exit code {process.returncode}){_reason(aside)}"
        raise CommandFailed(f"`{command.name}` failed{reason}")
    return _document(command, said, needed=process.returncode == 0)


def _reason(aside: IO[bytes] | None) -> str:
    if aside is None:
        return ", see above."
    aside.seek(0)
    return ": " + aside.read().decode("utf-8", "replace").strip()


def _read(process: subprocess.Popen[bytes], stop: StopSignal) -> bytes:
    """Return all that the process says on standard output, or stop it when asked to."""
    said: list[bytes] = []
    # communicate() would close standard input, and with it tell the child to stop
    reader = Thread(target=lambda: said.append(process.stdout.read()))  # type: ignore[union-attr]  # it is a pipe
    reader.start()
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SECOND)
        if stop.requested:
            supervisor.stop_children([process])
    reader.join()
    return b"".join(said)


def _document(command: ChildCommand, said: bytes, *, needed: bool) -> Any:
    text = said.decode("utf-8").strip()
    if not text and not needed:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise CommandFailed(
            f"`{command.name}` answered no JSON document: {text[:200]!r}"
        ) from None
