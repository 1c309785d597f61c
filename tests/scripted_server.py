"""A small HTTP server on loopback with scripted responses."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class ScriptedResponse:
    """One response; `body` is sent unchanged, `cut` ends the connection half-way through it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @classmethod
    def json(cls, document: object, status: int = 200, **headers: str) -> "ScriptedResponse":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document).encode(), named)


TOKEN = ScriptedResponse.json(
    {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600}
)


@dataclass
class ScriptedServer:
    """Scripted responses per path, and the requests received."""

    url: str = ""
    responses: dict[str, deque[ScriptedResponse]] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    user_agents: list[str] = field(default_factory=list)

    def respond(self, path: str, *responses: ScriptedResponse) -> None:
        """Respond to `path` with these in turn; the last one is repeated."""
        self.responses[path] = deque(responses)

    def next_response(self, path: str) -> ScriptedResponse:
        responses = self.responses.get(path)
        if not responses:
            return (
                TOKEN
                if path == "/api/token"
                else ScriptedResponse.json({"error": "nothing here"}, 404)
            )
        return responses.popleft() if len(responses) > 1 else responses[0]

    def requests(self, path: str) -> int:
        """Return the number of requests for `path`."""
        return sum(address.partition("?")[0] == path for address in self.received)


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    script = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            script.received.append(self.path)
            script.user_agents.append(self.headers.get("User-Agent", ""))
            response = script.next_response(self.path.partition("?")[0])
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(
                response.body[: len(response.body) // 2] if response.cut else response.body
            )

        do_POST = do_GET  # noqa: N815 - inherited name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
