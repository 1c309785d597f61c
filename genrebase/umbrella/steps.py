"""One command of a side, run to its end, with the JSON document that it answers."""

import json
import subprocess
from contextlib import suppress
from threading import Thread
from typing import Any, Final

from genrebase.errors import GenrebaseError
from genrebase.runtime.stopping import Stop
from genrebase.umbrella import children
from genrebase.umbrella.children import Command

NOTHING_TO_DO: Final = 3
_SECOND: Final = 0.5


class StepFailed(GenrebaseError):
    """A step of a longer job failed; its own sentence was said before."""


class Stopped(GenrebaseError):
    """Somebody asked us to stop before the job was done; what was stored stays."""


def ask(command: Command, stop: Stop) -> Any:
    """Run `command` and return its document; None when it had nothing to do and said nothing.

    Raises `StepFailed` when it ends with another exit code than 0 or 3, or says no JSON, and
    `Stopped` when a stop is requested meanwhile.
    """
    with children.start(command, stdout=subprocess.PIPE) as process:
        said = _read(process, stop)
    if stop.requested:
        raise Stopped("Stopped; the next run goes on from here.")
    if process.returncode not in {0, NOTHING_TO_DO}:
        raise StepFailed(f"`{command.name}` failed (exit code {process.returncode}), see above.")
    return _document(command, said, needed=process.returncode == 0)


def _read(process: subprocess.Popen[bytes], stop: Stop) -> bytes:
    """Return all that the process says on standard output, or stop it when asked to."""
    said: list[bytes] = []
    # communicate() would close standard input, and with it tell the child to stop
    reader = Thread(target=lambda: said.append(process.stdout.read()))  # type: ignore[union-attr]  # it is a pipe
    reader.start()
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SECOND)
        if stop.requested:
            children.stop([process])
    reader.join()
    return b"".join(said)


def _document(command: Command, said: bytes, *, needed: bool) -> Any:
    text = said.decode("utf-8").strip()
    if not text and not needed:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise StepFailed(f"`{command.name}` answered no JSON document: {text[:200]!r}") from None
