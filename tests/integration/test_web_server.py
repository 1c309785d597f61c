"""The process of `genrebase serve`: what it closes, and which addresses it answers."""

import socket
from http.client import HTTPConnection

import pytest
from sqlalchemy import Engine

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


def test_an_old_connection_is_closed_with_its_response():
    """A client is told to use another one, instead of losing a request."""

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answered"})

    for reuse_seconds, expected in ((0.0, "close"), (60.0, None), (None, None)):
        limits = ConnectionLimits(4, 60.0, reuse_seconds)
        listener = listen(ListenAddress("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with serve_application(listener, answer, limits, "test"):
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/")
            response = connection.getresponse()
            assert response.read() == b"answered"
            assert response.getheader("connection") == expected
            connection.close()
