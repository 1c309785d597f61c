"""Errors of harvesting. A `TransientError` may succeed when retried; all others are permanent.

A ban has the exit code 4.
"""

from datetime import UTC, datetime
from typing import ClassVar

from genrebase import exit_codes
from genrebase.errors import GenrebaseError, UserError


class CollectorError(GenrebaseError):
    """An operation of the collector failed."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or (type(self).__doc__ or "").strip().splitlines()[0])


class TransientError(CollectorError):
    """The same request may succeed in a moment."""


class RateLimited(TransientError):
    """The source limited our request rate."""

    def __init__(self, retry_after: float | None = None, reason: str | None = None) -> None:
        super().__init__()
        self.retry_after = retry_after
        self.reason = reason


class SourceUnavailable(TransientError):
    """The source did not respond, or failed internally."""


class InvalidResponse(TransientError):
    """The source's response was cut short or makes no sense."""


class TokenExpired(TransientError):
    """The access token has expired; the next request fetches a new one."""


class BadCredentials(CollectorError, UserError):
    """The source does not accept these credentials."""

    is_refusal: ClassVar[bool] = False  # a running daemon's credentials can expire


class TermsNotAccepted(CollectorError, UserError):
    """The source's terms have not been accepted."""


class CatalogueMismatch(CollectorError, UserError):
    """The database was filled from another catalogue."""


class BadRequest(CollectorError):
    """The source does not understand the request."""


class NotFound(BadRequest):
    """The source has nothing at that address."""


class InvalidLimit(BadRequest):
    """The source refuses the page limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The source does not give {limit} items a page.")
        self.limit = limit


class AccessDenied(CollectorError):
    """The source refuses this request to these credentials."""


class NotAccessible(CollectorError):
    """This item is not accessible; others may be."""


class UnusableResponse(CollectorError):
    """The response is complete, but holds nothing that can be used."""


class EndpointClosed(AccessDenied):
    """An endpoint is closed to these credentials."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"{endpoint} is closed to these credentials.")
        self.endpoint = endpoint


class NothingImported(CollectorError):
    """No row or file of an import could be read."""


class RequestLimitReached(CollectorError):
    """The requests allowed for this run are used up."""


class StopRequested(CollectorError):
    """A stop was requested while waiting for a slot; no request was made."""


class LeaseLost(CollectorError):
    """Another process took over this shard; no request was made, or its response is dropped."""


class Blocked(CollectorError):
    """The source has blocked us for longer than is worth waiting."""

    exit_code: ClassVar[int] = exit_codes.BLOCKED

    def __init__(self, source: str, until: float, reason: str | None = None) -> None:
        self.source = source
        self.until = datetime.fromtimestamp(until, UTC)
        self.reason = reason
        why = f" ({reason})" if reason else ""
        super().__init__(
            f"{source} has blocked us{why} until {self.until:%Y-%m-%d %H:%M:%S} UTC. "
            "Run it again then: it goes on where it stopped."
        )
