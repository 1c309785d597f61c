"""A tiny HTTP server on loopback that answers what it was told to, in order."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Answer:
    """One answer; `body` is sent as it is, `cut` ends the connection half-way through it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @classmethod
    def json(cls, document: object, status: int = 200, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document).encode(), named)


TOKEN = Answer.json({"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600})


@dataclass
class Scripted:
    """What the server will say per path, and what it was asked."""

    url: str = ""
    answers: dict[str, deque[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def will(self, path: str, *answers: Answer) -> None:
        """Answer `path` with these, one after another; the last one again and again."""
        self.answers[path] = deque(answers)

    def next_answer(self, path: str) -> Answer:
        answers = self.answers.get(path)
        if not answers:
            return TOKEN if path == "/api/token" else Answer.json({"error": "nothing here"}, 404)
        return answers.popleft() if len(answers) > 1 else answers[0]

    def requests(self, path: str) -> int:
        """How often `path` was asked for."""
        return sum(asked.partition("?")[0] == path for asked in self.asked)


@contextmanager
def serving() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            script.asked.append(self.path)
            answer = script.next_answer(self.path.partition("?")[0])
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)

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
