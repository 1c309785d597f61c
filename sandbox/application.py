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
from sandbox.catalogue import Catalogue
from sandbox.fault_middleware import Faulty
from sandbox.faults import Faults
from sandbox.json_objects import Shapes
from sandbox.playlists import Playlist
from sandbox.rate_limit import Limit
from sandbox.rate_limit_middleware import OWN, Gate
from sandbox.request_stats import Stats
from sandbox.spotify_api import MODES, ModeName, WebApi
from sandbox.tokens import LIFETIME, Tokens


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the sandbox answers."""

    mode: ModeName = "development"
    rate: Rate | None = None
    """Of the Web API; None: no limit."""
    reccobeats_rate: Rate | None = None
    """Of ReccoBeats; None: no limit."""
    retry_after: float | None = None
    """Seconds a ban of the Web API lasts; None: until the next request fits."""
    quota: int | None = None
    """Requests of the Web API answered before a ban without an end."""
    token_seconds: float = LIFETIME
    faults: Faults | None = None
    """Which answers are broken; None: none."""


@dataclass(frozen=True, slots=True)
class Application:
    """The server's application, and what it has counted."""

    asgi: ASGIApp
    stats: Stats


def make(catalogue: Catalogue, behaviour: Behaviour, address: str, clock: Clock) -> Application:
    """Make the application that answers at `address` (`http://127.0.0.1:8765`)."""
    mode = MODES[behaviour.mode]
    stats = Stats({"spotify": behaviour.rate, "reccobeats": behaviour.reccobeats_rate})
    lists = playlists.make(catalogue)
    api = WebApi(
        catalogue=catalogue,
        playlists=lists,
        mode=mode,
        tokens=Tokens(behaviour.token_seconds),
        shapes=Shapes(f"{address}/v1", all_fields=mode.all_open),
        clock=clock,
    )
    routes = [*api.routes(), *reccobeats_api.routes(catalogue)]
    limits = {
        "spotify": Limit(behaviour.rate, behaviour.retry_after, behaviour.quota),
        "reccobeats": Limit(behaviour.reccobeats_rate),
    }
    app: ASGIApp = Starlette(routes=[*routes, *_own(catalogue, lists, stats)])
    if behaviour.faults is not None:
        app = Faulty(app, behaviour.faults, stats)
    return Application(Gate(app, limits, stats, clock), stats)


def _own(catalogue: Catalogue, lists: Mapping[str, Playlist], stats: Stats) -> list[Route]:
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
                "own": one.is_mine,
                "items": len(one.entries),
            }
            for one in lists.values()
        ]
        return JSONResponse({"playlists": shown})

    return [
        Route(f"{OWN}stats", show_stats),
        Route(f"{OWN}catalogue", show_catalogue),
        Route(f"{OWN}playlists", show_playlists),
    ]
