"""Spotify's Web API and its token endpoint: search, tracks, artists, features, playlists."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genrebase.runtime.clock import Clock
from sandbox import Json, ids
from sandbox.api.spotify_objects import MAX_RESULTS, ObjectBuilder, PageSlice, error_object
from sandbox.api.spotify_page_faults import SpotifyPageFaults
from sandbox.api.tokens import TokenStore, accepts_client
from sandbox.middleware.rate_limit import RateLimit, SandboxBan
from sandbox.middleware.simulated_service import (
    FaultShapes,
    RequestError,
    SimulatedService,
)
from sandbox.synthetic.analysis import make_analysis
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.playlists import SandboxPlaylist
from sandbox.tracks.search_query import parse_query

AccessModeName = Literal["development", "extended"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AccessMode:
    """What an app of this kind may do."""

    page_limit: int
    """Maximum of items per page."""
    page_default: int
    """Items per page of a request without `limit`."""
    all_open: bool
    """Whether batch endpoints and audio features are open, and no field is missing."""


MODES: Final[dict[AccessModeName, AccessMode]] = {
    "development": AccessMode(page_limit=10, page_default=5, all_open=False),
    "extended": AccessMode(page_limit=50, page_default=20, all_open=True),
}
_TYPES: Final = ("album", "artist", "playlist", "track", "show", "episode", "audiobook")
_MAX_IDS: Final = 50
_MAX_FEATURE_IDS: Final = 100
_PLAYLIST_PAGE_LIMIT: Final = 50
_PLAYLIST_PAGE_DEFAULT: Final = 20
_RESOURCE: Final = re.compile(r"^(/v1/[a-z-]+)/[^/]+")


@dataclass(frozen=True, slots=True)
class SpotifyApi:
    """The endpoints, over one catalogue, in one access mode."""

    catalogue: SandboxCatalogue
    playlists: Mapping[str, SandboxPlaylist]
    mode: AccessMode
    tokens: TokenStore
    objects: ObjectBuilder
    clock: Clock

    def services(self, limit: RateLimit) -> tuple[SimulatedService, SimulatedService]:
        """Return the Web API with its `limit`, and the token endpoint, which has none."""
        faults = FaultShapes(
            server_error=lambda: JSONResponse(error_object(500, "Server error"), 500),
            pages=SpotifyPageFaults(),
        )
        token = Route("/api/token", self.token, methods=["POST"])
        return (
            SimulatedService(
                name="spotify",
                path="/v1/",
                routes=self._routes(),
                faults=faults,
                base="",
                limit=limit,
                refusal=_refusal,
                resource=_RESOURCE,
                search_path="/v1/search",
                query_names=("q", "query"),
            ),
            SimulatedService("token", "/api/token", [token], faults, shared_ban=limit),
        )

    def _routes(self) -> list[Route]:
        endpoints: dict[str, Callable[[Request], Json]] = {
            "/v1/search": self.search,
            "/v1/tracks": self.tracks,
            "/v1/tracks/": self.tracks,  # with the slash spotipy appends
            "/v1/tracks/{id}": self.track,
            "/v1/artists": self.artists,
            "/v1/artists/": self.artists,
            "/v1/artists/{id}": self.artist,
            "/v1/audio-features": self.several_features,
            "/v1/audio-features/": self.several_features,
            "/v1/audio-features/{id}": self.features,
            "/v1/audio-analysis/{id}": self.analysis,
            "/v1/playlists/{id}": self.playlist,
            "/v1/playlists/{id}/items": self.playlist_items,
            "/v1/playlists/{id}/tracks": self.playlist_tracks,
            "/v1/{rest:path}": self.unknown_endpoint,
        }
        return [Route(path, self._authorised(endpoint)) for path, endpoint in endpoints.items()]

    async def token(self, request: Request) -> Response:
        """Issue a token for client credentials."""
        if not accepts_client(request.headers.get("authorization")):
            return _oauth_error("invalid_client", "Invalid client")
        form = parse_qs((await request.body()).decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth_error("unsupported_grant_type", "grant_type parameter is not supported")
        return JSONResponse(
            {
                "access_token": self.tokens.issue(self.clock.monotonic()),
                "token_type": "Bearer",
                "expires_in": int(self.tokens.lifetime),
            }
        )

    def search(self, request: Request) -> Json:
        """Return a page of tracks; the pages of all other types are empty."""
        text = request.query_params.get("q") or request.query_params.get("query") or ""
        query = parse_query(text)
        if query.is_empty:
            raise RequestError(400, "No search query")
        types = request.query_params.get("type", "")
        unknown = [kind for kind in types.split(",") if kind not in _TYPES]
        if unknown:
            raise RequestError(400, f"Bad search type field {unknown[0]}".strip())
        page = _page_slice(request, self.mode.page_default, self.mode.page_limit)
        if page.offset + page.limit > MAX_RESULTS:
            raise RequestError(400, "Invalid offset")
        response: Json = {}
        for kind in types.split(","):
            numbers = self.catalogue.search(query) if kind == "track" else ()
            items = [
                self.objects.track(self.catalogue.track_at(number))
                for number in page.apply(numbers)
            ]
            response[f"{kind}s"] = self.objects.search_page(items, len(numbers), page, text, types)
        return response

    def track(self, request: Request) -> Json:
        return self.objects.track(_find(request, self.catalogue.track_by_id))

    def tracks(self, request: Request) -> Json:
        """Return several tracks, null for unknown ones."""
        self._require_open()
        tracks = map(self.catalogue.track_by_id, _ids(request, _MAX_IDS))
        return {"tracks": [track and self.objects.track(track) for track in tracks]}

    def artist(self, request: Request) -> Json:
        return self.objects.artist(_find(request, self.catalogue.artist_by_id))

    def artists(self, request: Request) -> Json:
        """Return several artists, null for unknown ones."""
        self._require_open()
        artists = map(self.catalogue.artist_by_id, _ids(request, _MAX_IDS))
        return {"artists": [artist and self.objects.artist(artist) for artist in artists]}

    def features(self, request: Request) -> Json:
        """Return one track's audio features."""
        self._require_open()
        return _find(request, self._features_by_id, "analysis not found")

    def several_features(self, request: Request) -> Json:
        """Return several tracks' audio features, null for unknown ones."""
        self._require_open()
        track_ids = _ids(request, _MAX_FEATURE_IDS)
        return {"audio_features": list(map(self._features_by_id, track_ids))}

    def analysis(self, request: Request) -> Json:
        """Return the audio analysis of a track that has audio features."""
        self._require_open()
        _find(request, self._features_by_id, "analysis not found")
        track = _find(request, self.catalogue.track_by_id)
        return make_analysis(track, self.catalogue.genre_of_track(track.id))

    def playlist(self, request: Request) -> Json:
        """Return a playlist with its first items; without them where it is another user's."""
        playlist = _find(request, self.playlists.get)
        first_page = PageSlice(0, _PLAYLIST_PAGE_LIMIT)
        page = self._items(playlist, first_page) if self._may_read(playlist) else None
        return self.objects.playlist(playlist, page)

    def playlist_items(self, request: Request) -> Json:
        """Return a page of a playlist's items."""
        playlist = _find(request, self.playlists.get)
        if not self._may_read(playlist):
            raise RequestError(403, "Forbidden")
        page = _page_slice(request, _PLAYLIST_PAGE_DEFAULT, _PLAYLIST_PAGE_LIMIT)
        return self._items(playlist, page)

    def playlist_tracks(self, request: Request) -> Json:
        """Return the items under the endpoint's name before 2026."""
        self._require_open()
        return self.playlist_items(request)

    def unknown_endpoint(self, _request: Request) -> Json:
        """Refuse a request to any other path."""
        raise RequestError(404, "Service not found")

    def _authorised(self, endpoint: Callable[[Request], Json]) -> Callable[..., object]:
        async def respond(request: Request) -> Response:
            now = self.clock.monotonic()
            message = self.tokens.error_message(request.headers.get("authorization"), now)
            if message:
                return JSONResponse(error_object(401, message), 401)
            try:
                return JSONResponse(endpoint(request))
            except RequestError as error:
                return JSONResponse(
                    error_object(error.status, error.message or None), error.status
                )

        return respond

    def _features_by_id(self, track_id: str) -> Json | None:
        return self.objects.features(self.catalogue.track_by_id(track_id))

    def _may_read(self, playlist: SandboxPlaylist) -> bool:
        return self.mode.all_open or playlist.is_own

    def _items(self, playlist: SandboxPlaylist, page: PageSlice) -> Json:
        entries = [
            (entry, self.catalogue.track_at(entry) if isinstance(entry, int) else None)
            for entry in page.apply(playlist.entries)
        ]
        return self.objects.playlist_page(playlist, entries, page)

    def _require_open(self) -> None:
        if not self.mode.all_open:
            raise RequestError(403, "")


def _page_slice(request: Request, default: int, max_limit: int) -> PageSlice:
    limit = _integer(request, "limit", default)
    if not 1 <= limit <= max_limit:
        raise RequestError(400, "Invalid limit")
    offset = _integer(request, "offset", 0)
    if offset < 0:
        raise RequestError(400, "Invalid offset")
    return PageSlice(offset, limit)


def _integer(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise RequestError(400, f"Invalid {name}") from None


def _find(
    request: Request, lookup: Callable[[str], T | None], message: str = "Resource not found"
) -> T:
    """Look up the id in the request's path; raise a 404 for an unknown id, a 400 for no id."""
    id_ = str(request.path_params["id"])
    value = lookup(id_)
    if value is not None:
        return value
    raise (
        RequestError(404, message) if ids.is_id(id_) else RequestError(400, "Invalid base62 id")
    )


def _ids(request: Request, max_ids: int) -> list[str]:
    ids_ = [part for part in request.query_params.get("ids", "").split(",") if part]
    if not ids_:
        raise RequestError(400, "Invalid id")
    if len(ids_) > max_ids:
        raise RequestError(400, "Too many ids requested")
    return ids_


def _oauth_error(code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, 400)


def _refusal(ban: SandboxBan, now: float) -> Response:
    message = "Too many requests" if ban.reason else "API rate limit exceeded"
    return JSONResponse(error_object(429, message, ban.reason), 429, ban.headers(now))
