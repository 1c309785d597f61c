"""MusicBrainz' web service, version 2, in JSON: search, lookups, the list of genres."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import Json
from sandbox.api.musicbrainz_objects import RecordingObjects
from sandbox.middleware.rate_limit import RateLimit
from sandbox.middleware.simulated_service import (
    FaultShapes,
    RequestError,
    SimulatedService,
    html_page,
)
from sandbox.tracks.lucene import LuceneSyntaxError
from sandbox.tracks.recording_search import RecordingSearch
from sandbox.tracks.recordings import RecordingCatalogue

PATH: Final = "/musicbrainz/"
TIE_SHIFT: Final = 25
"""Places that a hit moves, by default, among those of its score."""
_ROOT: Final = f"{PATH}ws/2"
_PAGE_LIMIT: Final = 100
_PAGE_DEFAULT: Final = 25
"""Also of a limit outside of 1 to 100, without a word."""
_MAX_RESOURCES: Final = 100
_CREATED: Final = "2026-09-01T00:00:00.000Z"
"""Of every search: equal requests get equal answers."""
_HELP: Final = "For usage, please see: https://musicbrainz.org/development/mmd"
_RATE_LIMIT: Final = (
    "Your requests are exceeding the allowable rate limit. "
    "Please see http://wiki.musicbrainz.org/XMLWebService for more information."
)
_BUSY: Final = "The MusicBrainz web server is currently busy. Please try again later."
_BAD_SEARCH: Final = "Search server could not complete query: Bad request"
_GENERIC_AGENT: Final = re.compile(
    r"$|python|java|curl|wget|go-http|okhttp|libwww|aiohttp|httpx|mozilla", re.IGNORECASE
)
"""The default names of libraries, and no name at all."""
_MBID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", re.IGNORECASE)
_RESOURCE: Final = re.compile(rf"^({_ROOT}/(?:recording|isrc))/[^/]+")
_INC: Final = frozenset(
    {"aliases", "annotation", "artist-credits", "artists", "genres", "isrcs", "ratings"}
    | {"release-groups", "releases", "tags", "user-genres", "user-tags"}
    | {"artist-rels", "recording-rels", "release-rels", "url-rels", "work-rels"}
)


class MusicBrainzApi:
    """The endpoints, over one catalogue."""

    def __init__(self, catalogue: RecordingCatalogue, tie_shift: int = TIE_SHIFT) -> None:
        self._catalogue = catalogue
        self._objects = RecordingObjects(catalogue)
        self._search = RecordingSearch(catalogue, tie_shift)

    def service(self, limit: RateLimit) -> SimulatedService:
        endpoints: dict[str, Callable[[Request], Response]] = {
            "/recording": self.search,
            "/recording/": self.search,
            "/recording/{mbid}": self.recording,
            "/isrc/{isrc}": self.isrc,
            "/url": self.url,
            "/genre/all": self.genres,
            "/genre": self.genre_search,
            "/{rest:path}": self.unknown_endpoint,
        }
        return SimulatedService(
            name="musicbrainz",
            path=PATH,
            routes=[Route(f"{_ROOT}{path}", _guarded(end)) for path, end in endpoints.items()],
            faults=FaultShapes(
                server_error=lambda: html_page(502, "502 Bad Gateway"),
                unavailable=lambda: _error(503, _BUSY),
            ),
            base="/musicbrainz",
            limit=limit,
            # as recorded: without `help`, and without a `Retry-After`
            refusal=lambda _ban, _now: JSONResponse({"error": _RATE_LIMIT}, 503),
            resource=_RESOURCE,
            search_path=f"{_ROOT}/recording",
        )

    def search(self, request: Request) -> Response:
        """Return a page of recordings."""
        query = request.query_params.get("query", "")
        if not query or request.query_params.get("dismax", "false") != "false":
            raise RequestError(400, _BAD_SEARCH)
        offset, limit = _page(request)
        try:
            hits = self._search.page(query, offset, limit)
        except LuceneSyntaxError as error:
            raise RequestError(400, _BAD_SEARCH) from error
        recordings = [self._objects.hit(recording, score) for recording, score in hits.recordings]
        return JSONResponse(
            {
                "created": _CREATED,
                "count": hits.count,
                "offset": offset,
                "recordings": recordings,
            }
        )

    def recording(self, request: Request) -> Response:
        """Return a recording; an old id redirects to the present one."""
        mbid, inc = request.path_params["mbid"].lower(), _inc(request)
        if not _MBID.fullmatch(mbid):
            raise RequestError(400, "Invalid mbid.")
        if present := self._catalogue.redirects.get(mbid):
            url = request.url.replace(path=f"{_ROOT}/recording/{present}")
            return RedirectResponse(str(url), 301)
        recording = self._catalogue.by_mbid.get(mbid)
        if recording is None:
            raise RequestError(404, "Not Found")
        return JSONResponse(self._objects.lookup(recording, inc))

    def isrc(self, request: Request) -> Response:
        """Return the recordings with an ISRC."""
        isrc, inc = request.path_params["isrc"].upper(), _inc(request)
        if not _ISRC.fullmatch(isrc):
            raise RequestError(400, "Invalid isrc.")
        numbers = self._catalogue.by_isrc.get(isrc)
        if not numbers:
            raise RequestError(404, "Not Found")
        recordings = self._catalogue.recordings
        documents = [self._objects.lookup(recordings[number], inc) for number in numbers]
        return JSONResponse({"isrc": isrc, "recordings": documents})

    def url(self, request: Request) -> Response:
        """Return one url, or those of several that are there; beyond 100 they are not read."""
        resources = request.query_params.getlist("resource")
        inc = _inc(request)
        if not resources:
            raise RequestError(400, "Invalid resource.")
        urls = [self._objects.url(resource, inc) for resource in resources[:_MAX_RESOURCES]]
        documents = [url for url in urls if url is not None]
        if len(resources) > 1:
            page = {"url-count": len(documents), "url-offset": 0, "urls": documents}
            return JSONResponse(page)
        if not documents:
            raise RequestError(404, "Not Found")
        return JSONResponse(documents[0])

    def genres(self, request: Request) -> Response:
        """Return a page of the genres, or the names of all as text."""
        names = list(self._catalogue.genres)
        if request.query_params.get("fmt") == "txt":
            return PlainTextResponse("\n".join(names))
        offset, limit = _page(request)
        page = [self._objects.genre(name) for name in names[offset : offset + limit]]
        return JSONResponse({"genre-count": len(names), "genre-offset": offset, "genres": page})

    def genre_search(self, _request: Request) -> Response:
        """Refuse a search for genres: MusicBrainz has none."""
        raise RequestError(501, "This hasn't been implemented yet.")

    def unknown_endpoint(self, _request: Request) -> Response:
        """Refuse a request to any other path."""
        raise RequestError(404, "Not Found")


def _guarded(endpoint: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        if _GENERIC_AGENT.match(request.headers.get("user-agent", "")):
            return _error(403, "Forbidden: give your application a meaningful User-Agent.")
        is_text = request.query_params.get("fmt") == "txt" and "genre" in request.url.path
        wants_json = request.query_params.get("fmt") == "json" or (
            "fmt" not in request.query_params
            and "json" in request.headers.get("accept", "").lower()
        )
        if not wants_json and not is_text:
            return _error(406, "The sandbox has no XML: give fmt=json.")
        try:
            return endpoint(request)
        except RequestError as error:
            return _error(error.status, error.message)

    return respond


def _page(request: Request) -> tuple[int, int]:
    """Return offset and limit; MusicBrainz corrects both without an error."""
    limit = _integer(request, "limit", _PAGE_DEFAULT)
    limit = limit if 1 <= limit <= _PAGE_LIMIT else _PAGE_DEFAULT
    return max(0, _integer(request, "offset", 0)), limit


def _integer(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        return default


def _inc(request: Request) -> frozenset[str]:
    inc = frozenset(re.findall(r"[^\s+]+", request.query_params.get("inc", "")))
    if unknown := sorted(inc - _INC):
        raise RequestError(400, f"{unknown[0]} is not a valid inc parameter for this resource.")
    return inc


def _error(status: int, message: str) -> Response:
    document: Json = {"error": message, "help": _HELP}
    return JSONResponse(document, status)
