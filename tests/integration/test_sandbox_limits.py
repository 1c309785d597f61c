"""The sandbox's tokens, limits and counters over real HTTP."""

import requests

from collector.rate_limits import Rate
from tests.fakes import FakeClock
from tests.sandbox_client import ROCK


def test_tokens_are_required_and_expire(serving):
    """Without a token, with an unknown or expired one: 401 and an error object."""
    clock = FakeClock()
    client = serving(clock, token_seconds=60)
    assert client.search("genre:rock").status_code == 200
    clock.advance(60)
    response = client.search("genre:rock")
    assert response.json() == {"error": {"status": 401, "message": "The access token expired"}}
    assert response.status_code == 401
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
    """The window covers the Web API; waiting for Retry-After helps; tokens are not counted."""
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


def test_reccobeats_has_its_own_limit(serving):
    """A ban of one API does not affect the other."""
    client = serving(FakeClock(), rate=Rate(1, 30.0), reccobeats_rate=Rate(1, 30.0))
    url = "reccobeats/v1/audio-features"
    assert client.search("genre:rock").status_code == 200
    assert client.get(url, ids=ROCK[0]).status_code == 200
    refused = client.get(url, ids=ROCK[0])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")


def test_stats(serving):
    """All requests are counted, except those below /__sandbox__/."""
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
    document = client.get("__sandbox__/stats").json()
    assert document == client.sandbox.stats()
    assert document["requests"] == 9
    assert document["banned"] == 3
    assert document["while_banned"] == 2  # the search and the token, ten seconds into the ban
    assert document["max_in_window"] == 5
    assert document["apis"]["spotify"]["endpoints"]["/v1/search"]["statuses"] == {
        "200": 2,
        "429": 3,
    }
    assert document["apis"]["token"]["requests"] == 2
    assert document["apis"]["reccobeats"]["while_banned"] == 0
