"""A server on plain sockets that serves a small catalogue, or does its client harm.

It knows the endpoints of Spotify, ReccoBeats and MusicBrainz that the collector requests. One of
them, or the token endpoint, can be given a `Mode`; all others, and all of them without a mode, are
served as they should be. Each request is counted.
"""

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

TOKEN_PATH: Final = "/api/token"
CLIENT_SECRET: Final = "client-secret-8f14e45fceea167a"
TOKEN_START: Final = "access-token-c9f0f895fb98ab91"
"""Of every access token; a number follows."""
TRACKS: Final = 60
IDS: Final = tuple(f"{number:022}" for number in range(TRACKS))
MBIDS: Final = tuple(f"5935ec91-8124-42ff-937f-{number:012}" for number in range(TRACKS))
OTHER_IDS: Final = tuple(f"{number:022}" for number in range(900, 903))
"""Served by id only."""
PAUSE_SECONDS: Final = 0.02
"""Between two sends of a server that dribbles."""

_MAX_REQUEST: Final = 1 << 16


@dataclass
class Exchange:
    """One request on a connection."""

    connection: socket.socket
    method: str
    target: str
    number: int
    """Of the requests that were answered in the mode, from 0."""
    document: Any
    """The response as it should be; None for 404."""
    token: str
    """The access token, or the encoded credentials, that the client sent; empty without."""
    closing: threading.Event

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def body(self) -> bytes:
        """The body as it should be."""
        return json.dumps(self.document).encode()

    def send(self, sent: bytes) -> None:
        self.connection.sendall(sent)

    def respond(self, body: bytes, status: int = 200, headers: str = "") -> None:
        """Send a complete response; `headers` are lines that end in CRLF."""
        head = f"HTTP/1.1 {status} Status\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self.send(head.encode("latin-1") + body)

    def dribble(self, first: bytes, repeated: bytes) -> None:
        """Send `first`, then `repeated` at intervals until the client goes away."""
        self.send(first)
        while not self.closing.wait(PAUSE_SECONDS):
            self.send(repeated)

    def flood(self, first: bytes, repeated: bytes) -> None:
        """Send `first`, then `repeated` as fast as the client reads it."""
        self.send(first)
        while not self.closing.is_set():
            self.send(repeated)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


Behaviour = Callable[[Exchange], None]


@dataclass
class HostileServer:
    """A running server."""

    url: str
    prefixes: tuple[str, ...] = ()
    """Of the paths that `behaviour` responds to."""
    behaviour: Behaviour | None = None
    closing: threading.Event = field(default_factory=threading.Event)
    received: list[str] = field(default_factory=list)
    """Method and path of each request."""
    unread: list[str] = field(default_factory=list)
    """First lines that are no request of ours."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hostile: Counter[str] = field(default_factory=Counter)
    _tokens: int = 0

    def misbehave(self, behaviour: Behaviour, *prefixes: str) -> None:
        """Respond to paths that begin with one of `prefixes` by `behaviour`."""
        self.behaviour, self.prefixes = behaviour, prefixes

    def behave(self) -> None:
        """Respond to everything as it should be."""
        self.behaviour = None

    def count(self, prefix: str = "/") -> int:
        """Return the number of requests whose path begins with `prefix`."""
        return sum(path.startswith(prefix) for path in self.received)

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection until one of its ends closes it."""
        with connection, suppress(OSError, ValueError):
            while not self.closing.is_set():
                request = _read_request(connection)
                if request is None:
                    return
                self._respond(connection, *request)

    def _respond(self, connection: socket.socket, method: str, target: str, token: str) -> None:
        path = urlsplit(target).path
        with self._lock:
            self.received.append(path)
            self._tokens += path == TOKEN_PATH
            document = honest_document(path, target, self._tokens)
            is_hostile = self.behaviour is not None and path.startswith(self.prefixes)
            number = self._hostile["all"]
            self._hostile["all"] += is_hostile
        exchange = Exchange(connection, method, target, number, document, token, self.closing)
        if is_hostile and self.behaviour is not None:
            self.behaviour(exchange)
        elif document is None:
            exchange.respond(b'{"error": {"status": 404, "message": "nothing here"}}', 404)
        else:
            exchange.respond(exchange.body)


@contextmanager
def serving() -> Iterator[HostileServer]:
    """Serve in threads while the block runs."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server = HostileServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.closing.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            accepting.join(10)


def track(number: int) -> dict[str, Any]:
    """Return a track as Spotify has it."""
    artist = number % 7
    return {
        "type": "track",
        "id": f"{number:022}",
        "name": f"Song {number}",
        "artists": [{"id": f"{800 + artist:022}", "name": f"Band {artist}", "type": "artist"}],
        "album": {"name": f"Album {artist}", "release_date": "2001-02-03"},
        "external_ids": {"isrc": f"USX17{number:07}"},
        "duration_ms": 180_000 + number,
        "explicit": False,
        "popularity": 50,
        "is_local": False,
    }


def mbid(number: int) -> str:
    return f"5935ec91-8124-42ff-937f-{number:012}"


def recording(number: int) -> dict[str, Any]:
    """Return a recording as a search of MusicBrainz has it."""
    artist = number % 7
    credit = {"name": f"Band {artist}", "artist": {"id": mbid(800 + artist)}}
    credit["artist"]["name"] = credit["name"]  # type: ignore[index]
    return {
        "id": mbid(number),
        "score": 100,
        "title": f"Song {number}",
        "length": 180_000 + number,
        "video": None,
        "artist-credit": [credit],
        "first-release-date": "2001-02-03",
        "releases": [{"id": mbid(900), "title": "Album", "status": "Official", "date": "2001"}],
        "isrcs": [f"USX17{number:07}"],
        "tags": [{"count": 3, "name": "rock"}, {"count": 1, "name": "seen live"}],
    }


def features(source_id: str) -> dict[str, Any]:
    """Return audio features as both providers have them."""
    href = f"https://open.spotify.com/track/{source_id}"
    return {
        "id": source_id,
        "href": href,
        "danceability": 0.5,
        "energy": 0.25,
        "key": 5,
        "loudness": -7.5,
        "mode": 1,
        "speechiness": 0.125,
        "acousticness": 0.5,
        "instrumentalness": 0.5,
        "liveness": 0.125,
        "valence": 0.75,
        "tempo": 120.5,
        "time_signature": 4,
    }


def analysis() -> dict[str, Any]:
    """Return an audio analysis as Spotify has it."""
    place = {"start": 0.0, "duration": 10.0, "confidence": 1.0}
    key = {"key": 5, "key_confidence": 0.5, "mode": 1, "mode_confidence": 0.5, "tempo": 120.0}
    segment = {"loudness_max": -5.0, "pitches": [0.5] * 12, "timbre": [10.0] * 12}
    return {
        "track": key,
        "sections": [{**place, **key, "loudness": -7.0, "tempo_confidence": 0.5}],
        "segments": [{**place, **segment, "start": float(second)} for second in range(8)],
    }


def honest_document(path: str, target: str, token_number: int) -> Any:
    """Return the document at an address, None where there is none."""
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    ids = parameters.get("ids", "").split(",")
    if path == TOKEN_PATH:
        token = f"{TOKEN_START}-{token_number:04}"
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
    if path == "/v1/search":
        limit, offset = int(parameters.get("limit", 50)), int(parameters.get("offset", 0))
        items = [track(number) for number in range(TRACKS)][offset : offset + limit]
        return {"tracks": {"items": items, "total": TRACKS, "limit": limit, "offset": offset}}
    if path == "/ws/2/recording":
        limit, offset = int(parameters.get("limit", 25)), int(parameters.get("offset", 0))
        found = [recording(number) for number in range(TRACKS)][offset : offset + limit]
        return {"count": TRACKS, "offset": offset, "recordings": found}
    if path == "/v1/tracks":
        return {"tracks": [track(int(one)) for one in ids]}
    if path.startswith("/v1/tracks/"):
        return track(int(path.rsplit("/", 1)[1]))
    if path.startswith("/v1/audio-analysis/"):
        return analysis()
    if path == "/v1/audio-features":
        return {"audio_features": [features(one) for one in ids]}
    if path == "/reccobeats/v1/audio-features":
        return {"content": [features(one) for one in ids]}
    return None


def _read_request(connection: socket.socket) -> tuple[str, str, str] | None:
    """Return method, target and token of the next request; None where the client has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(_MAX_REQUEST)
        if not more or len(received) > _MAX_REQUEST:
            return None
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    lengths = [line for line in lines if line.casefold().startswith("content-length:")]
    missing = int(lengths[0].partition(":")[2]) - len(body) if lengths else 0
    while missing > 0:
        missing -= len(connection.recv(missing)) or missing
    sent = [line for line in lines if line.casefold().startswith("authorization:")]
    return method, target, sent[0].rsplit(" ", 1)[1] if sent else ""
