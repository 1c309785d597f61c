"""The ReccoBeats API: audio features by Spotify id, without a key; unknown ids are left out."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.api.spotify_objects import reccobeats_features
from sandbox.middleware.rate_limit import RateLimit
from sandbox.middleware.simulated_service import FaultShapes, SimulatedService
from sandbox.tracks.catalogue import SandboxCatalogue

MAX_IDS: Final = 40


def service(catalogue: SandboxCatalogue, limit: RateLimit) -> SimulatedService:
    async def audio_features(request: Request) -> Response:
        ids = [part for part in request.query_params.get("ids", "").split(",") if part]
        if not 1 <= len(ids) <= MAX_IDS:
            message = f"size must be between 1 and {MAX_IDS}"
            return JSONResponse({"status": 4004, "errors": [{"message": message}]}, 400)
        tracks = map(catalogue.track_by_id, dict.fromkeys(ids))
        content = [reccobeats_features(track) for track in tracks if track and track.features]
        return JSONResponse({"content": content})

    return SimulatedService(
        name="reccobeats",
        path="/reccobeats/",
        routes=[Route("/reccobeats/v1/audio-features", audio_features)],
        faults=FaultShapes(lambda: JSONResponse({"status": 5000, "errors": []}, 500)),
        base="/reccobeats/v1",
        limit=limit,
        refusal=lambda ban, now: PlainTextResponse("Too many requests", 429, ban.headers(now)),
    )
