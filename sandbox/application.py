"""The whole application: the APIs, what the sandbox says of itself, and the gate before them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from collector.rate import Rate
from genrebase.runtime.clock import Clock
from sandbox import playlists, reccobeats_api
from sandbox.catalogue import SandboxCatalogue
from sandbox.fault_middleware import FaultMiddleware
from sandbox.faults import FaultPlan
from sandbox.json_objects import ObjectBuilder
from sandbox.playlists import SandboxPlaylist
from sandbox.rate_limit import SlidingWindowLimit
from sandbox.rate_limit_middleware import ADMIN_PATH, RateLimitMiddleware
from sandbox.request_stats import RequestStats
from sandbox.spotify_api import MODES, AccessModeName, SpotifyApi
from sandbox.tokens import TOKEN_LIFETIME_SECONDS, TokenStore


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How the sandbox answers."""

    mode: AccessModeName = "development"
    rate: Rate | None = None
    """Of the Web API; None: no limit."""
    reccobeats_rate: Rate | None = None
    """Of ReccoBeats; None: no limit."""
    retry_after: float | None = None
    """Seconds a ban of the Web API lasts; None: until the next request fits."""
    quota: int | None = None
    """Requests of the Web API answered before a ban without an end."""
    token_seconds: float = TOKEN_LIFETIME_SECONDS
    faults: FaultPlan | None = None
    """Which answers are broken; None: none."""


@dataclass(frozen=True, slots=True)
class SandboxApplication:
    """The server's application, and what it has counted."""

    asgi: ASGIApp
    stats: RequestStats


def make_application(
    catalogue: SandboxCatalogue, behaviour: SandboxOptions, address: str, clock: Clock
) -> SandboxApplication:
    """Make the application that answers at `address` (`http://127.0.0.1:8765`)."""
    mode = MODES[behaviour.mode]
    stats = RequestStats({"spotify": behaviour.rate, "reccobeats": behaviour.reccobeats_rate})
    lists = playlists.make_playlists(catalogue)
    api = SpotifyApi(
        catalogue=catalogue,
        playlists=lists,
        mode=mode,
        tokens=TokenStore(behaviour.token_seconds),
        shapes=ObjectBuilder(f"{address}/v1", all_fields=mode.all_open),
        clock=clock,
    )
    routes = [*api.routes(), *reccobeats_api.routes(catalogue)]
    limits = {
        "spotify": SlidingWindowLimit(behaviour.rate, behaviour.retry_after, behaviour.quota),
        "reccobeats": SlidingWindowLimit(behaviour.reccobeats_rate),
    }
    app: ASGIApp = Starlette(routes=[*routes, *_own(catalogue, lists, stats)])
    if behaviour.faults is not None:
        app = FaultMiddleware(app, behaviour.faults, stats)
    return SandboxApplication(RateLimitMiddleware(app, limits, stats, clock), stats)


def _own(
    catalogue: SandboxCatalogue, lists: Mapping[str, SandboxPlaylist], stats: RequestStats
) -> list[Route]:
    async def show_stats(_request: Request) -> Response:
        return JSONResponse(stats.as_json())

    async def show_catalogue(_request: Request) -> Response:
        return JSONResponse({**asdict(catalogue.origin), "genres": catalogue.genres})

    async def show_playlists(_request: Request) -> Response:
        shown = [
            {
                "id": one.id,
                "name": one.name,
                "genre": one.genre,
                "own": one.is_own,
                "items": len(one.entries),
            }
            for one in lists.values()
        ]
        return JSONResponse({"playlists": shown})

    return [
        Route(f"{ADMIN_PATH}stats", show_stats),
        Route(f"{ADMIN_PATH}catalogue", show_catalogue),
        Route(f"{ADMIN_PATH}playlists", show_playlists),
    ]
