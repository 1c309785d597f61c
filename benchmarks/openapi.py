"""Hold the sandbox's answers against Spotify's OpenAPI document.

    python benchmarks/openapi.py spotify_openapi.yml [catalogue.csv]

Asks every endpoint the sandbox has, in both modes, and prints where an answer breaks the document
(`wrong`), leaves out a documented field (`absent`), or has one that is not documented (`extra`).
Needs `pip install pyyaml jsonschema`. What is known to differ, and why, stands in docs/sandbox.md.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import requests
import yaml

from collector.rate import Rate
from sandbox import ids
from sandbox.api.spotify_api import MODES, AccessModeName
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.synthetic import catalogue as synthetic_catalogue
from sandbox.tracks import catalogue_file, playlists
from sandbox.tracks.catalogue import SandboxCatalogue

JSON = Mapping[str, Any]


class Document:
    """The OpenAPI document, with `nullable` said as JSON Schema says it."""

    def __init__(self, path: Path) -> None:
        self._root = _with_null(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))

    def schema(self, path: str, status: int) -> JSON:
        """Return the schema of an answer; of another endpoint's where this one names none."""
        responses = self._root["paths"][path]["get"]["responses"]
        of_all = {"400": "BadRequest", "404": "NotFound"}
        response = responses.get(str(status)) or {
            "$ref": f"#/components/responses/{of_all[str(status)]}"
        }
        return self._resolved(self._resolved(response)["content"]["application/json"]["schema"])

    def wrong(self, schema: JSON, answer: Any) -> Iterator[str]:
        """Say where an answer breaks the schema."""
        whole = {**schema, "components": self._root["components"]}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(answer):
            yield f"wrong  {_path(error.absolute_path)}: {error.message[:90]}"

    def differing(self, schema: JSON, answer: Any, at: str = "") -> Iterator[str]:
        """Say which fields are absent, and which are extra."""
        schema = self._resolved(schema)
        if isinstance(answer, list):
            for item in answer:
                yield from self.differing(schema.get("items", {}), item, f"{at}[]")
        elif isinstance(answer, dict):
            known = self._properties(schema)
            yield from (f"absent {at}.{name}" for name in known.keys() - answer.keys())
            if known:
                yield from (f"extra  {at}.{name}" for name in answer.keys() - known.keys())
            for name in known.keys() & answer.keys():
                yield from self.differing(known[name], answer[name], f"{at}.{name}")

    def _properties(self, schema: JSON) -> dict[str, JSON]:
        schema = self._resolved(schema)
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            found |= self._properties(part)
        return found

    def _resolved(self, schema: JSON) -> JSON:
        while "$ref" in schema:
            target: JSON = self._root
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = target
        return schema


def _with_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_null(part) for part in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _with_null(value) for key, value in node.items()}
    if changed.get("nullable") is True and isinstance(changed.get("type"), str):
        changed["type"] = [changed["type"], "null"]
    return changed


def _path(steps: Any) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in steps) or "."


def _requests(catalogue: SandboxCatalogue) -> Iterator[tuple[str, str]]:
    """Yield an endpoint of the document and a request to it."""
    genre = next(iter(catalogue.genres))
    tracks = [catalogue.track_at(number) for number in range(20)]
    known = [track.id for track in tracks]
    unknown = ids.id_from_text("nobody")
    yield "/search", f"search?q=genre:%22{genre}%22&type=track&limit=10&offset=10"
    yield "/search", f"search?q=genre:%22{genre}%22&type=track,album,artist&limit=10"
    yield "/search", f"search?q=genre:%22{genre}%22&type=track&limit=51"
    yield "/tracks/{id}", f"tracks/{known[0]}"
    yield "/tracks/{id}", f"tracks/{unknown}"
    yield "/tracks", f"tracks?ids={','.join(known)}"
    yield "/tracks", f"tracks?ids={known[0]},{unknown}"
    yield "/audio-features/{id}", f"audio-features/{known[0]}"
    yield "/audio-features", f"audio-features?ids={','.join(known)},{unknown}"
    yield "/audio-analysis/{id}", f"audio-analysis/{known[0]}"
    for one in [*playlists.make_playlists(catalogue).values()][:2]:
        yield "/playlists/{playlist_id}", f"playlists/{one.id}"
        yield "/playlists/{playlist_id}/items", f"playlists/{one.id}/items?limit=50"


def _compare(document: Document, catalogue: SandboxCatalogue, mode: AccessModeName) -> None:
    behaviour = SandboxOptions(mode=mode, rate=Rate(10_000, 30.0))
    with serve_in_thread(catalogue, behaviour) as running, requests.Session() as session:
        token = session.post(
            f"{running.url}/api/token",
            data={"grant_type": "client_credentials"},
            auth=("id", "secret"),
            timeout=5,
        ).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        asked = list(_requests(catalogue))
        first = session.get(f"{running.url}/v1/{asked[0][1]}", timeout=5).json()
        artist = first["tracks"]["items"][0]["artists"][0]["id"]
        asked += [("/artists/{id}", f"artists/{artist}"), ("/artists", f"artists?ids={artist}")]
        for path, request in asked:
            answer = session.get(f"{running.url}/v1/{request}", timeout=5)
            schema = document.schema(path, answer.status_code)
            print(f"{mode:12} {answer.status_code} GET /v1/{request[:60]}")
            found = dict.fromkeys(document.wrong(schema, answer.json()))
            found |= dict.fromkeys(sorted(document.differing(schema, answer.json())))
            for line in found:
                print(f"    {line}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("document", type=Path, help="spotify_openapi.yml")
    arguments.add_argument("catalogue", type=Path, nargs="?", help="a file to serve")
    given = arguments.parse_args()
    music = (
        catalogue_file.read_table(given.catalogue)
        if given.catalogue
        else synthetic_catalogue.generate_catalogue(1, 200, 20)
    )
    for mode in MODES:
        _compare(Document(given.document), SandboxCatalogue(music), mode)


if __name__ == "__main__":
    main()
