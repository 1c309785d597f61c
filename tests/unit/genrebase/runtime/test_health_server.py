"""The daemons' HTTP server under clients that are slow, silent or many."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from prometheus_client.core import Metric

from genrebase.runtime import health_server
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.jobs import JobRun
from genrebase.runtime.monitoring import HealthStatus, HealthTarget


class HealthyTarget(HealthTarget):
    """A daemon without a database."""

    monitored_jobs = ()

    def __init__(self) -> None:
        pass

    def check(self) -> HealthStatus:
        return HealthStatus(ok=True, sentence="fine")

    def is_stalled(self, run: JobRun) -> bool:
        return False

    def collect(self) -> Iterator[Metric]:
        return iter(())


@pytest.fixture
def target() -> HealthyTarget:
    return HealthyTarget()


def get(url: str) -> str:
    with urllib.request.urlopen(f"{url}/healthz", timeout=60) as response:
        return str(response.read().decode())


def connect(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").rstrip("/").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=60)


def test_silent_clients_do_not_take_the_daemons_files(target: HealthyTarget) -> None:
    """Of 300 silent connections all but a few are closed at once; a request gets through later."""
    with health_server.serve(ListenAddress("127.0.0.1", 0), target) as url, ExitStack() as stack:
        assert url is not None
        silent = [stack.enter_context(connect(url)) for _ in range(300)]
        closed = [_is_closed(one) for one in silent[health_server.LIMITS.connections :]]
        assert all(closed)
        for one in silent[: health_server.LIMITS.connections]:
            one.close()
        assert '"ok":true' in _get_when_free(url)


def _is_closed(connected: socket.socket) -> bool:
    try:
        return connected.recv(1) == b""
    except ConnectionError:
        return True


def _get_when_free(url: str) -> str:
    """Repeat a request until the server has noticed that its clients went away."""
    while True:
        try:
            return get(url)
        except OSError:
            continue


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_connection_has_a_limited_life(
    target: HealthyTarget, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """A client that never completes its request is sent away."""
    monkeypatch.setattr(health_server, "LIMITS", replace(health_server.LIMITS, seconds=0.05))
    with health_server.serve(ListenAddress("127.0.0.1", 0), target) as url:
        assert url is not None
        with connect(url) as connected:
            connected.sendall(sent)
            assert _is_closed(connected)


def test_a_result_is_never_older_than_its_request() -> None:
    """A request that comes after another's computation began gets a newer one."""
    count = iter(range(100))
    shared = health_server._SharedResult(lambda: next(count))
    assert [shared.get(), shared.get(), shared.get()] == [0, 1, 2]


class CountingLock:
    """A lock that counts the threads that came to it."""

    def __init__(self) -> None:
        self.lock, self.came = threading.Lock(), threading.Semaphore(0)

    def __enter__(self) -> None:
        self.came.release()
        self.lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self.lock.release()


def test_waiting_requests_share_the_next_computation() -> None:
    """Nine requests cost two computations: the one in progress, and one that begins after."""
    begun, go, results = threading.Event(), threading.Event(), list[int]()
    count = iter(range(100))

    def compute() -> int:
        begun.set()
        assert go.wait(60)
        return next(count)

    shared = health_server._SharedResult(compute)
    shared._lock = lock = CountingLock()  # type: ignore[assignment]
    threads = [threading.Thread(target=lambda: results.append(shared.get())) for _ in range(9)]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert lock.came.acquire(timeout=60)
    go.set()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [0] + [1] * 8
