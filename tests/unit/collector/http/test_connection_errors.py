"""Sentences on failed connections: the address and the reason, and nothing of the libraries."""

import socket
import ssl

import pytest
import requests

from collector.errors import SourceUnavailable
from collector.http.client import ServiceClient
from collector.http.connection_errors import describe
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, serving

_INTERNALS = ("Pool", "Connection", "object at", "Errno", "Max retries", "url:")


def request(address: str) -> str:
    """Return the message of the failed request."""
    with pytest.raises(SourceUnavailable) as caught:
        ServiceClient(address, FakeClock(), 5).get_json()
    message = str(caught.value)
    assert not [word for word in _INTERNALS if word in message]
    return message


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_a_closed_port_of_this_computer_asks_for_the_sandbox() -> None:
    """Path and query of the request are left out."""
    port = closed_port()
    assert request(f"http://127.0.0.1:{port}/v1/search?q=secret") == (
        f"Nothing answers at http://127.0.0.1:{port}: is the sandbox running? Start it with "
        f"`collector sandbox --port {port}`."
    )


def test_a_name_that_cannot_be_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without a network."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    message = request("https://api.example.org/v1")
    assert message.startswith(
        "https://api.example.org cannot be reached: its name cannot be resolved."
    )


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting to correct is named."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    message = request("https://api.example.org/v1")
    assert message.startswith("https://api.example.org cannot be reached: the proxy")
    assert message.endswith("Check HTTPS_PROXY.")


def test_a_server_without_encryption() -> None:
    """A plain server at an https address."""
    with serving() as server:
        address = server.url.replace("http:", "https:")
        message = request(f"{address}/v1")
    assert message.startswith(f"{address} cannot be reached: no encrypted connection")


def test_a_response_that_breaks_off() -> None:
    """The connection ends half-way through the body."""
    with serving() as server:
        server.respond("/v1", ScriptedResponse(body=b"[1, 2, 3, 4]", cut=True))
        message = request(f"{server.url}/v1")
    assert message == f"{server.url} closed the connection in the middle of its response."


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "the connection was refused"),
        (ConnectionResetError(104, "Connection reset by peer"), "it closed the connection"),
        (TimeoutError("timed out"), "no response in time"),
        (OSError(113, "No route to host"), "No route to host"),
        (ssl.SSLError(1, "[SSL] wrong version"), "no encrypted connection could be made"),
    ],
)
def test_reasons(cause: OSError, reason: str) -> None:
    """The innermost error gives the reason; a password in the address is left out."""
    error = requests.ConnectionError(cause)
    message = describe("https://me:hunter2@api.example.org:8443/v1", error)
    assert message.startswith(f"https://api.example.org:8443 cannot be reached: {reason}.")
