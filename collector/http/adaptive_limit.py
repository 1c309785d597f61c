"""Adaptive rate limit: learned from a 429, increased stepwise later. Pure.

Limits are in requests per window of the configured rate. AIMD, which halves the limit after a
refusal and increases it slowly, would use 71% of a limit and be refused 28 times in two hours; the
requests granted in the last window are the limit itself, so 97% of it is used, with at most one
refusal an hour.
"""

from typing import Final

from collector.rate_limits import SAFETY_FACTOR, Rate

PROBE_INTERVAL_SECONDS: Final = 3_600.0
"""Seconds after a refusal, or after the last increase, before the next increase."""

INCREASE_FACTOR: Final = 1.05

MIN_DECREASE_FACTOR: Final = 0.5
"""A refusal lowers the limit to no less than this share of it: a refusal after few requests may
have another cause, and at one increase an hour recovery is slow."""

MIN_REQUESTS_PER_WINDOW: Final = 0.5
"""Lower bound of a learned limit."""


def allowed_requests(rate: Rate, ceiling: float | None) -> float:
    """Return the requests per window that may be sent."""
    configured = SAFETY_FACTOR * rate.requests
    return configured if ceiling is None else min(configured, ceiling)


def request_interval(rate: Rate, ceiling: float | None) -> float:
    """Return the seconds between two requests: as configured, or more with a learned limit."""
    return rate.seconds / allowed_requests(rate, ceiling)


def limit_after_refusal(rate: Rate, ceiling: float | None, granted: int) -> float | None:
    """Return the limit learned from a 429 after `granted` successful requests in its window.

    A refusal after an idle window changes nothing: it belongs to an earlier ban.
    """
    if granted < 1:
        return ceiling
    current = allowed_requests(rate, ceiling)
    learned = SAFETY_FACTOR * min(float(granted), current)
    return max(learned, MIN_DECREASE_FACTOR * current, MIN_REQUESTS_PER_WINDOW)


def increased_limit(rate: Rate, ceiling: float) -> float | None:
    """Return the limit one step higher; None where that reaches the configured one."""
    higher = INCREASE_FACTOR * ceiling
    return higher if higher < SAFETY_FACTOR * rate.requests else None
