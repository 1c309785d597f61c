"""Spotify's Web API and its token endpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genrebase.runtime.clock import Clock
from sandbox import ids, search_query, synthetic_analysis, tokens
from sandbox.catalogue import SandboxCatalogue
from sandbox.json_objects import (
    MAX_RESULTS,
    Json,
    ObjectBuilder,
    PageSlice,
    SearchPageRequest,
    error_object,
)
from sandbox.playlists import SandboxPlaylist
from sandbox.tokens import TokenStore

AccessModeName = Literal["development", "extended"]


@dataclass(frozen=True, slots=True)
class AccessMode:
    """What an app of this kind may do."""

    page_limit: int
    """Items a page, at most."""
    page_default: int
    """Items a page where none are asked for."""
    all_open: bool
    """Whether batch endpoints and audio features answer, and no field is missing."""


MODES: Final[dict[AccessModeName, AccessMode]] = {
    "development": AccessMode(page_limit=10, page_default=5, all_open=False),
    "extended": AccessMode(page_limit=50, page_default=20, all_open=True),
}
_TYPES: Final = ("album", "artist", "playlist", "track", "show", "episode", "audiobook")
_BATCH: Final = 50
_FEATURES_BATCH: Final = 100
_ITEMS_DEFAULT: Final = 20


class _Refused(Exception):
    """The request cannot be answered; carries status and message."""

    def __init__(self, status: int, message: str | None) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class SpotifyApi:
    """The endpoints, over one catalogue, in one mode."""

    catalogue: SandboxCatalogue
    playlists: Mapping[str, SandboxPlaylist]
    mode: AccessMode
    tokens: TokenStore
    shapes: ObjectBuilder
    clock: Clock

    def routes(self) -> list[Route]:
        """Return everything that is answered."""
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
            "/v1/{rest:path}": self.nothing,
        }
        return [
            Route("/api/token", self.token, methods=["POST"]),
            *(Route(path, self._answering(endpoint)) for path, endpoint in endpoints.items()),
        ]

    async def token(self, request: Request) -> Response:
        """Give a token for client credentials."""
        if not tokens.accepts_client(request.headers.get("authorization")):
            return _flat_error("invalid_client", "Invalid client")
        form = parse_qs((await request.body()).decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _flat_error("unsupported_grant_type", "grant_type parameter is not supported")
        token = self.tokens.issue(self.clock.monotonic())
        return JSONResponse(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(self.tokens.lifetime),
            }
        )

    def search(self, request: Request) -> Json:
        """Answer a page of tracks; other types are asked for in vain."""
        text = request.query_params.get("q") or request.query_params.get("query") or ""
        asked_for = search_query.parse_query(text)
        if asked_for.is_empty:
            raise _Refused(400, "No search query")
        written = request.query_params.get("type", "")
        types = written.split(",")
        unknown = [kind for kind in types if kind not in _TYPES]
        if unknown:
            raise _Refused(400, f"Bad search type field {unknown[0]}".strip())
        asked = self._page(request, text, written)
        answer: Json = {}
        for kind in types:
            numbers = self.catalogue.search(asked_for) if kind == "track" else ()
            shown = asked.part.apply(numbers)
            items = [self.shapes.track(self.catalogue.track_at(number)) for number in shown]
            answer |= self.shapes.page(f"{kind}s", items, len(numbers), asked)
        return answer

    def track(self, request: Request) -> Json:
        """Answer one track."""
        found = self.catalogue.track_by_id(_id(request))
        if found is None:
            raise _not_found(_id(request))
        return self.shapes.track(found)

    def tracks(self, request: Request) -> Json:
        """Answer several tracks, null for those not known."""
        self._only_when_open()
        found = map(self.catalogue.track_by_id, _ids(request, _BATCH))
        return {"tracks": [track and self.shapes.track(track) for track in found]}

    def artist(self, request: Request) -> Json:
        """Answer one artist."""
        found = self.catalogue.artist_by_id(_id(request))
        if found is None:
            raise _not_found(_id(request))
        return self.shapes.artist(found)

    def artists(self, request: Request) -> Json:
        """Answer several artists, null for those not known."""
        self._only_when_open()
        found = map(self.catalogue.artist_by_id, _ids(request, _BATCH))
        return {"artists": [artist and self.shapes.artist(artist) for artist in found]}

    def features(self, request: Request) -> Json:
        """Answer one track's audio features."""
        self._only_when_open()
        found = self.shapes.features(self.catalogue.track_by_id(_id(request)))
        if found is None:
            raise _not_found(_id(request), "analysis not found")
        return found

    def several_features(self, request: Request) -> Json:
        """Answer several tracks' audio features, null for those not known."""
        self._only_when_open()
        found = map(self.catalogue.track_by_id, _ids(request, _FEATURES_BATCH))
        return {"audio_features": [self.shapes.features(track) for track in found]}

    def analysis(self, request: Request) -> Json:
        """Answer one track's audio analysis, where its audio features are known, too."""
        self._only_when_open()
        found = self.catalogue.track_by_id(_id(request))
        if found is None or not found.features:
            raise _not_found(_id(request), "analysis not found")
        return synthetic_analysis.make_analysis(found, self.catalogue.genre_of_track(found.id))

    def playlist(self, request: Request) -> Json:
        """Answer a playlist with its first items; without them where it is not our own."""
        found = self._playlist(request)
        page = self._items_of(found, PageSlice(0, _BATCH)) if self._may_read(found) else None
        return self.shapes.playlist(found, page)

    def playlist_items(self, request: Request) -> Json:
        """Answer a page of a playlist's items."""
        found = self._playlist(request)
        if not self._may_read(found):
            raise _Refused(403, "Forbidden")
        limit = _whole(request, "limit", _ITEMS_DEFAULT)
        if not 1 <= limit <= _BATCH:
            raise _Refused(400, "Invalid limit")
        offset = _whole(request, "offset", 0)
        if offset < 0:
            raise _Refused(400, "Invalid offset")
        return self._items_of(found, PageSlice(offset, limit))

    def playlist_tracks(self, request: Request) -> Json:
        """Answer under the name that `items` had before 2026."""
        self._only_when_open()
        return self.playlist_items(request)

    def nothing(self, _request: Request) -> Json:
        """Say that there is no such endpoint."""
        raise _Refused(404, "Service not found")

    def _answering(self, endpoint: Callable[[Request], Json]) -> Callable[..., object]:
        async def answer(request: Request) -> Response:
            now = self.clock.monotonic()
            problem = self.tokens.error_message(request.headers.get("authorization"), now)
            if problem:
                return JSONResponse(error_object(401, problem), 401)
            try:
                return JSONResponse(endpoint(request))
            except _Refused as refused:
                return JSONResponse(error_object(refused.status, refused.message), refused.status)

        return answer

    def _playlist(self, request: Request) -> SandboxPlaylist:
        found = self.playlists.get(_id(request))
        if found is None:
            raise _not_found(_id(request))
        return found

    def _may_read(self, playlist: SandboxPlaylist) -> bool:
        return self.mode.all_open or playlist.is_own

    def _items_of(self, playlist: SandboxPlaylist, part: PageSlice) -> Json:
        shown = [
            (entry, self.catalogue.track_at(entry) if isinstance(entry, int) else None)
            for entry in part.apply(playlist.entries)
        ]
        return self.shapes.playlist_page(playlist, shown, part)

    def _only_when_open(self) -> None:
        if not self.mode.all_open:
            raise _Refused(403, None)

    def _page(self, request: Request, text: str, types: str) -> SearchPageRequest:
        limit = _whole(request, "limit", self.mode.page_default)
        if not 1 <= limit <= self.mode.page_limit:
            raise _Refused(400, "Invalid limit")
        offset = _whole(request, "offset", 0)
        if offset < 0 or offset + limit > MAX_RESULTS:
            raise _Refused(400, "Invalid offset")
        return SearchPageRequest(text, types, PageSlice(offset, limit))


def _whole(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise _Refused(400, f"Invalid {name}") from None


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _ids(request: Request, most: int) -> list[str]:
    wanted = [part for part in request.query_params.get("ids", "").split(",") if part]
    if not wanted:
        raise _Refused(400, "Invalid id")
    if len(wanted) > most:
        raise _Refused(400, "Too many ids requested")
    return wanted


def _not_found(id_: str, message: str = "Resource not found") -> _Refused:
    if ids.is_id(id_):
        return _Refused(404, message)
    return _Refused(400, "Invalid base62 id")


def _flat_error(code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, 400)
