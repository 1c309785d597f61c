"""Serving an application in a thread, until a block ends."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import requests

from genrebase.runtime import http_server
from genrebase.runtime.addresses import ListenAddress


def test_a_request_in_progress_is_completed() -> None:
    """The socket is closed at once, and idle connections; a response is sent to its end."""
    listener = http_server.listen(ListenAddress("127.0.0.1", 0))
    url, in_progress = f"http://127.0.0.1:{listener.getsockname()[1]}", Event()

    async def application(scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            in_progress.set()
            while listener.fileno() != -1:  # noqa: ASYNC110 - until the server stops
                await asyncio.sleep(0.001)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    with requests.Session() as idle, ThreadPoolExecutor() as pool:
        with http_server.serve_application(listener, application, None, "a test") as thread:
            assert idle.get(f"{url}/quick", timeout=60).text == "/quick"
            slow = pool.submit(requests.get, f"{url}/slow", timeout=60)
            in_progress.wait()
        assert slow.result().text == "/slow"
        assert not thread.is_alive()
