"""Whether a host can be connected to, within a deadline."""

import socket
from threading import Event

import pytest

from collector.http.reachability import unreachable_reason
from genrebase.runtime.clock import SystemClock

CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_listening_host_is_reachable() -> None:
    """Nothing is sent to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/v1/"
        assert unreachable_reason([address, address], CLOCK, 5) is None


def test_a_refused_connection_is_named() -> None:
    """With the address; the sandbox is what runs on this computer."""
    reason = unreachable_reason(["http://127.0.0.1:1/v1"], CLOCK, 5)
    assert reason == (
        "Nothing answers at http://127.0.0.1:1: is the sandbox running? Start it with "
        "`collector sandbox --port 1`."
    )


def test_a_name_that_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without a network."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    reason = unreachable_reason(["https://api.example.org/"], CLOCK, 5)
    assert reason is not None
    assert "https://api.example.org cannot be reached: its name cannot be resolved." in reason


def test_a_resolver_that_hangs_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver has no timeout of its own that we could set."""
    release = Event()

    def hang(*_: object, **__: object) -> None:
        release.wait()
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    reason = unreachable_reason(["https://api.example.org/"], CLOCK, 0.05)
    release.set()
    assert reason is not None
    assert "https://api.example.org cannot be reached: no response within 0.05 s." in reason


def test_behind_a_proxy_the_proxy_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host itself cannot be reached from there."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert unreachable_reason(["https://api.example.org/"], CLOCK, 5) is None
