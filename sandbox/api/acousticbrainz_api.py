"""AcousticBrainz' API, version 1, and its dumps; it can be down, as the real one sometimes is."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from genrebase.runtime.clock import Clock
from sandbox import Json
from sandbox.api.acousticbrainz_dumps import NAMES, SUMS, AcousticBrainzDumps
from sandbox.middleware.rate_limit import FixedWindowLimit
from sandbox.middleware.simulated_service import (
    FaultShapes,
    RequestError,
    SimulatedService,
    html_page,
)
from sandbox.synthetic.essentia_documents import (
    high_level_document,
    low_level_document,
    selected_features,
)
from sandbox.tracks.submissions import SandboxSubmission, SubmissionCatalogue

Availability = Literal["up", "down"]
AVAILABILITIES: Final[tuple[Availability, ...]] = ("up", "down")

PATH: Final = "/acousticbrainz/"
MAX_IDS: Final = 25
HANG_SECONDS: Final = 60.0
"""Time that a request gets no answer while the API is down: longer than clients wait."""
_ROOT: Final = f"{PATH}api/v1"
_RESOURCE: Final = re.compile(rf"^({_ROOT})/[0-9a-fA-F-]{{36}}(?=/)")
_NOT_FOUND: Final = "Not found"
_RATE_LIMIT: Final = (
    "You have exceeded your rate limit. See the X-RateLimit-* response headers for more "
    "information on your current rate limit."
)


@dataclass(frozen=True, slots=True)
class AcousticBrainzApi:
    """The endpoints, over one catalogue."""

    submissions: SubmissionCatalogue
    availability: Availability
    clock: Clock
    hang_seconds: float = HANG_SECONDS
    _numbers: "Iterator[int]" = field(default_factory=count)

    def services(self, limit: FixedWindowLimit) -> tuple[SimulatedService, SimulatedService]:
        """Return the API with its `limit`, and the dumps, which are on another host."""
        endpoints: dict[str, Callable[[Request], Json]] = {
            "/low-level": self.low_levels,
            "/high-level": self.high_levels,
            "/count": self.counts,
            "/{mbid}/low-level": self.low_level,
            "/{mbid}/high-level": self.high_level,
            "/{mbid}/count": self.count,
            "/{rest:path}": self.unknown_endpoint,
        }
        dumps = AcousticBrainzDumps(self.submissions)

        async def dump(request: Request) -> Response:
            return await _dump(request, dumps)

        def headers(now: float) -> dict[str, str]:
            return self._headers(limit, now)

        faults = FaultShapes(lambda: _error(500, "An unknown error occurred"))
        return (
            SimulatedService(
                name="acousticbrainz",
                path=f"{PATH}api/",
                routes=[
                    Route(f"{_ROOT}{path}", self._guarded(endpoint))
                    for path, endpoint in endpoints.items()
                ],
                faults=faults,
                base="/acousticbrainz",
                limit=limit,
                refusal=lambda _ban, _now: _error(429, _RATE_LIMIT),
                resource=_RESOURCE,
                headers=headers if limit.rate else None,
            ),
            SimulatedService(
                name="acousticbrainz_dumps",
                path=f"{PATH}dumps/",
                routes=[Route(f"{PATH}dumps/{{name:path}}", dump)],
                faults=FaultShapes(lambda: html_page(500, "500 Internal Server Error")),
                base="/acousticbrainz/dumps",
            ),
        )

    def low_levels(self, request: Request) -> Json:
        """Return documents of several recordings, whole or the features that are named."""
        names = [name for name in request.query_params.get("features", "").split(";") if name]
        recordings = self.submissions.recordings

        def document(submission: SandboxSubmission) -> Json:
            if names:
                return selected_features(submission, recordings, names)
            return low_level_document(submission, recordings)

        return self._documents(request, document)

    def high_levels(self, request: Request) -> Json:
        """Return the predictions for several recordings."""
        recordings = self.submissions.recordings
        return self._documents(request, lambda s: high_level_document(s, recordings))

    def counts(self, request: Request) -> Json:
        """Return the numbers of submissions of several recordings."""
        wanted = _recording_ids(request)
        counts = {mbid.lower(): self.submissions.count(mbid.lower()) for mbid, _ in wanted}
        return {
            **{mbid: {"count": number} for mbid, number in counts.items() if number},
            "mbid_mapping": _mapping(wanted),
        }

    def low_level(self, request: Request) -> Json:
        """Return one document."""
        return low_level_document(self._one(request), self.submissions.recordings)

    def high_level(self, request: Request) -> Json:
        """Return the predictions for one recording."""
        return high_level_document(self._one(request), self.submissions.recordings)

    def count(self, request: Request) -> Json:
        """Return the number of submissions of one recording; 0 for an unknown one."""
        mbid = _mbid(request.path_params["mbid"]).lower()
        return {"mbid": mbid, "count": self.submissions.count(mbid)}

    def unknown_endpoint(self, _request: Request) -> Json:
        """Refuse a request to any other path."""
        raise RequestError(404, _NOT_FOUND)

    def _documents(self, request: Request, document: Callable[[SandboxSubmission], Json]) -> Json:
        wanted = _recording_ids(request)
        documents: Json = {}
        for mbid, offset in wanted:
            submission = self.submissions.submission(mbid.lower(), offset)
            if submission is not None:
                documents.setdefault(mbid.lower(), {})[str(offset)] = document(submission)
        return {**documents, "mbid_mapping": _mapping(wanted)}

    def _one(self, request: Request) -> SandboxSubmission:
        mbid = _mbid(request.path_params["mbid"]).lower()
        try:
            offset = int(request.query_params.get("n") or 0)
        except ValueError:
            raise RequestError(400, "Offset must be an integer value") from None
        submission = self.submissions.submission(mbid, offset) if offset >= 0 else None
        if submission is None:
            raise RequestError(404, _NOT_FOUND)
        return submission

    def _guarded(
        self, endpoint: Callable[[Request], Json]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            if self.availability == "down":
                if next(self._numbers) % 2:
                    await asyncio.sleep(self.hang_seconds)
                    return html_page(504, "504 Gateway Time-out")
                return html_page(500, "500 Internal Server Error")
            try:
                return JSONResponse(endpoint(request))
            except RequestError as error:
                return _error(error.status, error.message)

        return respond

    def _headers(self, limit: FixedWindowLimit, now: float) -> dict[str, str]:
        """Return the headers with the remaining requests of the rate limit."""
        seconds = max(1, round(limit.seconds_left(now)))
        return {
            "X-RateLimit-Limit": str(limit.rate.requests if limit.rate else 0),
            "X-RateLimit-Remaining": str(limit.remaining),
            "X-RateLimit-Reset": str(int(self.clock.now().timestamp()) + seconds),
            "X-RateLimit-Reset-In": str(seconds),
        }


async def _dump(request: Request, dumps: AcousticBrainzDumps) -> Response:
    """Return a file of the dumps, or their list."""
    name = request.path_params["name"]
    if not name:
        links = (f'<a href="{file_name}">{file_name}</a>' for file_name in NAMES)
        return HTMLResponse("\n".join(links))
    if name not in NAMES:
        return html_page(404, "404 Not Found")
    # The first request makes all files, which takes seconds.
    content = (await run_in_threadpool(lambda: dumps.files))[name]
    if name == SUMS:
        return PlainTextResponse(content)
    return Response(content, media_type="application/zstd")


def _recording_ids(request: Request) -> Sequence[tuple[str, int]]:
    """Return MBIDs and offsets, each once; an offset that is no number is 0."""
    text = request.query_params.get("recording_ids", "")
    if not text:
        raise RequestError(400, "Missing `recording_ids` parameter")
    wanted: dict[tuple[str, int], None] = {}
    for part in text.split(";"):
        mbid, *offsets = part.split(":")
        if len(offsets) > 1:
            raise RequestError(400, f"More than 1 : in '{part}'")
        offset = int(offsets[0]) if offsets and offsets[0].isdecimal() else 0
        wanted[_mbid(mbid), offset] = None
    if len(wanted) > MAX_IDS:
        raise RequestError(400, f"More than {MAX_IDS} recordings not allowed per request")
    return list(wanted)


def _mbid(text: str) -> str:
    try:
        uuid.UUID(text)
    except ValueError:
        raise RequestError(400, f"'{text}' is not a valid UUID") from None
    return text


def _mapping(wanted: Sequence[tuple[str, int]]) -> Json:
    """Return the ids of the response by those of the request, if they differ."""
    return {mbid: mbid.lower() for mbid, _ in wanted if mbid != mbid.lower()}


def _error(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
