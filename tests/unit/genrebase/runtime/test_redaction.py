"""Redaction of secrets."""

import pytest

from genrebase.runtime.redaction import MIN_SECRET_LENGTH, REDACTED, hide, redact, redact_value

SECRET = "s3cr3t-Value.of_0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"headers={{'Authorization': 'Bearer {SECRET}'}}",
        f"authorization: basic {SECRET}==",
        f"postgresql+psycopg://user:{SECRET}@host:5432/name",
        f"postgresql://user:p@{SECRET}@host/name",
        f"client_secret={SECRET}&grant_type=client_credentials",
        f'{{"access_token": "{SECRET}", "token_type": "Bearer"}}',
        f"{{'refresh_token': '{SECRET}'}}",
        f"SPOTIPY_CLIENT_SECRET='{SECRET}'",
        f"SPOTIPY_CLIENT_ID={SECRET}",
        f"password={SECRET}",
        f"redis://:{SECRET}@cache/0",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    """Tokens, client secrets and passwords go, in every form they are written in."""
    cleaned = redact(text)
    assert SECRET not in cleaned
    assert REDACTED in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "GET https://api.spotify.com/v1/search?q=genre%3A%22r%26b%22&limit=50",
        "http://127.0.0.1:8080/reccobeats/v1/audio-features",
        "sqlite:///genrebase.db",
        "The bearer of bad news: basic instinct",
        "genre: r&b, 12:30@noon",
    ],
)
def test_other_text_is_unchanged(text: str) -> None:
    """Text without a secret is unchanged."""
    assert redact(text) == text


def test_values_of_secret_keys_are_redacted() -> None:
    """A value logged under the name of a secret is redacted at any depth."""
    assert redact_value("client_secret", "x") == REDACTED
    assert redact_value("headers", {"Authorization": "x", "Accept": "y"}) == {
        "Authorization": REDACTED,
        "Accept": "y",
    }
    assert redact_value("calls", [{"access_token": "x"}]) == [{"access_token": REDACTED}]
    assert redact_value("requests", 3) == 3


def test_a_value_is_hidden_wherever_it_occurs() -> None:
    """A server may echo a token in any form; a short value may be an ordinary word."""
    token, word = "BQDc0ffee-0123456789", "x" * (MIN_SECRET_LENGTH - 1)
    hide(token)
    hide(word)
    hide("")
    assert redact(f"No user for <{token}>, {word}") == f"No user for <{REDACTED}>, {word}"
    assert redact_value("reason", {"a": [token]}) == {"a": [REDACTED]}


def test_old_values_are_forgotten() -> None:
    """Tokens change every hour: only the newest ones are remembered."""
    first = "the-very-first-token"
    hide(first)
    for number in range(100):
        hide(f"a-later-token-{number:04}")
    assert redact(first) == first
    assert redact("a-later-token-0099") == REDACTED
