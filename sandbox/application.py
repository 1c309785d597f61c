"""The ASGI application: simulated services, the sandbox's own endpoints, and the middleware."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from collector.rate_limits import Rate
from genrebase.runtime.clock import Clock
from sandbox import Json
from sandbox.api import reccobeats_api
from sandbox.api.acousticbrainz_api import HANG_SECONDS, AcousticBrainzApi, Availability
from sandbox.api.archive_api import ArchiveApi
from sandbox.api.discogs_api import BAN_SECONDS, DiscogsApi
from sandbox.api.discogs_dumps import DiscogsReleases
from sandbox.api.jamendo_api import JamendoApi
from sandbox.api.musicbrainz_api import TIE_SHIFT, MusicBrainzApi
from sandbox.api.spotify_api import MODES, AccessModeName, SpotifyApi
from sandbox.api.spotify_objects import ObjectBuilder
from sandbox.api.tokens import TOKEN_LIFETIME_SECONDS, TokenStore
from sandbox.middleware.fault_middleware import FaultMiddleware
from sandbox.middleware.faults import FaultPlan
from sandbox.middleware.rate_limit import ArrivalLimit, FixedWindowLimit, SlidingWindowLimit
from sandbox.middleware.rate_limit_middleware import ADMIN_PATH, RateLimitMiddleware
from sandbox.middleware.request_stats import RequestStats
from sandbox.middleware.simulated_service import SimulatedService
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.playlists import SandboxPlaylist, make_playlists
from sandbox.tracks.recordings import RecordingCatalogue
from sandbox.tracks.releases import SandboxReleases
from sandbox.tracks.submissions import SubmissionCatalogue


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Limits, access mode and faults of the sandbox."""

    mode: AccessModeName = "development"
    rate: Rate | None = None
    """Of the Web API; None: no limit."""
    reccobeats_rate: Rate | None = None
    """Of ReccoBeats; None: no limit."""
    musicbrainz_rate: Rate | None = None
    """Of MusicBrainz; None: no limit."""
    musicbrainz_ties: int = TIE_SHIFT
    """Places that a hit of MusicBrainz' search moves among those of its score."""
    acousticbrainz_rate: Rate | None = None
    """Of AcousticBrainz' API; None: no limit, and no headers that tell it."""
    acousticbrainz: Availability = "up"
    acousticbrainz_hang: float = HANG_SECONDS
    """Seconds that every other request waits while AcousticBrainz is down."""
    retry_after: float | None = None
    """Seconds a ban of the Web API lasts; None: until the next request fits."""
    quota: int | None = None
    """Successful requests of the Web API before a ban without an end."""
    archive_rate: Rate | None = None
    """Of Internet Archive; None: no limit."""
    jamendo_rate: Rate | None = None
    """Of Jamendo; None: no limit."""
    discogs_rate: Rate | None = None
    """Of the host of Discogs' dumps; None: no limit."""
    discogs_breaks: int = 0
    """Downloads of a Discogs dump that break off half-way, before one is complete."""
    token_seconds: float = TOKEN_LIFETIME_SECONDS
    faults: FaultPlan | None = None
    """Which responses are broken; None: none."""


@dataclass(frozen=True, slots=True)
class SandboxApplication:
    """The application and its request statistics."""

    asgi: ASGIApp
    stats: RequestStats
    addresses: Mapping[str, str]
    """Of the services, by name: what their clients are given."""


def make_application(
    catalogue: SandboxCatalogue, options: SandboxOptions, address: str, clock: Clock
) -> SandboxApplication:
    """Make the application that is served at `address` (`http://127.0.0.1:8765`)."""
    playlists = make_playlists(catalogue)
    services = _services(catalogue, playlists, options, address, clock)
    stats = RequestStats(
        {service.name: service.limit.rate if service.limit else None for service in services}
    )
    app: ASGIApp = Starlette(
        routes=[
            *(route for service in services for route in service.routes),
            *_admin_routes(catalogue, playlists, stats, options.mode),
        ]
    )
    if options.faults is not None:
        app = FaultMiddleware(app, services, options.faults, stats)
    return SandboxApplication(
        RateLimitMiddleware(app, services, stats, clock),
        stats,
        {s.name: f"{address}{s.base}" for s in services if s.base is not None},
    )


def _services(
    catalogue: SandboxCatalogue,
    playlists: Mapping[str, SandboxPlaylist],
    options: SandboxOptions,
    address: str,
    clock: Clock,
) -> list[SimulatedService]:
    mode = MODES[options.mode]
    spotify = SpotifyApi(
        catalogue=catalogue,
        playlists=playlists,
        mode=mode,
        tokens=TokenStore(options.token_seconds),
        objects=ObjectBuilder(f"{address}/v1", all_fields=mode.all_open),
        clock=clock,
    )
    recordings = RecordingCatalogue(catalogue)
    musicbrainz = MusicBrainzApi(recordings, options.musicbrainz_ties)
    acousticbrainz = AcousticBrainzApi(
        SubmissionCatalogue(recordings),
        options.acousticbrainz,
        clock,
        options.acousticbrainz_hang,
    )
    discogs = DiscogsApi(DiscogsReleases(catalogue), clock, options.discogs_breaks)
    return [
        *spotify.services(SlidingWindowLimit(options.rate, options.retry_after, options.quota)),
        reccobeats_api.service(catalogue, SlidingWindowLimit(options.reccobeats_rate)),
        ArchiveApi(SandboxReleases(catalogue)).service(SlidingWindowLimit(options.archive_rate)),
        JamendoApi(catalogue, address).service(SlidingWindowLimit(options.jamendo_rate)),
        musicbrainz.service(ArrivalLimit(options.musicbrainz_rate)),
        discogs.service(SlidingWindowLimit(options.discogs_rate, BAN_SECONDS)),
        *acousticbrainz.services(FixedWindowLimit(options.acousticbrainz_rate)),
    ]


def _admin_routes(
    catalogue: SandboxCatalogue,
    playlists: Mapping[str, SandboxPlaylist],
    stats: RequestStats,
    mode: AccessModeName,
) -> list[Route]:
    listed = [
        {
            "id": playlist.id,
            "name": playlist.name,
            "genre": playlist.genre,
            "own": playlist.is_own,
            "items": len(playlist.entries),
        }
        for playlist in playlists.values()
    ]
    table = catalogue.table
    origin = {"kind": table.kind, "detail": table.name, "sha256": table.sha256}
    documents: dict[str, Callable[[], Json]] = {
        "stats": stats.as_json,
        "catalogue": lambda: {**origin, "mode": mode, "genres": catalogue.genres},
        "playlists": lambda: {"playlists": listed},
    }

    async def respond(request: Request) -> Response:
        return JSONResponse(documents[request.url.path.removeprefix(ADMIN_PATH)]())

    return [Route(f"{ADMIN_PATH}{name}", respond) for name in documents]
