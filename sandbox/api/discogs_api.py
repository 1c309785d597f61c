"""The host of Discogs' monthly dumps: no Range, no length, a ban of an hour after some calls."""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import count
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from genrebase.runtime.clock import Clock
from sandbox.api.discogs_dumps import DiscogsReleases
from sandbox.middleware.rate_limit import RateLimit, SandboxBan
from sandbox.middleware.simulated_service import FaultShapes, SimulatedService, html_page

PATH: Final = "/discogs/"
BAN_SECONDS: Final = 3_574.0
N_MONTHS: Final = 3
"""The present month, which is late: its list of checksums is missing, and its dump unfinished.
The months before it are complete."""
_CHUNK: Final = 1 << 16
_FILE: Final = re.compile(r"data/(\d{4})/discogs_(\1\d{2}01)_(releases\.xml\.gz|CHECKSUM\.txt)")


class DiscogsApi:
    """The host, over one catalogue."""

    def __init__(self, releases: DiscogsReleases, clock: Clock, breaks: int = 0) -> None:
        """Break off the first `breaks` downloads of a dump half-way."""
        self._releases, self._clock, self._breaks = releases, clock, breaks
        self._dump = lru_cache(maxsize=N_MONTHS)(releases.dump)
        self._downloads = count()

    def service(self, limit: RateLimit) -> SimulatedService:
        return SimulatedService(
            name="discogs",
            path=PATH,
            routes=[Route(PATH, self._respond)],
            faults=FaultShapes(lambda: html_page(502, "502 Bad Gateway")),
            base="/discogs",
            limit=limit,
            refusal=_refusal,
        )

    async def _respond(self, request: Request) -> Response:
        path = request.query_params.get("download")
        if path is None:
            return self._list()
        match = _FILE.fullmatch(path)
        months_ago = self._months_ago(match[2]) if match else None
        if match is None or months_ago is None:
            return html_page(404, "404 Not Found")
        is_late, is_list = months_ago == 0, match[3] == "CHECKSUM.txt"
        if is_late and is_list:
            return html_page(404, "404 Not Found")
        content = await run_in_threadpool(lambda: self._dump(months_ago))
        if is_list:
            name = f"discogs_{match[2]}_releases.xml.gz"
            return _stream(f"{hashlib.sha256(content).hexdigest()} {name}\n".encode())
        if is_late:
            return _stream(content[: len(content) // 2])
        if request.method == "GET" and next(self._downloads) < self._breaks:
            return _BrokenOff(content[: len(content) // 2])
        return _stream(content)

    def _list(self) -> Response:
        names = [
            f"data/{month[:4]}/discogs_{month}_{name}"
            for number, month in enumerate(self._months())
            for name in ("CHECKSUM.txt", "releases.xml.gz")
            if number or name != "CHECKSUM.txt"
        ]
        links = (f'<a href="?download={name.replace("/", "%2F")}">{name}</a>' for name in names)
        return HTMLResponse("\n".join(links))

    def _months(self) -> Iterator[str]:
        """Yield the first days of the months, the present one first, as YYYYMMDD."""
        today = self._clock.now()
        year, month = today.year, today.month
        for _ in range(N_MONTHS):
            yield f"{date(year, month, 1):%Y%m%d}"
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)

    def _months_ago(self, day: str) -> int | None:
        months = [*self._months()]
        return months.index(day) if day in months else None


class _BrokenOff(Response):
    """A download whose connection ends before the file does."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content, media_type="application/gzip")
        del self.headers["content-length"]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})


def _stream(content: bytes) -> Response:
    """Return a response without a length."""
    chunks = (content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK))
    return StreamingResponse(chunks, media_type="application/gzip")


def _refusal(ban: SandboxBan, now: float) -> Response:
    document = {"message": "You are making requests too quickly."}
    return JSONResponse(document, 429, ban.headers(now))
