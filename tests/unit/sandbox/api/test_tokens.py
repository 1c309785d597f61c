"""Access tokens of the sandbox."""

import base64

import pytest

from sandbox.api import tokens
from sandbox.api.tokens import TokenStore


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_any_client_is_accepted():
    """Any id and secret are enough."""
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
def test_incomplete_credentials_are_refused(header):
    """Without an id or a secret, or with the rejected secret, there is no token."""
    assert not tokens.accepts_client(header)


def test_a_token_is_valid_until_it_expires():
    """An expired token is refused with the message that spotipy expects."""
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
    """Tokens that were not issued are refused."""
    assert TokenStore().error_message(header, 0.0) == problem
