"""MusicBrainz' web service as the sandbox serves it, over real HTTP."""

import json
import re

import pytest
import requests

from collector.rate_limits import Rate
from genrebase.store import names
from sandbox.application import SandboxOptions
from sandbox.middleware import faults
from sandbox.server import serve_in_thread
from tests.fakes import FakeClock
from tests.recording_catalogues import recordings, tracks_with_derived_ids, tracks_with_mbids
from tests.sandbox_client import SandboxStarter

AGENT = {"User-Agent": "Genrebase/0.1 ( somebody@example.org )"}
CATALOGUE = tracks_with_derived_ids()
RECORDINGS = recordings(CATALOGUE)
MBID = RECORDINGS.recordings[0].mbid
SEARCH = {"query": 'tag:"rock" AND video:false', "fmt": "json"}


class WebService:
    """Sends requests to `/musicbrainz/ws/2/`."""

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def get(self, path, headers=AGENT, **params):
        return requests.get(
            f"{self.sandbox.url}/musicbrainz/ws/2/{path}",
            params={"fmt": "json", **params},
            headers=headers,
            timeout=5,
            allow_redirects=False,
        )

    def json(self, path, **params):
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture(scope="module")
def service():
    with SandboxStarter() as started:
        yield WebService(started(catalogue=CATALOGUE).sandbox)


def shape(value):
    """The structure of a document: field names, and types of values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


HIT = {
    "id": "str",
    "score": "int",
    "title": "str",
    "length": "int",
    "video": "NoneType",
    "artist-credit": [{"name": "str", "artist": {"id": "str", "name": "str", "sort-name": "str"}}],
    "artist-credit-id": "str",
    "first-release-date": "str",
    "releases": [
        {
            "id": "str",
            "title": "str",
            "status": "str",
            "status-id": "str",
            "release-group": {
                "id": "str",
                "title": "str",
                "primary-type": "str",
                "primary-type-id": "str",
            },
            "date": "str",
            "country": "str",
            "track-count": "int",
            "media": [
                {
                    "position": "int",
                    "format": "str",
                    "track": [{"id": "str", "number": "str", "title": "str", "length": "int"}],
                    "track-count": "int",
                    "track-offset": "int",
                }
            ],
        }
    ],
    "isrcs": ["str"],
    "tags": [{"count": "int", "name": "str"}],
}


def test_a_search_has_the_recorded_fields(service):
    """Those of MusicBrainz' own test of its search server; what a recording lacks is left out."""
    page = service.json("recording", query="tag:rock", limit=100)
    assert {*page} == {"created", "count", "offset", "recordings"}
    complete = [hit for hit in page["recordings"] if {*HIT} == {*hit}]
    alone = [hit for hit in complete if len(hit["artist-credit"]) == 1]
    assert shape(alone[0]) == HIT
    lacking = {key for hit in page["recordings"] for key in HIT.keys() - hit.keys()}
    assert lacking <= {"length", "first-release-date"}
    two = next(hit for hit in complete if len(hit["artist-credit"]) == 2)
    assert two["artist-credit"][0]["joinphrase"].strip()
    assert "joinphrase" not in two["artist-credit"][1]
    assert "feat." not in two["title"]
    assert any(hit["length"] % 1_000 == 0 for hit in complete)
    assert any(hit["length"] % 1_000 for hit in complete)


def test_recordings_are_the_same_music_as_the_tracks(service):
    """Normalised names are equal, lengths within a second, ISRCs kept."""
    by_isrc = {}
    for number in range(CATALOGUE.n_rows):
        track = CATALOGUE.track_at(number)
        by_isrc.setdefault(track.isrc, []).append(track)
    for hit in service.json("recording", query="tag:rock", limit=100)["recordings"]:
        key = names.name_key(hit["title"], hit["artist-credit"][0]["name"])
        tracks = [
            track
            for track in by_isrc[hit["isrcs"][0]]
            if names.name_key(track.title, track.artists[0]) == key
        ]
        assert tracks
        length = hit.get("length", tracks[0].duration_ms)
        assert hit["video"] or abs(length - tracks[0].duration_ms) < 1_000


def test_a_limit_outside_of_the_range_is_25(service):
    """Without a word; so is one that is no number."""
    n_hits = {
        limit: len(service.json("recording", query="tag:rock", limit=limit)["recordings"])
        for limit in (1, 99, 100, 101, 1_000, 0, -5, "many")
    }
    assert n_hits == {1: 1, 99: 99, 100: 100, 101: 25, 1_000: 25, 0: 25, -5: 25, "many": 25}
    assert len(service.json("recording", query="tag:rock")["recordings"]) == 25
    assert service.json("recording", query="tag:rock", offset=9_999)["recordings"] == []


def test_equal_requests_get_equal_answers(service):
    """Byte by byte, from another process of the same catalogue too."""
    responses = [service.get("recording", query="tag:rock", offset=100) for _ in range(2)]
    with SandboxStarter() as started:
        other = WebService(started(catalogue=tracks_with_derived_ids()).sandbox)
        responses.append(other.get("recording", query="tag:rock", offset=100))
    assert len({response.content for response in responses}) == 1


def test_lookup(service):
    """The basic fields, and those that `inc` names."""
    basic = {"id", "title", "length", "disambiguation", "video", "first-release-date"}
    assert {*service.json(f"recording/{MBID}")} == basic
    full = service.json(f"recording/{MBID}", inc="artist-credits isrcs tags genres releases")
    assert {*full} == basic | {"artist-credit", "isrcs", "tags", "genres", "releases"}
    assert full["artist-credit"][-1]["joinphrase"] == ""
    assert {genre["name"] for genre in full["genres"]} <= {tag["name"] for tag in full["tags"]}
    assert all({*genre} == {"id", "name", "disambiguation", "count"} for genre in full["genres"])
    joined = requests.get(  # as documented, with a plus
        f"{service.sandbox.url}/musicbrainz/ws/2/recording/{MBID}?inc=tags+isrcs&fmt=json",
        headers=AGENT,
        timeout=5,
    ).json()
    assert {*joined} == basic | {"isrcs", "tags"}


def test_merged_ids_redirect(service):
    """301 to the present id, with the query; half of them are still in the search."""
    old, new = next(iter(RECORDINGS.redirects.items()))
    response = service.get(f"recording/{old}", inc="tags")
    assert response.status_code == 301
    location = response.headers["Location"]
    assert re.search(rf"/musicbrainz/ws/2/recording/{new}\?.*inc=tags", location)
    assert requests.get(location, headers=AGENT, timeout=5).json()["id"] == new
    hits = service.json("recording", query="firstreleasedate:[* TO *]", limit=100)["recordings"]
    assert any(hit["id"] in RECORDINGS.redirects for hit in hits)


def test_isrc(service):
    """All recordings with it."""
    isrc = CATALOGUE.track_at(0).isrc
    document = service.json(f"isrc/{isrc}", inc="tags")
    assert document["isrc"] == isrc
    assert len(document["recordings"]) >= 2
    assert {"id", "title", "length", "tags"} <= document["recordings"][0].keys()
    assert service.get("isrc/USRC19999999").status_code == 404
    assert service.get("isrc/none").json()["error"] == "Invalid isrc."


def test_urls_of_spotify_lead_to_recordings(service):
    """One, or up to 100 of which the unknown ones are left out."""
    urls = [f"https://open.spotify.com/track/{number:022}" for number in range(105)]
    one = service.json("url", resource=urls[0], inc="recording-rels")
    assert (one["resource"], {*one}) == (urls[0], {"id", "resource", "relations"})
    relation = one["relations"][0]
    assert (relation["target-type"], relation["direction"]) == ("recording", "backward")
    assert relation["recording"]["title"] == "Song 0"
    assert service.get("url", resource="https://open.spotify.com/track/x").status_code == 404
    several = service.json("url", resource=["https://example.org/", *urls[:104]])
    assert [url["resource"] for url in several["urls"]] == urls[:99]


def test_genre_list(service):
    """Pages of 100 at most, or all names as text; no search."""
    page = service.json("genre/all", limit=3, offset=1)
    assert (page["genre-count"], page["genre-offset"]) == (len(RECORDINGS.genres), 1)
    assert [genre["name"] for genre in page["genres"]] == [*RECORDINGS.genres][1:4]
    assert {*page["genres"][0]} == {"id", "name", "disambiguation"}
    text = service.get("genre/all", fmt="txt")
    assert text.text.splitlines() == [*RECORDINGS.genres]
    assert text.headers["Content-Type"].startswith("text/plain")
    assert service.get("genre", query="rock").status_code == 501


@pytest.mark.parametrize(
    ("path", "params", "status", "message"),
    [
        ("recording/none", {}, 400, "Invalid mbid."),
        ("recording/00000000-0000-4000-8000-000000000000", {}, 404, "Not Found"),
        (f"recording/{MBID}", {"inc": "everything"}, 400, "everything is not a valid inc"),
        ("recording", {}, 400, "Search server could not complete query: Bad request"),
        ("recording", {"query": "tag:[rock"}, 400, "Search server could not complete query"),
        ("recording", {"query": "tag:rock", "dismax": "true"}, 400, "Search server"),
        ("url", {}, 400, "Invalid resource."),
        ("collection", {}, 404, "Not Found"),
        ("recording", {"query": "tag:rock", "fmt": "xml"}, 406, "fmt=json"),
    ],
)
def test_errors_have_a_text_and_a_help(service, path, params, status, message):
    """As composed from the server's source."""
    response = service.get(path, **params)
    assert (response.status_code, {*response.json()}) == (status, {"error", "help"})
    assert message in response.json()["error"]


@pytest.mark.parametrize("agent", ["", "python-requests/2.32", "Mozilla/5.0", "curl/8"])
def test_a_meaningful_user_agent_is_required(service, agent):
    """None and those of libraries are refused."""
    assert service.get("genre/all", headers={"User-Agent": agent}).status_code == 403


def test_one_request_a_second(serving):
    """503 with the recorded body and without Retry-After; refused requests count."""
    clock = FakeClock()
    client = serving(clock, CATALOGUE, musicbrainz_rate=Rate(1, 1.0))
    service = WebService(client.sandbox)
    assert service.get("recording", query="tag:rock").status_code == 200
    for _ in range(3):
        clock.advance(0.9)
        refused = service.get("recording", query="tag:rock")
        assert refused.status_code == 503
        assert "Retry-After" not in refused.headers
        assert {*refused.json()} == {"error"}
        assert "exceeding the allowable rate limit" in refused.json()["error"]
    clock.advance(1)
    assert service.get(f"recording/{MBID}").status_code == 200
    assert client.search("genre:rock").status_code == 200  # another limit
    stats = service.sandbox.stats()["apis"]["musicbrainz"]
    assert (stats["requests"], stats["banned"], stats["while_banned"]) == (5, 3, 1)
    assert stats["max_in_window"] == 2
    assert stats["endpoints"]["/musicbrainz/ws/2/recording/{id}"]["requests"] == 1
    assert stats["user_agents"] == {AGENT["User-Agent"]: 5}
    assert stats["queries"] == ["tag:rock"]


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [("500", 502, "<html>"), ("503", 503, "currently busy"), ("truncated", 200, '{"created"')],
)
def test_faults_look_like_its_own(kind, status, text):
    """A proxy's page, other words for busy, JSON that is cut off."""
    options = SandboxOptions(faults=faults.parse_faults(f"{kind}=1"))
    with serve_in_thread(CATALOGUE, options) as running:
        response = WebService(running).get("recording", query="tag:rock")
    assert response.status_code == status
    assert text in response.text
    if kind == "truncated":
        with pytest.raises(json.JSONDecodeError):
            response.json()


def test_a_table_with_mbids_is_served_as_it_is(serving):
    """Its ids of recordings, artists and releases, its lengths to the millisecond."""
    service = WebService(serving(catalogue=tracks_with_mbids()).sandbox)
    hits = service.json("recording", query="tag:rock")["recordings"]
    by_id = {hit["id"][:8]: hit for hit in hits}
    assert [by_id[key]["length"] for key in sorted(by_id)] == [200_400, 260_000]
    assert by_id["00000001"]["artist-credit"][0]["artist"]["id"].startswith("00000091")
    assert by_id["00000001"]["releases"][0]["id"].startswith("00000081")
    untagged = service.json("recording", query="-firstreleasedate:[* TO *]")["recordings"]
    assert [hit["title"] for hit in untagged] == ["Two"]
    assert untagged[0].keys().isdisjoint({"length", "first-release-date", "tags", "isrcs"})
