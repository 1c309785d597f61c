"""The process of `genrebase serve`: what it closes, and which addresses it answers."""

import asyncio
import socket
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine

from genrebase.runtime import http_server
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.console import Output
from genrebase.runtime.http_server import (
    AddressUnavailable,
    ConnectionLimits,
    listen,
    serve_application,
)
from web import server
from web.settings import ServeSettings


def test_connections_are_closed_where_listening_fails(
    sqlite_engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STORE_URL", sqlite_url)
    disposed: list[Engine] = []

    def dispose(engine: Engine) -> None:
        disposed.append(engine)

    monkeypatch.setattr(Engine, "dispose", dispose)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressUnavailable):
        server.run(
            ServeSettings(),
            Output(as_json=False),
            host="127.0.0.1",
            port=taken.getsockname()[1],
            open_browser=False,
        )
    assert len(set(disposed)) == 2


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"answered"})


@pytest.mark.parametrize(("now", "headers"), [(30.0, [(b"connection", b"close")]), (29.9, [])])
def test_an_old_connection_is_closed_with_its_response(now, headers):
    """A client is told to use another one, instead of losing a request."""
    sent = []

    async def send(message):
        sent.append(message)

    async def request():
        loop = SimpleNamespace(time=lambda: now)
        await http_server._closing_after(30.0, answer, loop)({}, None, send)

    asyncio.run(request())
    assert [message.get("headers", []) for message in sent] == [headers, []]


@pytest.mark.parametrize("reuse_seconds", [60.0, None])
def test_a_young_connection_stays_open(reuse_seconds):
    """Its response says nothing about the connection."""
    listener = listen(ListenAddress("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with serve_application(listener, answer, ConnectionLimits(4, 60.0, reuse_seconds), "test"):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read() == b"answered"
        assert response.getheader("connection") is None
        connection.close()
