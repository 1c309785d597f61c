"""A small Internet Archive on loopback: items of generated sound, faults per file, a log."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from urllib.parse import parse_qs, quote, unquote, urlsplit

import numpy as np
import soundfile

RATE = 8_000
TEXT = b"<html>The item is being moved.</html>\n" * 50
FAULTS = (
    "none", "text", "size", "md5", "loop", "elsewhere", "gone", "limited", "busy", "cut", "long",
    "empty", "unsized",
)  # fmt: skip
"""What a file can have: what is left of the list after `none` arrives damaged, late or never."""
USABLE = ("none", "limited", "busy", "cut", "unsized")
"""Faults after which a file is analysed all the same."""


@lru_cache(maxsize=512)
def sound(number: int, seconds: float = 1.1) -> bytes:
    """Return a FLAC file of noise and a tone that no other number has."""
    random = np.random.default_rng(number)
    at = np.arange(int(seconds * RATE)) / RATE
    tone = 0.4 * np.sin(2 * np.pi * (110 + number) * at) + random.normal(0, 0.05, len(at))
    file = io.BytesIO()
    soundfile.write(file, tone.astype(np.float32), RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


@dataclass
class ServedFile:
    content: bytes
    fault: str = "none"
    title: str = ""
    refused: bool = False
    """Whether a fault that comes once has come."""


@dataclass
class ServedItem:
    subjects: list[str]
    files: dict[str, ServedFile]
    licence: str | None = "http://creativecommons.org/licenses/by/4.0/"
    creator: str | None = "Band"


@dataclass(frozen=True)
class Received:
    """A request: its path, the first byte it asked for, the status, and the bytes sent."""

    path: str
    first: int
    status: int
    sent: int


@dataclass
class ArchiveServer:
    url: str = ""
    items: dict[str, ServedItem] = field(default_factory=dict)
    log: list[Received] = field(default_factory=list)
    is_broken: bool = False
    """Whether every response is an error."""
    lock: Lock = field(default_factory=Lock)
    fell_silent: Event = field(default_factory=Event)
    """Set once a response has stopped in the middle, with its connection open."""
    ended: Event = field(default_factory=Event)

    def add(self, identifier: str, faults: list[str], subjects: list[str], **more: object) -> None:
        """Add an item with a file for each fault."""
        first = sum(len(item.files) for item in self.items.values())
        files = {
            f"{number:02} song {first + number}.flac": ServedFile(
                TEXT if fault == "text" else b"" if fault == "empty" else sound(first + number),
                fault,
                f"Song {first + number}",
            )
            for number, fault in enumerate(faults)
        }
        self.items[identifier] = ServedItem(subjects, files, **more)

    def sent(self, what: str) -> list[Received]:
        """Return the requests whose path has `what` in it."""
        with self.lock:
            return [one for one in self.log if what in one.path]

    def complete_downloads(self) -> dict[str, int]:
        """Return how often all bytes of each file were sent in one response."""
        counted: dict[str, int] = {}
        for one in self.sent("/node/"):
            file = self.file_at(one.path)
            if file is not None and one.sent >= len(file.content) > 0:
                counted[one.path] = counted.get(one.path, 0) + 1
        return counted

    def bytes_sent(self) -> dict[str, int]:
        """Return the bytes of each file that were sent, in all responses together."""
        total: dict[str, int] = {}
        for one in self.sent("/node/"):
            if one.status in {200, 206}:
                total[one.path] = total.get(one.path, 0) + one.sent
        return total

    def file_at(self, path: str) -> ServedFile | None:
        match = re.fullmatch(r"/archive/(?:download|node)/([^/]+)/(.+)", path)
        item = self.items.get(match[1]) if match else None
        return item.files.get(match[2]) if match and item else None


class Handler(BaseHTTPRequestHandler):
    @property
    def archive(self) -> ArchiveServer:
        return self.server.archive

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if self.archive.is_broken:
            self._send(500, b"broken")
        elif path == "/archive/services/search/v1/scrape":
            self._json(search(self.archive, parse_qs(parts.query)))
        elif path.startswith("/archive/metadata/"):
            self._json(metadata(self.archive, path.rpartition("/")[2]))
        elif path.startswith("/archive/download/"):
            self._redirect(path)
        elif path.startswith("/archive/node/"):
            self._file(path)
        else:
            self._send(404, b"nothing")

    def _redirect(self, path: str) -> None:
        file = self.archive.file_at(path)
        if file is None or file.fault == "gone":
            self._send(404, b"gone")
            return
        target = path.replace("/download/", "/node/")
        if file.fault == "loop":
            target = path
        location = f"{self.archive.url}{quote(target)}"
        if file.fault == "elsewhere":
            location = "http://192.0.2.1/song.flac"
        self._send(302, b"", Location=location)

    def _file(self, path: str) -> None:
        file = self.archive.file_at(path)
        if file is None:
            self._send(404, b"gone")
            return
        if file.fault in {"limited", "busy"} and not file.refused:
            file.refused = True
            self._send(429 if file.fault == "limited" else 503, b"slow down", Retry_After="0")
            return
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if file.fault == "restarts":  # breaks off each time, and ignores Range
            wanted = None
        first = int(wanted[1]) if wanted else 0
        body = file.content[first:] + (b"x" * 5_000 if file.fault == "long" else b"")
        if file.fault == "silent":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.archive.fell_silent.set()
            self.archive.ended.wait(120)
            return
        cut = file.fault in {"broken", "restarts"} or (file.fault == "cut" and not file.refused)
        file.refused = True
        headers = {"Content_Range": f"bytes {first}-{len(file.content) - 1}/*"}
        self._send(206 if wanted else 200, body, cut=cut, **(headers if wanted else {}))

    def _json(self, document: object) -> None:
        self._send(200, json.dumps(document).encode())

    def _send(self, status: int, body: bytes, *, cut: bool = False, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        place = self._log(status)  # before the client can act on the response
        self.end_headers()
        part = body[: len(body) // 2] if cut else body
        for start in range(0, len(part), 4_096):
            chunk = part[start : start + 4_096]
            self._count(place, len(chunk))
            try:
                self.wfile.write(chunk)
            except OSError:  # the client is gone: killed, or has enough
                self._count(place, -len(chunk))
                return

    def _log(self, status: int) -> int:
        """Log the request as answered without any byte yet; return its place in the log."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        path = unquote(urlsplit(self.path).path)
        with self.archive.lock:
            self.archive.log.append(Received(path, int(wanted[1]) if wanted else 0, status, 0))
            return len(self.archive.log) - 1

    def _count(self, place: int, sent: int) -> None:
        with self.archive.lock:
            before = self.archive.log[place]
            self.archive.log[place] = replace(before, sent=before.sent + sent)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        pass


@contextmanager
def serving() -> Iterator[ArchiveServer]:
    archive = ArchiveServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.archive = archive
    archive.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield archive
    finally:
        archive.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def search(archive: ArchiveServer, query: dict[str, list[str]]) -> dict[str, object]:
    """Return the items of a subject, by identifier, in pages."""
    subject = re.search(r'subject:"([^"]*)"', query["q"][0])
    assert subject is not None
    found = [
        {"identifier": name, "subject": item.subjects, "licenseurl": item.licence}
        for name, item in sorted(archive.items.items())
        if any(words(subject[1]) in words(one) for one in item.subjects)
    ]
    first, count = int(query.get("cursor", ["0"])[0]), int(query["count"][0])
    page: dict[str, object] = {"items": found[first : first + count], "total": len(found)}
    return page | ({"cursor": str(first + count)} if first + count < len(found) else {})


def words(text: str) -> str:
    """Return a text as the search compares it."""
    return text.lower().replace("-", " ")


def metadata(archive: ArchiveServer, identifier: str) -> dict[str, object]:
    item = archive.items.get(identifier)
    if item is None:
        return {}
    return {
        "metadata": {
            "identifier": identifier,
            "title": f"Album {identifier}",
            "creator": item.creator,
            "date": "2011-05-06",
            "subject": item.subjects,
            "licenseurl": item.licence,
        },
        "files": [
            {"name": name, "source": "original", "format": "Flac", "title": file.title}
            | described(file)
            for name, file in item.files.items()
        ],
    }


def described(file: ServedFile) -> dict[str, str]:
    """Return size and checksum as the item states them."""
    if file.fault in {"unsized", "broken"}:
        return {}
    size = len(file.content) + (1_000 if file.fault == "size" else 0)
    digest = hashlib.md5(file.content).hexdigest()
    return {"size": str(size), "md5": "0" * 32 if file.fault == "md5" else digest}
