"""The sandbox's responses by id over real HTTP, in both modes."""

import pytest
import requests

from tests.sandbox_client import ROCK


def test_extended_fields(extended):
    """All fields are present; an ISRC only where the catalogue has one."""
    first, second = extended.search("genre:rock", limit=2).json()["tracks"]["items"]
    assert (first["popularity"], first["explicit"], first["external_ids"]) == (50, True, {})
    assert second["external_ids"] == {"isrc": "USX000000001"}
    assert first["available_markets"] == first["album"]["available_markets"]
    assert (first["album"]["release_date"], first["album"]["release_date_precision"]) == (
        "1990-06-15",
        "day",
    )
    assert [artist["name"] for artist in first["artists"]] == ["Artist 0", "Guest"]
    artist = extended.get(f"v1/artists/{first['artists'][0]['id']}").json()
    assert {"genres", "followers", "popularity"} <= artist.keys()


def test_fields_missing_in_development_mode(development):
    """Fields removed in 2026 are absent."""
    track = development.search("genre:rock", limit=2).json()["tracks"]["items"][1]
    assert not {"popularity", "available_markets", "linked_from"} & track.keys()
    assert "available_markets" not in track["album"]
    assert track["preview_url"] is None
    assert track["external_ids"] == {"isrc": "USX000000001"}
    artist = development.get(f"v1/artists/{track['artists'][0]['id']}").json()
    assert artist["name"] == "Artist 1"
    assert not {"genres", "followers", "popularity"} & artist.keys()


@pytest.mark.parametrize(
    "path",
    [
        "v1/tracks?ids=x",
        "v1/artists?ids=x",
        "v1/audio-features?ids=x",
        f"v1/audio-features/{'x' * 22}",
        f"v1/audio-analysis/{'x' * 22}",
    ],
)
def test_endpoints_closed_in_development_mode(development, path):
    """Closed endpoints return 403 without a message."""
    response = development.get(path)
    assert (response.status_code, response.json()) == (403, {"error": {"status": 403}})


def test_audio_analysis(extended):
    """The same for the same track; none for a track without audio features."""
    document = extended.get(f"v1/audio-analysis/{ROCK[0]}").json()
    assert document == extended.get(f"v1/audio-analysis/{ROCK[0]}").json()
    assert {"track", "bars", "beats", "tatums", "sections", "segments"} <= document.keys()
    assert document["track"]["tempo"] == 120.25
    assert extended.get(f"v1/audio-analysis/{ROCK[4]}").status_code == 404
    assert extended.get(f"v1/audio-analysis/{'x' * 22}").status_code == 404


def playlists_of(client, genre="techno"):
    """Return the app user's playlist of a genre, and another user's."""
    document = requests.get(f"{client.sandbox.url}/__sandbox__/playlists", timeout=5).json()
    result = [one for one in document["playlists"] if one["genre"] == genre]
    return sorted(result, key=lambda one: not one["own"])


@pytest.mark.parametrize("mode", ["extended", "development"])
def test_a_playlist_is_paginated(request, mode):
    """The first items come with the playlist, the rest by `next`: tracks and other items."""
    client = request.getfixturevalue(mode)
    own, _ = playlists_of(client)
    playlist = client.get(f"v1/playlists/{own['id']}").json()
    page = playlist["tracks" if mode == "extended" else "items"]
    assert (playlist["owner"]["id"], page["total"], len(page["items"])) == ("sandbox", 124, 50)
    entries = page["items"]
    while page["next"]:
        page = client.session.get(page["next"], timeout=5).json()
        entries += page["items"]
    items = [entry["item"] for entry in entries]
    assert len(items) == own["items"]
    assert [items[at] and items[at]["type"] for at in (24, 25, 51, 77)] == [
        "track", "episode", "track", None,
    ]  # fmt: skip
    assert [entry["is_local"] for entry in entries].index(True) == 51
    assert ("track" in entries[0]) == (mode == "extended")


def test_only_ones_own_playlists_are_read_in_development(development, extended):
    """Another user's has a name and no items; a request for its items is refused."""
    _, other = playlists_of(development)
    path = f"v1/playlists/{other['id']}"
    document = development.get(path).json()
    assert document["snapshot_id"]
    assert not {"items", "tracks"} & document.keys()
    assert development.get(f"{path}/items").status_code == 403
    assert development.get(f"{path}/tracks").status_code == 403
    assert development.get(f"v1/playlists/{'x' * 22}").status_code == 404
    assert extended.get(f"{path}/items", limit=50).json() == {
        **extended.get(f"{path}/tracks", limit=50).json()
    }
    assert len(extended.get(f"{path}/items").json()["items"]) == 20
    assert extended.get(f"{path}/items", limit=51).status_code == 400


def test_tracks_and_artists_by_id(extended):
    """Singly and in batches, null for unknown ids, in the requested order."""
    one = extended.get(f"v1/tracks/{ROCK[3]}").json()
    unknown = "x" * 22
    several = extended.get("v1/tracks", ids=f"{ROCK[4]},{unknown},{ROCK[3]}").json()["tracks"]
    assert [track and track["name"] for track in several] == ["rock 4", None, "rock 3"]
    assert several[2] == one
    artist = one["artists"][0]["id"]
    artists = extended.get("v1/artists", ids=f"{unknown},{artist}").json()["artists"]
    assert [result and result["name"] for result in artists] == [None, "Artist 3"]
    assert extended.get(f"v1/tracks/{unknown}").status_code == 404
    assert extended.get(f"v1/artists/{unknown}").status_code == 404
    assert extended.get("v1/tracks/short").status_code == 400
    assert extended.get("v1/tracks", ids=",".join(["x"] * 51)).status_code == 400
    assert extended.get("v1/tracks").status_code == 400
    assert extended.get("v1/nothing/here").status_code == 404


def test_audio_features(extended):
    """At most 100 ids, null where there are no features; with time signature and address."""
    ids = [ROCK[0], ROCK[4], "x" * 22]
    document = extended.get("v1/audio-features", ids=",".join(ids)).json()["audio_features"]
    assert document[1:] == [None, None]
    assert (document[0]["energy"], document[0]["tempo"], document[0]["time_signature"]) == (
        0.5,
        120.25,
        4,
    )
    assert document[0] == extended.get(f"v1/audio-features/{ROCK[0]}").json()
    assert extended.get(f"v1/audio-features/{ROCK[4]}").status_code == 404
    assert extended.get("v1/audio-features", ids=",".join(["x"] * 101)).status_code == 400


def test_reccobeats(development):
    """Keyless, unknown ids left out, joined by the id in `href`, without a time signature."""
    url = f"{development.sandbox.url}/reccobeats/v1/audio-features"
    ids = ["x" * 22, ROCK[1], ROCK[4], ROCK[0]]
    content = requests.get(url, params={"ids": ",".join(ids)}, timeout=5).json()["content"]
    assert [result["href"].rsplit("/", 1)[-1] for result in content] == [ROCK[1], ROCK[0]]
    assert "time_signature" not in content[0]
    assert content[0]["id"] != content[1]["id"] != ROCK[0]
    for wrong in ("", ",".join(["x"] * 41)):
        refused = requests.get(url, params={"ids": wrong}, timeout=5)
        assert refused.status_code == 400
        assert refused.json() == {
            "status": 4004,
            "errors": [{"message": "size must be between 1 and 40"}],
        }
