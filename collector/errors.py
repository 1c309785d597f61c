"""What can go wrong while harvesting. The type says whether asking again can help."""

from datetime import UTC, datetime
from typing import ClassVar

from genrebase.errors import GenrebaseError, UserError


class CollectorError(GenrebaseError):
    """The collector could not do what was asked."""

    def __init__(self, sentence: str | None = None) -> None:
        """Say `sentence`; without one, what the class says of itself."""
        super().__init__(sentence or (type(self).__doc__ or "").strip().splitlines()[0])


class TransientError(CollectorError):
    """The same request may well succeed in a moment."""


class PermanentError(CollectorError):
    """The same request will fail again: something else has to change first."""


class RateLimited(TransientError):
    """The source asked us to slow down."""

    def __init__(self, retry_after: float | None = None, reason: str | None = None) -> None:
        """Keep what the source said: seconds to wait, None where it did not say."""
        super().__init__()
        self.retry_after = retry_after
        self.reason = reason


class SourceUnavailable(TransientError):
    """The source did not answer, or answered with a fault of its own."""


class InvalidResponse(TransientError):
    """The source's answer was cut short or makes no sense."""


class TokenExpired(TransientError):
    """The access token is no longer taken; the next request fetches a new one."""


class BadCredentials(PermanentError, UserError):
    """The source does not take these credentials."""


class TermsNotAccepted(PermanentError, UserError):
    """The source's terms have not been accepted."""


class CatalogueMismatch(PermanentError, UserError):
    """The database was filled from another catalogue."""


class BadRequest(PermanentError):
    """The source does not understand the request."""


class NotFound(BadRequest):
    """The source has nothing at that address."""


class InvalidLimit(BadRequest):
    """The source gives fewer items a page than were asked for."""

    def __init__(self, limit: int) -> None:
        """Keep the `limit` that was refused."""
        super().__init__(f"The source does not give {limit} items a page.")
        self.limit = limit


class AccessDenied(PermanentError):
    """The source refuses this request to these credentials."""


class NotAccessible(PermanentError):
    """The source does not show this to us; another may be shown."""


class UnusableResponse(PermanentError):
    """The answer came whole, and holds nothing that can be used."""


class EndpointClosed(AccessDenied):
    """An endpoint is closed to these credentials."""

    def __init__(self, endpoint: str) -> None:
        """Keep the `endpoint`, so that it can be remembered."""
        super().__init__(f"{endpoint} is closed to these credentials.")
        self.endpoint = endpoint


class NothingImported(CollectorError):
    """No row or file of an import could be read."""


class RequestLimitReached(PermanentError):
    """The requests allowed for this run are spent."""


class StopRequested(PermanentError):
    """We were asked to stop while waiting for our turn; no request was made."""


class LeaseLost(PermanentError):
    """Another process works on this shard now; no request was made, or its answer is dropped."""


class Blocked(PermanentError):
    """The source has blocked us for longer than is worth waiting."""

    exit_code: ClassVar[int] = 4

    def __init__(self, source: str, until: float, reason: str | None = None) -> None:
        """Keep who blocks us, `until` when (seconds since 1970) and why, where that was said."""
        self.source = source
        self.until = datetime.fromtimestamp(until, UTC)
        self.reason = reason
        why = f" ({reason})" if reason else ""
        super().__init__(
            f"{source} has blocked us{why} until {self.until:%Y-%m-%d %H:%M:%S} UTC. "
            "Run it again then: it goes on where it stopped."
        )
