"""Backoff after a 429, as a circuit breaker: until when no request is sent.

A 429 means that the rate limit was exceeded; its header Retry-After may say for how long.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from collector.rate_limits import FIRST_WAIT_SECONDS

QUOTA_EXCEEDED: Final = "QUOTA_EXCEEDED"
"""The reason of a ban without an announced end."""

OVERLOADED: Final = "OVERLOADED"
"""The reason of a ban because the source is busy: it says nothing about our rate."""

MARGIN_SECONDS: Final = 1.0
"""Added to Retry-After: it counts in whole seconds, on the source's clock."""

MAX_BAN_SECONDS: Final = 30 * 86_400.0
"""Upper bound of a Retry-After."""

LONGEST_BAN_SECONDS: Final = MAX_BAN_SECONDS + MARGIN_SECONDS
"""A ban that ends later was recorded before the clock was set back, and is ignored."""

_DEFAULT_MAX: Final = 3_600.0
"""Without a Retry-After: the account's first wait, doubled with every further ban up to this."""

_QUOTA_SECONDS, _QUOTA_MAX = 600.0, 6 * 3_600.0
"""After an exceeded quota: retry after ten minutes, then at doubling intervals."""

_REPEATED_MIN: Final = 30.0
"""After a second refusal, wait at least one full window, whatever Retry-After says."""


def next_allowed_at(
    now: float,
    retry_after: float | None,
    reason: str | None,
    earlier_bans: int,
    first_wait: float = FIRST_WAIT_SECONDS,
) -> float:
    """Return the moment before which no request is sent after a 429.

    `earlier_bans` counts the bans since the last successful request. Retry-After is a lower bound;
    without it, or without an announced end, the wait grows exponentially from `first_wait`.
    """
    announced = None
    if retry_after is not None:
        announced = min(max(retry_after, 0.0), MAX_BAN_SECONDS) + MARGIN_SECONDS
    factor = 2.0 ** max(0, min(earlier_bans, 30))
    if reason == QUOTA_EXCEEDED:
        return now + max(announced or 0.0, min(_QUOTA_SECONDS * factor, _QUOTA_MAX))
    if announced is not None:
        return now + (max(announced, _REPEATED_MIN) if earlier_bans else announced)
    return now + min(first_wait * factor, _DEFAULT_MAX)


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date), None if it is neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _seconds_until(header, now)
    return seconds if 0 <= seconds < float("inf") else None


def _seconds_until(header: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
