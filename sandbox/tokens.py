"""Access tokens: given to anybody with an id and a secret, good for a while."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import Final

TOKEN_LIFETIME_SECONDS: Final = 3600
"""Seconds, as Spotify gives."""
REJECTED_SECRET: Final = "wrong"  # noqa: S105 - refused on purpose
"""A secret that is refused, so that the refusal can be tried."""


@dataclass(slots=True)
class TokenStore:
    """The tokens given out; a restart forgets them."""

    lifetime: float = TOKEN_LIFETIME_SECONDS
    """Seconds a token is taken."""
    _expires: dict[str, float] = field(default_factory=dict)

    def issue(self, now: float) -> str:
        """Return a fresh token."""
        token = secrets.token_urlsafe(48)
        self._expires[token] = now + self.lifetime
        return token

    def error_message(self, authorization: str | None, now: float) -> str | None:
        """Return what is wrong with a request's `Authorization`, None if nothing is."""
        scheme, _, token = (authorization or "").partition(" ")
        if not token:
            return "No token provided"
        if scheme.lower() != "bearer":
            return "Only valid bearer authentication supported"
        if token not in self._expires:
            return "Invalid access token"
        if now >= self._expires[token]:
            return "The access token expired"
        return None


def accepts_client(authorization: str | None) -> bool:
    """Tell whether the Basic `Authorization` of a token request names a client we know."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(client.strip() and secret.strip()) and secret != REJECTED_SECRET
