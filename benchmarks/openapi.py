"""Validate the sandbox's responses against Spotify's OpenAPI document.

    python benchmarks/openapi.py spotify_openapi.yml [catalogue.csv]

Requests every endpoint of the sandbox, in both modes, and prints where a response violates the
document (`wrong`), lacks a documented field (`absent`), or has an undocumented one (`extra`).
Needs `pip install pyyaml jsonschema`. docs/sandbox.md lists the known differences and their
reasons.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import requests
import yaml

from collector.rate_limits import Rate
from sandbox import ids
from sandbox.api.spotify_api import MODES, AccessModeName
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.synthetic import catalogue as synthetic_catalogue
from sandbox.tracks import catalogue_file, playlists
from sandbox.tracks.catalogue import SandboxCatalogue

JSON = Mapping[str, Any]


class Document:
    """The OpenAPI document, with `nullable` converted to JSON Schema."""

    def __init__(self, path: Path) -> None:
        self._root = _with_null(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))

    def schema(self, path: str, status: int) -> JSON:
        """Return the schema of a response; the common error schema if the endpoint has none."""
        responses = self._root["paths"][path]["get"]["responses"]
        common = {"400": "BadRequest", "404": "NotFound"}
        response = responses.get(str(status)) or {
            "$ref": f"#/components/responses/{common[str(status)]}"
        }
        return self._resolved(self._resolved(response)["content"]["application/json"]["schema"])

    def violations(self, schema: JSON, value: Any) -> Iterator[str]:
        """Yield the violations of the schema."""
        whole = {**schema, "components": self._root["components"]}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
            yield f"wrong  {_path(error.absolute_path)}: {error.message[:90]}"

    def field_differences(self, schema: JSON, value: Any, at: str = "") -> Iterator[str]:
        """Yield the absent and the extra fields."""
        schema = self._resolved(schema)
        if isinstance(value, list):
            for item in value:
                yield from self.field_differences(schema.get("items", {}), item, f"{at}[]")
        elif isinstance(value, dict):
            properties = self._properties(schema)
            yield from (f"absent {at}.{name}" for name in properties.keys() - value.keys())
            if properties:
                yield from (f"extra  {at}.{name}" for name in value.keys() - properties.keys())
            for name in properties.keys() & value.keys():
                yield from self.field_differences(properties[name], value[name], f"{at}.{name}")

    def _properties(self, schema: JSON) -> dict[str, JSON]:
        schema = self._resolved(schema)
        properties = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            properties |= self._properties(part)
        return properties

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
    track_ids = [track.id for track in tracks]
    unknown = ids.id_from_text("nobody")
    yield "/search", f"search?q=genre:%22{genre}%22&type=track&limit=10&offset=10"
    yield "/search", f"search?q=genre:%22{genre}%22&type=track,album,artist&limit=10"
    yield "/search", f"search?q=genre:%22{genre}%22&type=track&limit=51"
    yield "/tracks/{id}", f"tracks/{track_ids[0]}"
    yield "/tracks/{id}", f"tracks/{unknown}"
    yield "/tracks", f"tracks?ids={','.join(track_ids)}"
    yield "/tracks", f"tracks?ids={track_ids[0]},{unknown}"
    yield "/audio-features/{id}", f"audio-features/{track_ids[0]}"
    yield "/audio-features", f"audio-features?ids={','.join(track_ids)},{unknown}"
    yield "/audio-analysis/{id}", f"audio-analysis/{track_ids[0]}"
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
        endpoints = list(_requests(catalogue))
        first = session.get(f"{running.url}/v1/{endpoints[0][1]}", timeout=5).json()
        artist = first["tracks"]["items"][0]["artists"][0]["id"]
        endpoints += [
            ("/artists/{id}", f"artists/{artist}"),
            ("/artists", f"artists?ids={artist}"),
        ]
        for path, request in endpoints:
            response = session.get(f"{running.url}/v1/{request}", timeout=5)
            schema = document.schema(path, response.status_code)
            print(f"{mode:12} {response.status_code} GET /v1/{request[:60]}")
            findings = dict.fromkeys(document.violations(schema, response.json()))
            findings |= dict.fromkeys(sorted(document.field_differences(schema, response.json())))
            for line in findings:
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
