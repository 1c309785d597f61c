"""Commands and the daemon as processes: against a hostile server, and with hostile clients."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from collector.curation import genres
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.control_characters import escape_control_characters
from genrebase.settings import child_environment
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.consistency import assert_consistent
from tests.hostile_modes import SEARCH, TOKENS, TRANSPORT, Mode
from tests.hostile_server import (
    CLIENT_SECRET,
    IDS,
    OTHER_IDS,
    TOKEN_PATH,
    TOKEN_START,
    HostileServer,
    serving,
)
from tests.sandbox_client import COLUMNS

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name != "posix", reason="processes are sent SIGTERM"),
]

SECONDS_TO_STOP: Final = 15.0
SECONDS_TO_START: Final = 120.0
SECONDS_OF_LIFE: Final = 2.0
"""After its first request, before a process is told to stop."""
MAX_MEMORY: Final = 900 << 20
MAX_LOG: Final = 200_000
COMMANDS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "harvest": (("harvest",), ("/v1/search",)),
    "token": (("harvest",), (TOKEN_PATH,)),
    "enrich": (("enrich",), ("/v1/audio-features", "/reccobeats")),
    "analyse": (("analyse",), ("/v1/audio-analysis",)),
    "add": (("add", *OTHER_IDS), ("/v1/tracks",)),
    "run": (("run",), ("/v1", "/reccobeats")),
}
"""The arguments of `collector`, and the paths that the server responds to in its mode."""

SILENT: Final = 1_100
FLOODING: Final = 60


def _cases() -> Iterator[Any]:
    """Yield slow modes for every command, and each other mode for one of them."""
    for name in COMMANDS:
        for mode in TRANSPORT:
            if mode.slow:
                yield pytest.param(name, mode, id=f"{name}-{mode.name}")
    quick = [mode for mode in TRANSPORT if not mode.slow]
    for number, mode in enumerate(quick):
        name = list(COMMANDS)[number % len(COMMANDS)]
        yield pytest.param(name, mode, id=f"{name}-{mode.name}")
    for name, modes in (("token", TOKENS), ("harvest", SEARCH)):
        for mode in modes:
            yield pytest.param(name, mode, id=f"{name}-{mode.name}")


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def filled(
    server: HostileServer, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a database with the server's tracks, and a genre that lacks some."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "filled.db"
    shutil.copyfile(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    genres.add(engine, SystemClock(), "rock", 10_000)
    server.behave()
    process = _start(path, server.url, "harvest")
    process.communicate()
    with engine.begin() as connection:  # the search has more to read
        connection.execute(tables.shard.update().values(status="open", next_offset=0))
    engine.dispose()
    return path


@pytest.mark.parametrize(("name", "mode"), list(_cases()))
def test_a_process_stops_in_time_and_keeps_its_secrets(
    name: str, mode: Mode, server: HostileServer, filled: Path, tmp_path: Path
) -> None:
    """It ends 15 seconds after SIGTERM at the latest, in little memory, without a traceback."""
    arguments, prefixes = COMMANDS[name]
    path = tmp_path / "genrebase.db"
    shutil.copyfile(filled, path)
    before = _requests(path)
    server.received.clear()
    server.misbehave(mode.behaviour, *prefixes)
    with (tmp_path / "output").open("w") as output:
        process = _start(path, server.url, *arguments, output=output)
        memory = _stop_after_first_request(process, server, prefixes)
    shown = (tmp_path / "output").read_text(encoding="utf-8", errors="surrogateescape")
    assert "Traceback" not in shown
    assert memory <= MAX_MEMORY
    assert len(shown) <= MAX_LOG
    assert escape_control_characters(shown) == shown
    for secret in (CLIENT_SECRET, TOKEN_START):
        assert secret not in shown
        for file in tmp_path.glob("genrebase.db*"):
            assert secret.encode() not in file.read_bytes()
    requests = _requests(path) - before
    assert server.count("/v1") + server.count("/reccobeats") <= requests
    assert server.count(TOKEN_PATH) <= requests
    engine = make_engine(f"sqlite:///{path}")
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        stored = connection.scalars(select(tables.track_alias.c.source_id)).all()
    engine.dispose()
    assert set(IDS) <= set(stored)
    assert len(set(stored)) == len(stored)


def test_clients_of_the_health_server_do_not_stop_a_harvest(
    sqlite_url: str, tmp_path: Path
) -> None:
    """With 1,100 silent connections and 60 flooding clients, all tracks arrive."""
    _allow_files(2 * SILENT)
    engine, clock = make_engine(sqlite_url), SystemClock()
    genres.add(engine, clock, "rock", len(_ROCK))
    with serve_in_thread(
        SandboxCatalogue(CatalogueTable(COLUMNS, _ROCK, "rock.csv", "0" * 64)), SandboxOptions()
    ) as sandbox:
        port = _free_port()
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        with (tmp_path / "output").open("w") as output:
            process = _start(
                path,
                sandbox.url,
                "run",
                output=output,
                COLLECTOR_HTTP=str(port),
                COLLECTOR_RATE="20/1s",
            )
            try:
                with _hostile_clients(port, process) as responses:
                    deadline = clock.monotonic() + 240
                    while _tracks(engine) < len(_ROCK):
                        assert process.poll() is None
                        assert clock.monotonic() < deadline
                        clock.sleep(0.2)
            finally:
                process.send_signal(signal.SIGTERM)
                _, memory = _wait(process, SECONDS_TO_STOP)
    shown = (tmp_path / "output").read_text()
    assert "Traceback" not in shown
    assert len(shown) <= MAX_LOG
    assert memory <= MAX_MEMORY
    assert sum(responses) > 0
    print(  # noqa: T201 - figures for a person
        f"{len(_ROCK)} tracks, {sum(responses):,} responses to clients that flooded, "
        f"{len(shown):,} characters of log, {memory >> 20} MiB"
    )
    engine.dispose()


_BEHIND_NAMES: Final = ("Album", "2001-01-01", "", "False", "200000", "50", "0.5", "120", "4")
_ROCK: Final = [
    (f"{number:022}", f"Song {number}", f"Band {number % 40}", *_BEHIND_NAMES, "rock")
    for number in range(900)
]


@contextmanager
def _hostile_clients(port: int, process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Keep silent connections open, and request in as many threads; yield their responses."""
    clock, ending, responses = SystemClock(), threading.Event(), [0] * FLOODING
    deadline = clock.monotonic() + SECONDS_TO_START
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            break
        assert process.poll() is None
        assert clock.monotonic() < deadline
        clock.sleep(0.1)

    def stay_silent(number: int) -> None:
        with ExitStack() as stack:
            while not ending.is_set():
                held = []
                for _ in range(number):
                    with suppress(OSError):
                        held.append(
                            stack.enter_context(
                                socket.create_connection(("127.0.0.1", port), timeout=5)
                            )
                        )
                ending.wait(5)
                for connection in held:
                    connection.close()

    def flood(own: int) -> None:
        while not ending.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as opened:
                opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"\xff\r\n\r\n")
                responses[own] += bool(opened.recv(4_096))

    threads = [threading.Thread(target=stay_silent, args=(SILENT // 4,)) for _ in range(4)]
    threads += [threading.Thread(target=flood, args=(own,)) for own in range(FLOODING)]
    for thread in threads:
        thread.start()
    try:
        yield responses
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def _start(
    path: Path, url: str, *arguments: str, output: Any = subprocess.PIPE, **settings: str
) -> subprocess.Popen[str]:
    values = {
        "STORE_URL": f"sqlite:///{path}",
        "COLLECTOR_SPOTIFY_URL": url,
        "COLLECTOR_RATE": "100000/30s",
        "COLLECTOR_RECCOBEATS_RATE": "100000/30s",
        "COLLECTOR_ANALYSES": "5",
        "GENREBASE_LOG_LEVEL": "DEBUG",
        "SPOTIPY_CLIENT_ID": "an-id",
        "SPOTIPY_CLIENT_SECRET": CLIENT_SECRET,
        **settings,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "collector", *arguments],
        env=child_environment(**values),
        cwd=path.parent,
        text=True,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _stop_after_first_request(
    process: subprocess.Popen[str], server: HostileServer, prefixes: tuple[str, ...]
) -> int:
    """Return the memory of a process at its end, in bytes; fail if it does not stop in time."""
    clock = SystemClock()
    deadline = clock.monotonic() + SECONDS_TO_START
    while not any(server.count(prefix) for prefix in prefixes):
        ended, memory = _wait(process, 0.05)
        if ended:
            return memory
        assert clock.monotonic() < deadline, "it makes no request"
    ended, memory = _wait(process, SECONDS_OF_LIFE)
    if not ended:
        process.send_signal(signal.SIGTERM)
        ended, memory = _wait(process, SECONDS_TO_STOP)
        if not ended:
            process.kill()
    assert ended, "it does not stop"
    return memory


def _wait(process: subprocess.Popen[str], seconds: float) -> tuple[bool, int]:
    """Return whether a process ends within so many seconds, and its peak memory in bytes."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return True, usage.ru_maxrss << (0 if sys.platform == "darwin" else 10)
        if clock.monotonic() > deadline:
            return False, 0
        clock.sleep(0.05)


def _requests(path: Path) -> int:
    engine = make_engine(f"sqlite:///{path}")
    with read_transaction(engine) as connection:
        total = connection.scalar(select(func.sum(tables.source_budget.c.requests)))
    engine.dispose()
    return int(total or 0)


def _tracks(engine: Any) -> int:
    with read_transaction(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(tables.track)) or 0)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _allow_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))
