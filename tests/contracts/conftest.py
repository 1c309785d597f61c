from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from collector.http.client import ServiceClient
from collector.settings import CollectorSettings
from sandbox.application import SandboxOptions
from sandbox.server import RunningSandbox, serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.fakes import FakeClock

FEATURES = {
    "danceability": "0.5",
    "energy": "0.6",
    "key": "7",
    "loudness": "-5.0",
    "mode": "1",
    "speechiness": "0.05",
    "acousticness": "0.1",
    "instrumentalness": "0.0",
    "liveness": "0.2",
    "valence": "0.3",
    "tempo": "120.5",
    "time_signature": "4",
}
GENRES = ("rock", "r&b", "drum & bass", "50's", "シティポップ")
PER_GENRE = 120


def track_id(genre: str, number: int) -> str:
    """Return the id of a genre's row in the test catalogue."""
    return f"{GENRES.index(genre)}{number:03}".rjust(22, "A")


def _row(genre: str, number: int) -> dict[str, str]:
    return {
        "track_id": track_id(genre, number),
        "track_name": f"Song {number}",
        "artists": f"Band {number % 9}; Guest",
        "album_name": "Album",
        "release_date": f"{1950 + number % 60}-05-01",
        "duration_ms": str(180_000 + number),
        "popularity": "50",
        "isrc": f"GBAAA{GENRES.index(genre)}{number:06}",
        "genre": genre,
        **FEATURES,
    }


@pytest.fixture(scope="session")
def catalogue() -> SandboxCatalogue:
    rows = [_row(genre, number) for genre in GENRES for number in range(PER_GENRE)]
    cells = [list(row.values()) for row in rows]
    return SandboxCatalogue(CatalogueTable(tuple(rows[0]), cells, "a test", "0" * 64))


Serve = Callable[..., RunningSandbox]


@pytest.fixture
def serve(catalogue: SandboxCatalogue) -> Iterator[Serve]:
    """Return a function that starts a sandbox with the given options."""
    with ExitStack() as running:

        def start(**behaviour: object) -> RunningSandbox:
            made = SandboxOptions(**{"mode": "extended", **behaviour})  # type: ignore[arg-type]
            return running.enter_context(serve_in_thread(catalogue, made))

        yield start


def settings_for(url: str) -> CollectorSettings:
    """Return settings for the sandbox at `url`."""
    return CollectorSettings(
        _env_file=None,
        spotify_client_id="an-id",
        spotify_client_secret=SecretStr("a-secret"),
        contact="somebody@example.org",
        jamendo_client_id=SecretStr("a-client"),
        sandbox_url=url,
        timeout=5.0,
    )


def stats_of(running: RunningSandbox) -> dict[str, Any]:
    """Request the sandbox's statistics; its thread may still be counting the last request."""
    address = f"{running.url}/__sandbox__/stats"
    result: dict[str, Any] = ServiceClient(address, FakeClock(), 5.0).get_json()
    return result
