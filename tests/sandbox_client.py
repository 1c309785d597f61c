"""Sandboxes over a small catalogue, and a client with a token."""

import requests

from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable

COLUMNS = (
    "track_id", "track_name", "artists", "album_name", "release_date", "isrc", "explicit",
    "duration_ms", "popularity", "energy", "tempo", "time_signature", "genre",
)  # fmt: skip
GENRES = {"rock": 23, "r&b": 12, "drum & bass": 3, "50's": 2, "演歌": 7, "techno": 1_234}


def rows_of_all():
    for genre, n in GENRES.items():
        for number in range(n):
            existing = number % 5 != 4
            yield (
                f"{len(genre)}{number:021}",
                f"{genre} {number}",
                f"Artist {number % 7}" + (";Guest" if number % 3 == 0 else ""),
                "Album",
                f"{1990 + number % 10}-06-15",
                f"USX{number:09}" if number % 2 else "",
                str(number % 2 == 0),
                "200000",
                "50",
                *(("0.5", "120.25", "4") if existing else ("", "", "")),
                genre,
            )


CATALOGUE = SandboxCatalogue(CatalogueTable(COLUMNS, list(rows_of_all()), "small.csv", "0" * 64))
ROCK = [row[0] for row in rows_of_all() if row[-1] == "rock"]


class Client:
    """Sends requests with a token to a running sandbox."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.session = requests.Session()
        self.renew()

    def renew(self):
        token = self.session.post(
            f"{self.sandbox.url}/api/token",
            data={"grant_type": "client_credentials"},
            auth=("id", "secret"),
            timeout=5,
        ).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path, **params):
        return self.session.get(f"{self.sandbox.url}/{path}", params=params, timeout=5)

    def search(self, q, **params):
        return self.get("v1/search", q=q, type="track", **params)


class SandboxStarter:
    """Starts sandboxes that are stopped at the end of its block."""

    def __init__(self):
        self._open = []

    def __enter__(self):
        return self

    def __call__(self, clock=None, catalogue=CATALOGUE, **behaviour):
        context = serve_in_thread(catalogue, SandboxOptions(**behaviour), clock=clock)
        running = context.__enter__()
        client = Client(running)
        self._open.append((context, client))
        return client

    def __exit__(self, *_):
        for context, client in self._open:
            client.session.close()
            context.__exit__(None, None, None)
