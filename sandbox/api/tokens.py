"""OAuth client-credentials tokens: issued for any client id and secret, valid for a while."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import Final

TOKEN_LIFETIME_SECONDS: Final = 3600
"""As long as Spotify's."""
REJECTED_SECRET: Final = "wrong"  # noqa: S105 - a value to test with
"""A client secret that is refused, to test the refusal."""


@dataclass(slots=True)
class TokenStore:
    """The issued tokens, in memory: a restart invalidates them."""

    lifetime: float = TOKEN_LIFETIME_SECONDS
    """Seconds a token is valid."""
    _expires: dict[str, float] = field(default_factory=dict)

    def issue(self, now: float) -> str:
        token = secrets.token_urlsafe(48)
        self._expires[token] = now + self.lifetime
        return token

    def error_message(self, authorization: str | None, now: float) -> str | None:
        """Return what is wrong with a request's `Authorization` header, None if it is valid."""
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
    """Return whether the Basic `Authorization` of a token request is accepted."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(client.strip() and secret.strip()) and secret != REJECTED_SECRET
