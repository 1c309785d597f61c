"""The process of `genrebase serve`: what it closes, and which addresses it answers."""

import socket

import pytest
from sqlalchemy import Engine

from genrebase.runtime.console import Output
from genrebase.runtime.http_server import AddressUnavailable
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
