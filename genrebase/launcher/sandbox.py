"""Run the sandbox as a child process; the environment of its clients."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Final

from genrebase.launcher import supervisor
from genrebase.launcher.child_commands import failure
from genrebase.launcher.supervisor import ChildCommand

SYNTHETIC_CATALOGUE: Final = "an invented catalogue: its tracks, artists and numbers are made up"
_ANY_CREDENTIAL: Final = "sandbox"
_URLS: Final = tuple(
    f"COLLECTOR_{service}_URL"
    for service in (
        *("SPOTIFY", "RECCOBEATS", "MUSICBRAINZ", "ACOUSTICBRAINZ", "ARCHIVE", "JAMENDO"),
        "DISCOGS",
    )
)
"""Settings that would name another host than the sandbox."""
_EXIT_SECONDS: Final = 10.0
"""Time for a sandbox that cannot start to end by itself."""


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def sandbox_command(
    catalogue: str | None, *, rate: str | None = None, port: int = 0
) -> ChildCommand:
    """Return the command that starts the sandbox; port 0 lets the system choose one.

    It logs warnings only, not every request.
    """
    arguments = ["sandbox", "--port", str(port), "--mode", "extended", "--json"]
    if rate is not None:
        for service in ("", "musicbrainz-", "acousticbrainz-", "discogs-"):
            arguments += [f"--{service}rate", rate]
    if catalogue is not None:
        arguments += ["--catalogue", catalogue]
    return ChildCommand("collector", tuple(arguments), {"GENREBASE_LOG_LEVEL": "WARNING"})


def client_environment(url: str) -> Mapping[str, str]:
    """Return the environment of a process that uses the sandbox at `url` as its only source."""
    return {
        "SPOTIPY_CLIENT_ID": _ANY_CREDENTIAL,
        "SPOTIPY_CLIENT_SECRET": _ANY_CREDENTIAL,
        "COLLECTOR_SANDBOX_URL": url,
        "COLLECTOR_CONTACT": "sandbox@example.org",
        **dict.fromkeys(_URLS, ""),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def start_sandbox(command: ChildCommand) -> SandboxProcess:
    """Start the sandbox and wait until it responds; raise `GenrebaseError` if it does not."""
    process = supervisor.start_child(command, stdout=subprocess.PIPE)
    if process.stdout is None:
        raise AssertionError("stdout is a pipe")
    line = process.stdout.readline()
    try:
        ready = json.loads(line)
        sandbox = SandboxProcess(str(ready["url"]).rstrip("/"), int(ready["port"]), process)
    except (ValueError, KeyError, TypeError):
        with suppress(subprocess.TimeoutExpired):  # a refusal ends it with the code to hand on
            process.wait(_EXIT_SECONDS)
        supervisor.stop_children([process])
        process.stdout.close()
        message = "The sandbox did not start; see its reason above."
        raise failure(process.returncode)(message) from None
    Thread(target=_forward_output, args=(process,), name="sandbox-output", daemon=True).start()
    return sandbox


@contextmanager
def run_sandbox(command: ChildCommand) -> Iterator[SandboxProcess]:
    """Run the sandbox while the block runs."""
    sandbox = start_sandbox(command)
    try:
        yield sandbox
    finally:
        supervisor.stop_children([sandbox.process])


def _forward_output(process: subprocess.Popen[bytes]) -> None:
    """Drain the pipe: forward later output of the sandbox to our standard error."""
    if process.stdout is None:
        return
    with process.stdout:
        for line in process.stdout:
            sys.stderr.write(line.decode("utf-8", "replace"))
