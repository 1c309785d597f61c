"""Jamendo's API: tracks by tag; errors are codes inside a response with status 200."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from random import Random
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from genrebase.store import names
from sandbox import Json
from sandbox.api.byte_ranges import range_response
from sandbox.middleware.rate_limit import RateLimit
from sandbox.middleware.simulated_service import FaultShapes, SimulatedService
from sandbox.synthetic.sound import encode_sound
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.releases import LICENCES
from sandbox.tracks.track_columns import SandboxTrack

PATH: Final = "/jamendo/"
MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 10
INVALID_CLIENT, RATE_LIMIT, SUSPENDED = 5, 6, 11
"""Error codes."""
SUSPENDED_CLIENT: Final = "suspended"
"""The client id of an application that is suspended."""
_DOWNLOADABLE: Final = 0.8
_DATES: Final = re.compile(r"(\d{4})-\d\d-\d\d_(\d{4})-\d\d-\d\d")
_CLIENT: Final = re.compile(r"[0-9A-Za-z_-]{4,64}")


class JamendoApi:
    """Serves the tracks of a catalogue under ids of Jamendo's form."""

    def __init__(self, catalogue: SandboxCatalogue, address: str) -> None:
        """Serve at `address` (`http://127.0.0.1:8765`)."""
        self._catalogue, self._address = catalogue, address

    def service(self, limit: RateLimit) -> SimulatedService:
        return SimulatedService(
            name="jamendo",
            path=PATH,
            routes=[
                Route(f"{PATH}v3.0/tracks/", self._tracks),
                Route(f"{PATH}download/track/{{id}}/mp32/", self._download),
            ],
            faults=FaultShapes(lambda: PlainTextResponse("Internal Server Error", 500)),
            base="/jamendo",
            limit=limit,
            refusal=lambda _ban, _now: _error(RATE_LIMIT, "Rate limit exceeded"),
            resource=re.compile(rf"^({PATH}download/track)/[^/]+"),
            search_path=f"{PATH}v3.0/tracks/",
            query_names=("tags", "fuzzytags"),
        )

    async def _tracks(self, request: Request) -> Response:
        return await run_in_threadpool(self._page, request.query_params)

    def _page(self, params: Mapping[str, str]) -> Response:
        client = params.get("client_id", "")
        if client == SUSPENDED_CLIENT:
            return _error(SUSPENDED, "Your application is suspended")
        if not _CLIENT.fullmatch(client):
            return _error(INVALID_CLIENT, "Invalid Client Id")
        limit = min(_number(params.get("limit"), DEFAULT_LIMIT), MAX_LIMIT)
        first = _number(params.get("offset"), 0)
        matching = self._matching(params)
        wanted = matching[first : first + limit]
        results = [self._document(self._catalogue.track_at(number), number) for number in wanted]
        headers = _headers(0, "", len(results))
        if params.get("fullcount") == "true":
            headers["results_fullcount"] = len(matching)
        return JSONResponse({"headers": headers, "results": results})

    def _matching(self, params: Mapping[str, str]) -> Sequence[int]:
        if "id" in params:
            ids = re.split(r"[ +]", params["id"])
            return [self._numbers[one] for one in ids if one in self._numbers]
        tags = re.split(r"[ +]", params.get("tags", ""))
        by_tag = [set(self._rows_of_tag.get(tag, ())) for tag in tags if tag]
        rows = set.intersection(*by_tag) if by_tag else set()
        years = _DATES.fullmatch(params.get("datebetween", ""))
        if years is not None:
            low, high = int(years[1]), int(years[2])
            rows = {number for number in rows if low <= self._year(number) <= high}
        # each track once, under the row that it is listed under
        return [row for row in sorted(rows) if self._numbers[_jamendo_id(self._id(row))] == row]

    async def _download(self, request: Request) -> Response:
        number = self._numbers.get(request.path_params["id"])
        if number is None or not _is_downloadable(self._id(number)):
            return PlainTextResponse("Not Found", 404)
        track = self._catalogue.track_at(number)
        content = await run_in_threadpool(encode_sound, track.id, track.features, "flac")
        return range_response(content, request.headers.get("range"), "audio/mpeg")

    def _document(self, track: SandboxTrack, number: int) -> Json:
        jamendo_id = _jamendo_id(track.id)
        download = f"{self._address}{PATH}download/track/{jamendo_id}/mp32/"
        allowed, tags = _is_downloadable(track.id), self._tags.get(self._id(number), ())
        licence = Random(f"licence {track.id}").choice(LICENCES[:5])
        return {
            "id": jamendo_id,
            "name": track.title,
            "duration": round(track.duration_ms / 1000),
            "artist_id": _jamendo_id(names.normalise(track.artists[0])),
            "artist_name": track.artists[0],
            "album_name": track.album,
            "album_id": _jamendo_id(track.album_id),
            "license_ccurl": licence,
            "releasedate": track.release_date,
            "audio": download,
            "audiodownload": download if allowed else "",
            "musicinfo": {"tags": {"genres": sorted(tags), "vartags": ["groovy"]}},
            "audiodownload_allowed": allowed,
        }

    def _id(self, number: int) -> str:
        return self._catalogue.id_at(number)

    def _year(self, number: int) -> int:
        return int(self._catalogue.track_at(number).release_date[:4])

    @cached_property
    def _rows_of_tag(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for genre, number in self._listed():
            first_row = self._numbers[_jamendo_id(self._id(number))]
            rows.setdefault(_tag(genre), []).append(first_row)
        return rows

    @cached_property
    def _tags(self) -> dict[str, set[str]]:
        tags: dict[str, set[str]] = {}
        for genre, number in self._listed():
            tags.setdefault(self._id(number), set()).add(_tag(genre))
        return tags

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The first row of each track, by Jamendo's id."""
        numbers: dict[str, int] = {}
        for _, number in self._listed():
            numbers.setdefault(_jamendo_id(self._id(number)), number)
        return numbers

    def _listed(self) -> Iterator[tuple[str, int]]:
        """Yield each genre with each of its rows."""
        for genre in self._catalogue.genres:
            for number in self._catalogue.rows_of_genre(genre):
                yield genre, number


def _tag(genre: str) -> str:
    """Return a genre as Jamendo writes tags: in one word."""
    return re.sub(r"[\W_]+", "", names.normalise(genre).replace("&", "n"))


def _jamendo_id(text: str) -> str:
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") % 10**12 + 1)


def _is_downloadable(track_id: str) -> bool:
    return Random(f"download {track_id}").random() < _DOWNLOADABLE


def _number(text: str | None, default: int) -> int:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) < 9
    return int(text) if text is not None and is_number else default


def _headers(code: int, message: str, count: int) -> dict[str, Any]:
    return {
        "status": "failed" if code else "success",
        "code": code,
        "error_message": message,
        "warnings": "",
        "results_count": count,
    }


def _error(code: int, message: str) -> Response:
    text = f"Jamendo Api Exception: {message}"
    return JSONResponse({"headers": _headers(code, text, 0), "results": []})
