"""spotipy against the sandbox over real HTTP, and the origin of its catalogue."""

import pytest
import requests
from spotipy import Spotify, SpotifyException
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOauthError

from collector.rate_limits import Rate
from tests.sandbox_client import GENRES, ROCK


def test_catalogue_endpoint_names_its_origin(extended):
    """Kind, detail, checksum, mode and genres, without a token."""
    url = f"{extended.sandbox.url}/__sandbox__/catalogue"
    assert requests.get(url, timeout=5).json() == {
        "kind": "file",
        "detail": "small.csv",
        "sha256": "0" * 64,
        "mode": "extended",
        "genres": GENRES,
    }


def spotify(client, secret="secret"):
    """Return a spotipy client of the sandbox."""
    auth = SpotifyClientCredentials(
        "id", secret, cache_handler=MemoryCacheHandler(), requests_session=client.session
    )
    auth.OAUTH_TOKEN_URL = f"{client.sandbox.url}/api/token"
    result = Spotify(auth_manager=auth, requests_session=client.session)
    result.prefix = f"{client.sandbox.url}/v1/"
    return result


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # spotipy's, on audio_features
def test_spotipy_works_with_the_sandbox(serving):
    """The client for Spotify works with the sandbox; only the address differs."""
    client = spotify(serving(mode="extended"))
    page = client.search('genre:"drum & bass"', type="track", limit=2)["tracks"]
    names = [track["name"] for track in page["items"]]
    names += [track["name"] for track in client.next({"next": page["next"]})["tracks"]["items"]]
    assert names == [f"drum & bass {number}" for number in range(3)]
    assert client.track(ROCK[0])["name"] == "rock 0"
    assert [track["name"] for track in client.tracks(ROCK[:2])["tracks"]] == ["rock 0", "rock 1"]
    assert client.audio_features(ROCK[:1])[0]["energy"] == 0.5
    assert client.artists([page["items"][0]["artists"][0]["id"]])["artists"][0]["name"]


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # spotipy's, on audio_features
def test_spotipy_understands_refusals(serving):
    """spotipy passes on status, headers and reasons as it does for Spotify."""
    asking = serving(rate=Rate(2, 30.0), retry_after=77)
    client = spotify(asking)
    with pytest.raises(SpotifyException) as invalid:
        client.search("genre:rock", limit=50)
    assert (invalid.value.http_status, "Invalid limit" in invalid.value.msg) == (400, True)
    with pytest.raises(SpotifyException) as closed:
        client.audio_features(ROCK[:1])
    assert closed.value.http_status == 403
    with pytest.raises(SpotifyException) as banned:
        client.search("genre:rock", limit=5)
    assert (banned.value.http_status, banned.value.headers["Retry-After"]) == (429, "77")
    with pytest.raises(SpotifyOauthError) as refused:
        spotify(asking, secret="wrong").search("genre:rock")
    assert refused.value.error == "invalid_client"
