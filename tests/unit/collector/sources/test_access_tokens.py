"""Access tokens."""

from typing import Any

import pytest

from collector.errors import BadCredentials, BadRequest, InvalidResponse
from collector.http.retry import RequestLimit
from collector.sources.access_tokens import AccessTokens
from genrebase.runtime.redaction import redact
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, serving

PATH = "/api/token"


def response(**changes: Any) -> ScriptedResponse:
    return ScriptedResponse.json(
        {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600} | changes
    )


def tokens_from(url: str, clock: FakeClock) -> AccessTokens:
    return AccessTokens(f"{url}{PATH}", ("an-id", "a-secret"), "Set both.", clock)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": 5},
        {"access_token": ["a"]},
        {"access_token": ""},
        {"access_token": "a" * 5_000},
        {"access_token": "a b"},
        {"access_token": "a\r\nX-Other: b"},
        {"access_token": "a\u20ac"},
        {"access_token": "\x1b[2J"},
        {"expires_in": None},
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_in": float("nan")},
        {"expires_in": "3600"},
        {"expires_in": True},
        {"expires_in": [3600]},
    ],
)
def test_a_token_that_cannot_be_used_is_refused(changes: dict[str, Any]) -> None:
    """The sentence says why; the next call makes another request, and no more than one."""
    with serving() as server:
        server.respond(PATH, response(**changes), response())
        tokens = tokens_from(server.url, FakeClock())
        with pytest.raises(InvalidResponse, match="cannot be used: it") as caught:
            tokens.get(60.0)
        assert str(caught.value).isprintable()
        assert server.requests(PATH) == 1
        assert tokens.get(60.0) == ("a-token", True)


@pytest.mark.parametrize(
    ("expires_in", "lasts"),
    [(3600, 3_500), (3600, 0), (10**400, 86_000), (float("inf"), 86_000)],
)
def test_a_token_is_used_until_it_expires(expires_in: float, lasts: float) -> None:
    """A minute before, or after a day, it is renewed."""
    clock, limit = FakeClock(), RequestLimit()
    with serving() as server, limit.counting_token_requests():
        server.respond(PATH, response(expires_in=expires_in))
        tokens = tokens_from(server.url, clock)
        assert tokens.get(60.0) == ("a-token", True)
        clock.advance(lasts)
        assert tokens.get(60.0) == ("a-token", False)
        clock.advance(86_400)
        assert tokens.get(60.0) == ("a-token", True)
        tokens.drop()
        assert tokens.get(60.0) == ("a-token", True)
        assert server.requests(PATH) == limit.token_requests == 3


def test_a_short_lived_token_costs_one_request_for_each_use() -> None:
    """It is used once, although it expires within the margin."""
    with serving() as server:
        server.respond(PATH, response(expires_in=1))
        tokens = tokens_from(server.url, FakeClock())
        assert [tokens.get(60.0)[1] for _ in range(3)] == [True] * 3
        assert server.requests(PATH) == 3


def test_a_token_is_hidden_as_soon_as_it_is_there() -> None:
    """Whatever shows it later."""
    token = "b" * 30
    with serving() as server:
        server.respond(PATH, response(access_token=token))
        tokens_from(server.url, FakeClock()).get(60.0)
    assert token not in redact(f"x{token}y")


def test_a_redirect_is_no_refusal_of_the_credentials() -> None:
    """The address is wrong; bad credentials have a sentence of their own."""
    with serving() as server:
        location = {"Location": "http://127.0.0.1:1/"}
        server.respond(PATH, ScriptedResponse(302, b"", location), ScriptedResponse(400, b"no"))
        tokens = tokens_from(server.url, FakeClock())
        with pytest.raises(BadRequest, match="redirects are not followed"):
            tokens.get(60.0)
        with pytest.raises(BadCredentials, match="Set both"):
            tokens.get(60.0)
