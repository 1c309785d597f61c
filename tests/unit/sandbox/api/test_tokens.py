import base64

import pytest

from sandbox.api import tokens
from sandbox.api.tokens import TokenStore


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_any_client_is_taken():
    """An id and a secret are enough, whatever they are."""
    assert tokens.accepts_client(basic("id:secret"))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ???",
        basic("id"),
        basic("id:"),
        basic(":secret"),
        "Bearer x",
        basic("id:wrong"),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    ],
)
def test_half_a_client_is_refused(header):
    """Without an id or a secret, or with the one that is never taken, there is no token."""
    assert not tokens.accepts_client(header)


def test_a_token_is_good_until_it_expires():
    """The second it expires, a token is refused with the sentence spotipy knows."""
    given = TokenStore(lifetime=10)
    header = f"Bearer {given.issue(now=100.0)}"
    assert given.error_message(header, 109.9) is None
    assert given.error_message(header, 110.0) == "The access token expired"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (None, "No token provided"),
        ("Bearer ", "No token provided"),
        ("Basic eDp5", "Only valid bearer authentication supported"),
        ("Bearer made-up", "Invalid access token"),
    ],
)
def test_other_tokens_are_refused(header, problem):
    """What we have not given out is not taken."""
    assert TokenStore().error_message(header, 0.0) == problem
