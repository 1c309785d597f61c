"""A Dask scheduler with workers, as processes, and commands that use them."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import Engine, func, select

from genrebase.runtime.clock import SystemClock
from genrebase.settings import child_environment
from genrebase.store import tables
from genrebase.store.engine import read_transaction

ROOT: Final = Path(__file__).parents[1]
_POLL_SECONDS: Final = 0.1


def environment(url: str) -> dict[str, str]:
    return child_environment(STORE_URL=url, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class DaskProcesses:
    """A scheduler of this computer and its workers, one process each."""

    folder: Path
    url: str
    port: int = field(default_factory=free_port)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        return self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """Start a nanny, which restarts its worker process when that dies."""
        return self._start(
            "dask_worker", self.address, "--nthreads", "1", "--local-directory", str(self.folder)
        )

    def worker_processes(self) -> list[psutil.Process]:
        """Return the processes that run tasks: those that listen, below the nannies."""
        found = []
        for nanny in self.processes[1:]:
            with suppress(psutil.NoSuchProcess):
                children = psutil.Process(nanny.pid).children()
                found += [one for one in children if "spawn_main" in " ".join(one.cmdline())]
        return found

    def kill_worker(self, number: int) -> None:
        """Kill one of the processes that run tasks."""
        workers = self.worker_processes()
        if workers:
            with suppress(psutil.NoSuchProcess):
                workers[number % len(workers)].kill()

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"],
            env=environment(self.url),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process


@contextmanager
def dask_processes(folder: Path, url: str, n_workers: int) -> Iterator[DaskProcesses]:
    folder.mkdir(exist_ok=True)
    dask = DaskProcesses(folder, url)
    try:
        dask.start_scheduler()
        for _ in range(n_workers):
            dask.start_worker()
        yield dask
    finally:
        dask.stop()


def start(url: str, *command: str) -> "subprocess.Popen[bytes]":
    """Start a command of Genrebase, as in `classifier predict`."""
    package, *arguments = command
    return subprocess.Popen(
        [sys.executable, "-m", package, *arguments, "--json"],
        env=environment(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: "subprocess.Popen[bytes]") -> Any:
    """Wait for a command that succeeds; return its document."""
    out, errors = process.communicate()
    assert process.returncode == 0, errors.decode()[-4_000:]
    assert b"Traceback" not in errors, errors.decode()[-4_000:]
    return json.loads(out)


def run(url: str, *command: str) -> Any:
    return finish(start(url, *command))


def run_with_kills(
    dask: DaskProcesses, command: tuple[str, ...], progress: Callable[[], int], total: int
) -> Any:
    """Run a command; kill a worker three times, and the command itself once; run it again.

    `progress` counts what is stored, of `total`.
    """
    process = start(dask.url, *command)
    for number, share in enumerate((0.1, 0.3, 0.5)):
        _wait_until(process, progress, share * total)
        dask.kill_worker(number)
    _wait_until(process, progress, 0.7 * total)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert progress() < total, "the command was done before it was killed"
    return run(dask.url, *command)


def _wait_until(
    process: "subprocess.Popen[bytes]", progress: Callable[[], int], goal: float
) -> None:
    while progress() < goal:
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1].decode()[-4_000:])
        SystemClock().sleep(_POLL_SECONDS)


def count(engine: Engine, table: Any, *conditions: Any) -> int:
    with read_transaction(engine) as connection:
        query = select(func.count()).select_from(table).where(*conditions)
        return connection.scalar(query) or 0


def contents(engine: Engine, *names: str, without: frozenset[str] = frozenset()) -> list[str]:
    """Return the rows of tables in the order of their keys, without times and these columns."""
    rows = []
    with read_transaction(engine) as connection:
        for name in names:
            table = tables.metadata.tables[name]
            columns = [
                one
                for one in table.c
                if not isinstance(one.type, tables.UtcDateTime) and one.name not in without
            ]
            query = select(*columns).order_by(*table.primary_key)
            rows += [f"{name} {tuple(row)!r}" for row in connection.execute(query)]
    return rows
