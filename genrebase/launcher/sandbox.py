"""The sandbox as a child process, and what its clients must be told."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Final

from genrebase.launcher import supervisor
from genrebase.launcher.commands import CommandFailed
from genrebase.launcher.supervisor import ChildCommand

SYNTHETIC_CATALOGUE: Final = "an invented catalogue: its tracks, artists and figures are made up"
_ANY: Final = "sandbox"


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A sandbox that answers."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def sandbox_command(
    catalogue: str | None, *, rate: str | None = None, port: int = 0
) -> ChildCommand:
    """Return how to start the sandbox; port 0 lets the system choose one.

    It does not log its requests: nobody asked for them.
    """
    arguments = ["sandbox", "--port", str(port), "--mode", "extended", "--json"]
    if rate is not None:
        arguments += ["--rate", rate]
    if catalogue is not None:
        arguments += ["--catalogue", catalogue]
    return ChildCommand("collector", tuple(arguments), {"GENREBASE_LOG_LEVEL": "WARNING"})


def client_environment(url: str) -> Mapping[str, str]:
    """Return the environment of a process that is to ask the sandbox at `url`, and only it."""
    return {
        "SPOTIPY_CLIENT_ID": _ANY,
        "SPOTIPY_CLIENT_SECRET": _ANY,
        "COLLECTOR_SPOTIFY_URL": url,
        "COLLECTOR_RECCOBEATS_URL": f"{url}/reccobeats/v1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def start_sandbox(how: ChildCommand) -> SandboxProcess:
    """Start the sandbox, return when it answers; raise `CommandFailed` when it does not come up."""
    process = supervisor.start_child(how, stdout=subprocess.PIPE)
    if process.stdout is None:
        raise AssertionError("asked for a pipe")
    first = process.stdout.readline()
    try:
        said = json.loads(first)
        made = SandboxProcess(str(said["url"]).rstrip("/"), int(said["port"]), process)
    except (ValueError, KeyError, TypeError):
        supervisor.stop_children([process])
        process.stdout.close()
        raise CommandFailed("The sandbox did not start; its reason stands above.") from None
    Thread(target=_pass_on, args=(process,), name="sandbox-output", daemon=True).start()
    return made


@contextmanager
def run_sandbox(how: ChildCommand) -> Iterator[SandboxProcess]:
    """Run the sandbox while the block runs."""
    made = start_sandbox(how)
    try:
        yield made
    finally:
        supervisor.stop_children([made.process])


def _pass_on(process: subprocess.Popen[bytes]) -> None:
    """Keep the pipe empty: what the sandbox says later goes to our standard error."""
    if process.stdout is None:
        return
    with process.stdout:
        for line in process.stdout:
            sys.stderr.write(line.decode("utf-8", "replace"))
