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
from genrebase.launcher.commands import StepFailed
from genrebase.launcher.supervisor import Command

INVENTED: Final = "an invented catalogue: its tracks, artists and figures are made up"
_ANY: Final = "sandbox"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that answers."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def command(catalogue: str | None, *, rate: str | None = None, port: int = 0) -> Command:
    """Return how to start the sandbox; port 0 lets the system choose one.

    It does not log its requests: nobody asked for them.
    """
    arguments = ["sandbox", "--port", str(port), "--mode", "extended", "--json"]
    if rate is not None:
        arguments += ["--rate", rate]
    if catalogue is not None:
        arguments += ["--catalogue", catalogue]
    return Command("collector", tuple(arguments), {"GENREBASE_LOG_LEVEL": "WARNING"})


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


def start(how: Command) -> Sandbox:
    """Start the sandbox, return when it answers; raise `StepFailed` when it does not come up."""
    process = supervisor.start(how, stdout=subprocess.PIPE)
    if process.stdout is None:
        raise AssertionError("asked for a pipe")
    first = process.stdout.readline()
    try:
        said = json.loads(first)
        made = Sandbox(str(said["url"]).rstrip("/"), int(said["port"]), process)
    except (ValueError, KeyError, TypeError):
        supervisor.stop([process])
        process.stdout.close()
        raise StepFailed("The sandbox did not start; its reason stands above.") from None
    Thread(target=_pass_on, args=(process,), name="sandbox-output", daemon=True).start()
    return made


@contextmanager
def running(how: Command) -> Iterator[Sandbox]:
    """Run the sandbox while the block runs."""
    made = start(how)
    try:
        yield made
    finally:
        supervisor.stop([made.process])


def _pass_on(process: subprocess.Popen[bytes]) -> None:
    """Keep the pipe empty: what the sandbox says later goes to our standard error."""
    if process.stdout is None:
        return
    with process.stdout:
        for line in process.stdout:
            sys.stderr.write(line.decode("utf-8", "replace"))
