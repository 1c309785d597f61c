"""ReccoBeats' audio features: keyless, by Spotify id, unknown ids left out."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import json_objects
from sandbox.catalogue import SandboxCatalogue

MAX_IDS: Final = 40


def routes(catalogue: SandboxCatalogue) -> list[Route]:
    """Return everything that is answered."""

    async def audio_features(request: Request) -> Response:
        wanted = [part for part in request.query_params.get("ids", "").split(",") if part]
        if not 1 <= len(wanted) <= MAX_IDS:
            message = f"size must be between 1 and {MAX_IDS}"
            return JSONResponse({"status": 4004, "errors": [{"message": message}]}, 400)
        found = [catalogue.track_by_id(track_id) for track_id in dict.fromkeys(wanted)]
        known = [
            json_objects.reccobeats_features(track) for track in found if track and track.features
        ]
        return JSONResponse({"content": known})

    return [Route("/reccobeats/v1/audio-features", audio_features)]
