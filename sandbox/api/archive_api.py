"""Internet Archive: search with a cursor, items with their files, downloads behind a redirect.

Some items have the faults of real ones, the same on every request: a file that is text, a wrong
size or checksum, an item that is gone, a file that is not public.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from genrebase.store import names
from sandbox import Json
from sandbox.api.byte_ranges import range_response
from sandbox.middleware.rate_limit import RateLimit
from sandbox.middleware.simulated_service import FaultShapes, SimulatedService
from sandbox.synthetic.sound import encode_sound
from sandbox.tracks.releases import SandboxRelease, SandboxReleases
from sandbox.tracks.track_columns import SandboxTrack

PATH: Final = "/archive/"
MIN_COUNT, MAX_COUNT = 100, 10_000
"""Limits of the parameter `count` of a search."""
_QUIRK_SHARE: Final = 0.03
"""Share of files, and of items, that have each fault."""

_SUBJECT: Final = re.compile(r'subject:\(?"((?:[^"\\]|\\.)*)"')
_FIELDS: Final = ("identifier", "title", "creator", "date", "subject", "licenseurl")
_NOT_SOUND: Final = b"<html><body>The item is being moved.</body></html>\n" * 40
_FORMATS: Final = {"wav": "WAVE", "flac": "Flac"}
"""What was uploaded, and what the archive made of it."""
_HTTP_FOUND: Final = 302


class ArchiveApi:
    """Serves the releases of a catalogue."""

    def __init__(self, releases: SandboxReleases) -> None:
        self._releases = releases

    def service(self, limit: RateLimit) -> SimulatedService:
        return SimulatedService(
            name="internetarchive",
            path=PATH,
            routes=[
                Route(f"{PATH}services/search/v1/scrape", self._search),
                Route(f"{PATH}metadata/{{identifier}}", self._metadata),
                Route(f"{PATH}download/{{identifier}}/{{name:path}}", self._download),
                Route(f"{PATH}node/{{identifier}}/{{name:path}}", self._node),
            ],
            faults=FaultShapes(lambda: PlainTextResponse("Internal Server Error", 500)),
            base="/archive",
            limit=limit,
            refusal=lambda ban, now: PlainTextResponse("Slow down", 429, ban.headers(now)),
            resource=re.compile(rf"^({PATH}(?:metadata|download|node))/.+"),
            search_path=f"{PATH}services/search/v1/scrape",
            query_names=("q",),
        )

    async def _search(self, request: Request) -> Response:
        return await run_in_threadpool(self._search_page, request)

    def _search_page(self, request: Request) -> Response:
        query = request.query_params.get("q", "")
        subject = _SUBJECT.search(query)
        if subject is None or "collection:netlabels" not in query:
            return _error("the sandbox searches collection:netlabels by subject only")
        count, first = _count(request), _position(request.query_params.get("cursor"))
        if count is None:
            return _error(f"count must be between {MIN_COUNT} and {MAX_COUNT}")
        if first is None:
            return _error("invalid cursor")
        words = names.normalise(subject[1].replace("\\", "")).replace("-", " ").split()
        matching = [
            one for one in self._releases.by_identifier.values() if _has_subject(one, words)
        ]
        page = matching[first : first + count]
        wanted = request.query_params.get("fields", "identifier").split(",")
        items = [_listed(one, wanted) for one in page]
        document: Json = {"items": items, "count": len(items), "total": len(matching)}
        if first + count < len(matching):
            document["cursor"] = base64.urlsafe_b64encode(f"at {first + count}".encode()).decode()
        return JSONResponse(document)

    async def _metadata(self, request: Request) -> Response:
        release = self._releases.by_identifier.get(request.path_params["identifier"])
        if release is None or _is_odd(release.identifier, "gone"):
            return JSONResponse({})
        return JSONResponse(await run_in_threadpool(self._document, release))

    async def _download(self, request: Request) -> Response:
        if self._find(request) is None:
            return PlainTextResponse("Not Found", 404)
        path = request.url.path.replace(f"{PATH}download/", f"{PATH}node/", 1)
        return RedirectResponse(request.url.replace(path=path), _HTTP_FOUND)

    async def _node(self, request: Request) -> Response:
        make = self._find(request)
        if make is None:
            return PlainTextResponse("Not Found", 404)
        content = await run_in_threadpool(make)
        return range_response(content, request.headers.get("range"), "application/octet-stream")

    def _document(self, release: SandboxRelease) -> Json:
        metadata = _listed(release, [*_FIELDS])
        return {
            "metadata": metadata | {"collection": ["netlabels"], "mediatype": "audio"},
            "files": [
                {"name": f"{release.identifier}_meta.xml", "source": "metadata"},
                {"name": "cover.jpg", "source": "original", "format": "JPEG", "size": "20000"},
                *(
                    self._describe(release, number, track, kind)
                    for number, track in enumerate(release.tracks, 1)
                    for kind in _FORMATS
                ),
            ],
        }

    def _describe(
        self, release: SandboxRelease, number: int, track: SandboxTrack, kind: str
    ) -> Json:
        """Return a file as the item's document lists it, with its faults."""
        name, odd = _name(number, track, kind), f"{release.identifier}/{number}"
        content = _content(release, number, track, kind)
        size, digest = len(content), hashlib.md5(content).hexdigest()  # noqa: S324 - its API
        document: Json = {
            "name": name,
            "format": _FORMATS[kind],
            "size": str(size + 1_000 if _is_odd(odd, "size") else size),
            "md5": "0" * 32 if _is_odd(odd, "checksum") else digest,
            "title": track.title,
            "artist": "; ".join(track.artists),
            "track": str(number),
            "source": "original" if kind == "wav" else "derivative",
        }
        if kind != "wav":
            document["original"] = _name(number, track, "wav")
        if _is_odd(odd, "private"):
            document["private"] = "true"
        return document

    def _find(self, request: Request) -> Callable[[], bytes] | None:
        """Return how to make the requested file, None if there is none."""
        release = self._releases.by_identifier.get(request.path_params["identifier"])
        for number, track in enumerate(release.tracks if release else (), 1):
            for kind in _FORMATS:
                if release and _name(number, track, kind) == request.path_params["name"]:
                    return partial(_content, release, number, track, kind)
        return None


def _is_odd(what: str, fault: str) -> bool:
    return Random(f"{fault} {what}").random() < _QUIRK_SHARE


def _content(release: SandboxRelease, number: int, track: SandboxTrack, kind: str) -> bytes:
    is_text = _is_odd(f"{release.identifier}/{number}", "text")
    return _NOT_SOUND if is_text else encode_sound(track.id, track.features, kind)


def _name(number: int, track: SandboxTrack, kind: str) -> str:
    return f"{number:02} {track.title}.{kind}".replace("/", "_")


def _listed(release: SandboxRelease, wanted: list[str]) -> Json:
    """Return the wanted fields of an item; a single subject is a text, several are a list."""
    subjects: Any = list(release.subjects)
    document = {
        "identifier": release.identifier,
        "title": release.title,
        "creator": release.artist,
        "date": release.date,
        "subject": subjects[0] if len(subjects) == 1 else subjects,
        "licenseurl": release.licence_url,
    }
    return {name: document[name] for name in wanted if document.get(name)}


def _has_subject(release: SandboxRelease, words: list[str]) -> bool:
    """Return whether one subject contains the words in sequence: the field is tokenised text."""
    phrase = f" {' '.join(words)} "
    subjects = (names.normalise(one).replace("-", " ") for one in release.subjects)
    return any(phrase in f" {subject} " for subject in subjects)


def _count(request: Request) -> int | None:
    text = request.query_params.get("count", str(MIN_COUNT))
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return count if MIN_COUNT <= count <= MAX_COUNT else None


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor.encode()).decode().removeprefix("at "))
    except (binascii.Error, ValueError):
        return None


def _error(message: str) -> Response:
    return JSONResponse({"error": message, "errorType": "BadRequest"}, 400)
