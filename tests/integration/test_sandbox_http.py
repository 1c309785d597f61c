"""The sandbox over real HTTP: what a client of the Web API sees."""

import json
import logging
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from spotipy import Spotify, SpotifyException
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOauthError

from collector.rates import Rate
from collector.sandbox import table
from collector.sandbox.application import Behaviour
from collector.sandbox.catalogue import Catalogue
from collector.sandbox.command import sandbox
from collector.sandbox.errors import PortTaken
from collector.sandbox.server import serve_in_thread
from collector.sandbox.table import Table
from genrebase.errors import Refused
from tests.fakes import FakeClock

COLUMNS = (
    "track_id", "track_name", "artists", "album_name", "release_date", "isrc", "explicit",
    "duration_ms", "popularity", "energy", "tempo", "time_signature", "genre",
)  # fmt: skip
GENRES = {"rock": 23, "r&b": 12, "drum & bass": 3, "50's": 2, "演歌": 7, "techno": 1_234}


def _rows():
    for genre, n in GENRES.items():
        for number in range(n):
            known = number % 5 != 4
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
                *(("0.5", "120.25", "4") if known else ("", "", "")),
                genre,
            )


CATALOGUE = Catalogue(Table(COLUMNS, list(_rows()), "small.csv", "0" * 64))
ROCK = [row[0] for row in _rows() if row[-1] == "rock"]


class Client:
    """Asks a running sandbox with a token."""

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


@pytest.fixture
def serving():
    """Start sandboxes that end with the test."""
    with _Started() as started:
        yield started


class _Started:
    def __init__(self):
        self._open = []

    def __enter__(self):
        return self

    def __call__(self, clock=None, catalogue=CATALOGUE, **behaviour):
        context = serve_in_thread(catalogue, Behaviour(**behaviour), clock=clock)
        running = context.__enter__()
        client = Client(running)
        self._open.append((context, client))
        return client

    def __exit__(self, *_):
        for context, client in self._open:
            client.session.close()
            context.__exit__(None, None, None)


@pytest.fixture(scope="module")
def extended():
    """An open sandbox without limits, shared by tests that only look."""
    with _Started() as started:
        yield started(mode="extended")


@pytest.fixture(scope="module")
def development():
    """A sandbox as new apps know Spotify, shared by tests that only look."""
    with _Started() as started:
        yield started(mode="development")


@pytest.mark.parametrize("genre", list(GENRES))
@pytest.mark.parametrize("mode", ["extended", "development"])
def test_paging_walks_all_rows_once(request, mode, genre):
    """Following `next` shows every row a query reaches, in order, none twice."""
    client = request.getfixturevalue(mode)
    page = client.search(f'genre:"{genre}"').json()["tracks"]
    assert page["total"] == GENRES[genre]
    assert page["previous"] is None
    found = [track["name"] for track in page["items"]]
    while page["next"]:
        assert page["next"].startswith(f"{client.sandbox.url}/v1/search?")
        page = client.session.get(page["next"], timeout=5).json()["tracks"]
        found += [track["name"] for track in page["items"]]
    assert found == [f"{genre} {number}" for number in range(min(GENRES[genre], 1_000))]


def test_previous_leads_back(extended):
    """`previous` is absolute and shows the page before."""
    page = extended.search("genre:rock", limit=10, offset=10).json()["tracks"]
    before = extended.session.get(page["previous"], timeout=5).json()["tracks"]
    assert before == extended.search("genre:rock", limit=10).json()["tracks"]


@pytest.mark.parametrize(
    ("mode", "default", "most"), [("development", 5, 10), ("extended", 20, 50)]
)
def test_page_limits_of_the_modes(request, mode, default, most):
    """Pages hold what the mode allows; one more is refused in Spotify's words."""
    client = request.getfixturevalue(mode)
    assert len(client.search("genre:techno").json()["tracks"]["items"]) == default
    assert len(client.search("genre:techno", limit=most).json()["tracks"]["items"]) == most
    refused = client.search("genre:techno", limit=most + 1)
    assert refused.status_code == 400
    assert refused.json() == {"error": {"status": 400, "message": "Invalid limit"}}
    assert client.search("genre:techno", limit=0).status_code == 400


def test_reach_is_a_thousand_rows(extended):
    """Offset and limit together stay within 1,000; the last page has no `next`."""
    last = extended.search("genre:techno", limit=50, offset=950).json()["tracks"]
    assert (len(last["items"]), last["next"], last["total"]) == (50, None, 1_234)
    assert extended.search("genre:techno", limit=50, offset=951).status_code == 400
    assert extended.search("genre:techno", limit=1, offset=-1).status_code == 400


def test_years_reach_what_a_query_does_not(extended):
    """A genre of more than 1,000 rows is reached in year slices."""
    totals = [
        extended.search(f"genre:techno year:{year}", limit=1).json()["tracks"]["total"]
        for year in range(1990, 2000)
    ]
    assert sum(totals) == GENRES["techno"]


def test_unknown_genre_is_an_empty_page(extended):
    """Spotify answers 200 without items."""
    page = extended.search('genre:"polka"').json()["tracks"]
    assert (page["items"], page["total"], page["next"]) == ([], 0, None)


def test_other_types_are_empty(extended):
    """Albums and artists may be asked for beside tracks."""
    found = extended.get("v1/search", q="genre:rock", type="track,album,artist").json()
    assert {kind: len(page["items"]) for kind, page in found.items()} == {
        "tracks": 20,
        "albums": 0,
        "artists": 0,
    }


@pytest.mark.parametrize(
    "params",
    [{"q": "genre:rock"}, {"q": "genre:rock", "type": "song"}, {"q": " ", "type": "track"},
     {"q": "genre:rock", "type": "track", "limit": "ten"}],
)  # fmt: skip
def test_nonsense_is_refused_with_an_error_object(extended, params):
    """Every refusal of the Web API is an object with status and message."""
    answer = extended.get("v1/search", **params)
    assert answer.status_code == answer.json()["error"]["status"] == 400
    assert answer.json()["error"]["message"]


def test_extended_fields(extended):
    """All fields are there; an ISRC only where the catalogue has one."""
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


def test_development_lost_fields(development):
    """What was removed in 2026 is not there."""
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
def test_development_closed_endpoints(development, path):
    """Closed endpoints answer 403 without a message."""
    answer = development.get(path)
    assert (answer.status_code, answer.json()) == (403, {"error": {"status": 403}})


def test_audio_analysis(extended):
    """The same for the same track; none where nothing is known of its sound."""
    found = extended.get(f"v1/audio-analysis/{ROCK[0]}").json()
    assert found == extended.get(f"v1/audio-analysis/{ROCK[0]}").json()
    assert {"track", "bars", "beats", "tatums", "sections", "segments"} <= found.keys()
    assert found["track"]["tempo"] == 120.25
    assert extended.get(f"v1/audio-analysis/{ROCK[4]}").status_code == 404
    assert extended.get(f"v1/audio-analysis/{'x' * 22}").status_code == 404


def playlists_of(client, genre="techno"):
    """Return our own playlist of a genre, and somebody else's."""
    shown = requests.get(f"{client.sandbox.url}/__sandbox__/playlists", timeout=5).json()
    found = [one for one in shown["playlists"] if one["genre"] == genre]
    return sorted(found, key=lambda one: not one["own"])


@pytest.mark.parametrize("mode", ["extended", "development"])
def test_a_playlist_is_walked_page_by_page(request, mode):
    """The first items come with the playlist, the rest by `next`: tracks, and what is none."""
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
    """Somebody else's shows its name and no items; those asked for are refused."""
    _, other = playlists_of(development)
    path = f"v1/playlists/{other['id']}"
    shown = development.get(path).json()
    assert shown["snapshot_id"]
    assert not {"items", "tracks"} & shown.keys()
    assert development.get(f"{path}/items").status_code == 403
    assert development.get(f"{path}/tracks").status_code == 403
    assert development.get(f"v1/playlists/{'x' * 22}").status_code == 404
    assert extended.get(f"{path}/items", limit=50).json() == {
        **extended.get(f"{path}/tracks", limit=50).json()
    }
    assert len(extended.get(f"{path}/items").json()["items"]) == 20
    assert extended.get(f"{path}/items", limit=51).status_code == 400


def test_tracks_and_artists_by_id(extended):
    """One by one and in batches, null for those not known, in the order asked."""
    one = extended.get(f"v1/tracks/{ROCK[3]}").json()
    unknown = "x" * 22
    several = extended.get("v1/tracks", ids=f"{ROCK[4]},{unknown},{ROCK[3]}").json()["tracks"]
    assert [track and track["name"] for track in several] == ["rock 4", None, "rock 3"]
    assert several[2] == one
    artist = one["artists"][0]["id"]
    artists = extended.get("v1/artists", ids=f"{unknown},{artist}").json()["artists"]
    assert [found and found["name"] for found in artists] == [None, "Artist 3"]
    assert extended.get(f"v1/tracks/{unknown}").status_code == 404
    assert extended.get(f"v1/artists/{unknown}").status_code == 404
    assert extended.get("v1/tracks/short").status_code == 400
    assert extended.get("v1/tracks", ids=",".join(["x"] * 51)).status_code == 400
    assert extended.get("v1/tracks").status_code == 400
    assert extended.get("v1/nothing/here").status_code == 404


def test_audio_features(extended):
    """100 ids at most, null where nothing is known; a time signature, and its own address."""
    ids = [ROCK[0], ROCK[4], "x" * 22]
    found = extended.get("v1/audio-features", ids=",".join(ids)).json()["audio_features"]
    assert found[1:] == [None, None]
    assert (found[0]["energy"], found[0]["tempo"], found[0]["time_signature"]) == (0.5, 120.25, 4)
    assert found[0] == extended.get(f"v1/audio-features/{ROCK[0]}").json()
    assert extended.get(f"v1/audio-features/{ROCK[4]}").status_code == 404
    assert extended.get("v1/audio-features", ids=",".join(["x"] * 101)).status_code == 400


def test_reccobeats(development):
    """Keyless, unknown ids left out, joined by the id in `href`, without a time signature."""
    url = f"{development.sandbox.url}/reccobeats/v1/audio-features"
    ids = ["x" * 22, ROCK[1], ROCK[4], ROCK[0]]
    content = requests.get(url, params={"ids": ",".join(ids)}, timeout=5).json()["content"]
    assert [found["href"].rsplit("/", 1)[-1] for found in content] == [ROCK[1], ROCK[0]]
    assert "time_signature" not in content[0]
    assert content[0]["id"] != content[1]["id"] != ROCK[0]
    for wrong in ("", ",".join(["x"] * 41)):
        refused = requests.get(url, params={"ids": wrong}, timeout=5)
        assert refused.status_code == 400
        assert refused.json() == {
            "status": 4004,
            "errors": [{"message": "size must be between 1 and 40"}],
        }


@pytest.mark.parametrize("genre", ["r&b", "drum & bass", "50's", "演歌"])
def test_queries_arrive_byte_for_byte(extended, caplog, genre):
    """The log line and the list of queries show what was asked, letter by letter."""
    query = f'genre:"{genre}" year:1990-1999'
    with caplog.at_level(logging.INFO, "collector.sandbox.gate"):
        extended.search(query, limit=1)
    assert query in caplog.text
    assert query in extended.sandbox.stats()["queries"]
    assert extended.session.headers["Authorization"].split()[1] not in caplog.text


def test_tokens_are_needed_and_expire(serving):
    """Without a token, with a foreign one or after its time: 401 and an error object."""
    clock = FakeClock()
    client = serving(clock, token_seconds=60)
    assert client.search("genre:rock").status_code == 200
    clock.advance(60)
    answer = client.search("genre:rock")
    assert answer.json() == {"error": {"status": 401, "message": "The access token expired"}}
    assert answer.status_code == 401
    client.renew()
    assert client.search("genre:rock").status_code == 200
    client.session.headers["Authorization"] = "Bearer foreign"
    assert client.search("genre:rock").status_code == 401


def test_bad_clients_get_a_flat_error(extended):
    """The token endpoint's error is text, not an object."""
    url = f"{extended.sandbox.url}/api/token"
    wrong = requests.post(
        url, data={"grant_type": "client_credentials"}, auth=("id", "wrong"), timeout=5
    )
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    other = requests.post(url, data={"grant_type": "password"}, auth=("id", "x"), timeout=5)
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")


def test_rate_limit_and_retry_after(serving):
    """The window is enforced over all of the Web API; waiting as told helps; tokens are free."""
    clock = FakeClock()
    client = serving(clock, rate=Rate(3, 30.0))
    client.renew()
    codes = [client.search("genre:rock").status_code for _ in range(2)]
    codes.append(client.get("v1/nothing").status_code)
    assert codes == [200, 200, 404]
    clock.advance(5)
    refused = client.get(f"v1/tracks/{ROCK[0]}")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "25")
    assert refused.json()["error"]["message"] == "API rate limit exceeded"
    clock.advance(25)
    assert client.search("genre:rock").status_code == 200


def test_retry_after_can_be_set(serving):
    """A ban of hours holds for hours."""
    clock = FakeClock()
    client = serving(clock, rate=Rate(1, 30.0), retry_after=3_600)
    client.search("genre:rock")
    assert client.search("genre:rock").headers["Retry-After"] == "3600"
    clock.advance(3_599)
    assert client.search("genre:rock").headers["Retry-After"] == "1"
    clock.advance(1)
    client.renew()
    assert client.search("genre:rock").status_code == 200


def test_quota_ban(serving):
    """After the quota: 429 with a reason and without `Retry-After`."""
    client = serving(quota=1)
    client.search("genre:rock")
    refused = client.search("genre:rock")
    assert refused.status_code == 429
    assert refused.json()["error"]["reason"] == "QUOTA_EXCEEDED"
    assert "Retry-After" not in refused.headers


def test_reccobeats_has_a_limit_of_its_own(serving):
    """One API's ban is not the other's."""
    client = serving(FakeClock(), rate=Rate(1, 30.0), reccobeats_rate=Rate(1, 30.0))
    url = "reccobeats/v1/audio-features"
    assert client.search("genre:rock").status_code == 200
    assert client.get(url, ids=ROCK[0]).status_code == 200
    refused = client.get(url, ids=ROCK[0])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")


def test_stats(serving):
    """Everything is counted but what is asked under /__sandbox__/."""
    clock = FakeClock()
    client = serving(clock, rate=Rate(2, 30.0))
    for _ in range(3):
        client.search("genre:rock")
    clock.advance(0.5)
    client.search("genre:rock")
    clock.advance(10)
    client.search("genre:rock")
    client.renew()
    client.get("reccobeats/v1/audio-features", ids=ROCK[0])
    client.get("elsewhere")
    found = client.get("__sandbox__/stats").json()
    assert found == client.sandbox.stats()
    assert found["requests"] == 9
    assert found["banned"] == 3
    assert found["while_banned"] == 2  # the search and the token, ten seconds into the ban
    assert found["max_in_window"] == 5
    assert found["apis"]["spotify"]["endpoints"]["/v1/search"]["statuses"] == {"200": 2, "429": 3}
    assert found["apis"]["token"]["requests"] == 2
    assert found["apis"]["reccobeats"]["while_banned"] == 0


def test_catalogue_says_where_it_comes_from(extended):
    """Kind, detail, checksum and genres, without a token."""
    url = f"{extended.sandbox.url}/__sandbox__/catalogue"
    assert requests.get(url, timeout=5).json() == {
        "kind": "file",
        "detail": "small.csv",
        "sha256": "0" * 64,
        "genres": GENRES,
    }


def spotify(client, secret="secret"):
    """Return a spotipy client that asks the sandbox."""
    auth = SpotifyClientCredentials(
        "id", secret, cache_handler=MemoryCacheHandler(), requests_session=client.session
    )
    auth.OAUTH_TOKEN_URL = f"{client.sandbox.url}/api/token"
    found = Spotify(auth_manager=auth, requests_session=client.session)
    found.prefix = f"{client.sandbox.url}/v1/"
    return found


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # spotipy's, on audio_features
def test_spotipy_runs_against_it(serving):
    """The client that talks to Spotify talks to the sandbox, only the address differs."""
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
    """Status, headers and reasons come through spotipy as they do from Spotify."""
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


def test_taken_port_is_refused(extended):
    """The sentence names the port and the way out."""
    with (
        pytest.raises(PortTaken, match=rf"Port {extended.sandbox.port} .*--port 0"),
        serve_in_thread(CATALOGUE, port=extended.sandbox.port),
    ):
        pass


COMMAND = [sys.executable, "-m", "collector", "sandbox"]


def test_command_serves_and_ends_cleanly(tmp_path):
    """One line says where; SIGTERM ends it with 0; the log has the query, stdout only JSON."""
    file = tmp_path / "music.csv"
    file.write_text("genre,track_name,artists\nr&b,One,Abba\n", encoding="utf-8")
    arguments = ["--catalogue", str(file), "--port", "0", "--json"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        said = json.loads(process.stdout.readline())
        url = f"http://127.0.0.1:{said['port']}"
        assert said["url"] == url
        assert requests.get(f"{url}/v1/search?q=genre:%22r%26b%22", timeout=5).status_code == 401
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == b""
    assert b"r&b" in errors


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"catalogue": Path("none.csv")}, "none.csv cannot be read"),
        ({"rate": "fast"}, "--rate: 'fast' is not a rate"),
        ({"reccobeats_rate": "0/1s"}, "--reccobeats-rate: '0/1s' is not a rate"),
        ({"mode": "premium"}, "There is no mode 'premium': --mode is development or extended"),
        ({"host": "0.0.0.0"}, "listens on 127.0.0.1 only"),
        ({"retry_after": 0}, "--retry-after 0 cannot be: give a number above 0"),
        ({"faults": "404=0.1"}, "--faults: '404' is no kind of fault: there are 500, 503, "),
        ({"token_seconds": -1}, "--token-seconds -1 cannot be"),
    ],
)
def test_bad_options_are_refused(options, sentence):
    """Each is refused with its sentence before anything is served."""
    with pytest.raises(Refused, match=re.escape(sentence)):
        sandbox(**options)


def test_music_is_written(tmp_path, capsys):
    """`--write` saves what would be served, and ends."""
    file = tmp_path / "music.csv"
    file.write_text("genre,track_name,artists\nr&b,NA,Abba\n", encoding="utf-8")
    sandbox(catalogue=file, write=tmp_path / "saved.csv", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["rows"]) == (str(tmp_path / "saved.csv"), 1)
    assert Catalogue(table.read(tmp_path / "saved.csv")).track(0).title == "NA"
