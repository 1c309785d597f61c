"""Access tokens of the OAuth client-credentials flow, checked before they are used."""

from typing import Any, Final

import requests

from collector.errors import (
    BadCredentials,
    CollectorError,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
)
from collector.http.client import error_details, error_for_response, to_collector_error
from collector.http.retry import count_token_request
from collector.http.session import make_session
from genrebase.runtime import redaction
from genrebase.runtime.clock import Clock

_MAX_LENGTH: Final = 4_096
"""Maximum characters: servers refuse a header with a longer token."""
_MARGIN_SECONDS: Final = 60.0
"""The time before its expiry at which a token is renewed."""
_MAX_SECONDS: Final = 86_400.0
"""Maximum lifetime: a token is renewed after a day, whatever lifetime the response gives."""


class AccessTokens:
    """The current access token of one credential; use it in one thread at a time."""

    def __init__(
        self, address: str, credentials: tuple[str, str], help_text: str, clock: Clock
    ) -> None:
        """Fetch tokens from `address` for a client id and secret; makes no request yet.

        `help_text` is the advice on refused credentials.
        """
        self._address = address
        self._credentials = credentials
        self._help = help_text
        self._clock = clock
        self._session = make_session(address)
        self._token: str | None = None
        self._renew_at = 0.0

    def drop(self) -> None:
        """Discard the token, because the source refused it."""
        self._token = None

    def get(self, timeout: float) -> tuple[str, bool]:
        """Return a token, and whether it is new; makes at most one request, in `timeout` seconds.

        Raises `BadCredentials` where the credentials are refused, `InvalidResponse` for a token
        that cannot be used, or another `CollectorError` where the request fails.
        """
        if self._token is not None and self._clock.monotonic() < self._renew_at:
            return self._token, False
        self._token = None
        count_token_request()
        try:
            response = self._session.post(
                self._address,
                data={"grant_type": "client_credentials"},
                auth=self._credentials,
                timeout=timeout,
            )
            response.raise_for_status()
            token, seconds = _parse(response.json())
        except requests.RequestException as error:
            raise self._translate(error) from error
        redaction.hide(token)
        self._token = token
        self._renew_at = self._clock.monotonic() + seconds - _MARGIN_SECONDS
        return token, True

    def _translate(self, error: requests.RequestException) -> CollectorError:
        now = self._clock.now()
        if not isinstance(error, requests.HTTPError) or error.response is None:
            return to_collector_error(error, now)
        translated = error_for_response(error.response, now)
        is_redirect = 300 <= error.response.status_code < 400
        if is_redirect or isinstance(translated, RateLimited | SourceUnavailable | NotFound):
            return translated
        message, _ = error_details(error.response)
        return BadCredentials(f"Spotify refuses these credentials ({message}). {self._help}")


def _parse(document: Any) -> tuple[str, float]:
    """Return token and lifetime in seconds; raise `InvalidResponse` with what is wrong."""
    if not isinstance(document, dict):
        raise _unusable("it is no object")
    token, seconds = document.get("access_token"), document.get("expires_in")
    if not isinstance(token, str) or not token:
        raise _unusable("it has no token")
    if len(token) > _MAX_LENGTH:
        raise _unusable("its token is too long")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise _unusable("its token has invalid characters")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise _unusable("it has no valid lifetime of the token")
    return token, float(min(seconds, _MAX_SECONDS))


def _unusable(reason: str) -> InvalidResponse:
    return InvalidResponse(f"Spotify's response with an access token cannot be used: {reason}.")
