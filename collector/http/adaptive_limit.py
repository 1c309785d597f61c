"""The limit that a 429 teaches, and when to try a little more. Pure.

A pace is in requests per window of the rate we were told. Halving after a refusal and creeping up
again would use 71% of a limit and be refused 28 times in two hours; what was granted in the last
window is the limit itself, so 97% of it is used, with one refusal an hour at most.
"""

from typing import Final

from collector.rate import SAFETY_FACTOR, Rate

PROBE_INTERVAL_SECONDS: Final = 3_600.0
"""Seconds after a refusal, or after the last attempt, before a little more is tried."""

INCREASE_FACTOR: Final = 1.05
"""How much more."""

MIN_DECREASE_FACTOR: Final = 0.5
"""A refusal lowers the pace to this share of it at least: one that comes after few requests may
be about something else, and at a step an hour the way back is long."""

MIN_REQUESTS_PER_WINDOW: Final = 0.5
"""No slower pace than this is learned."""


def allowed_requests(rate: Rate, ceiling: float | None) -> float:
    """Return the requests per window that we allow ourselves."""
    told = SAFETY_FACTOR * rate.requests
    return told if ceiling is None else min(told, ceiling)


def request_interval(rate: Rate, ceiling: float | None) -> float:
    """Return the seconds between two requests: as told, or slower where a ceiling was learned."""
    return rate.seconds / allowed_requests(rate, ceiling)


def limit_after_refusal(rate: Rate, ceiling: float | None, granted: int) -> float | None:
    """Return the ceiling that a 429 teaches, where `granted` requests of its window were answered.

    One that met us idle teaches nothing: it is left over from before.
    """
    if granted < 1:
        return ceiling
    current = allowed_requests(rate, ceiling)
    learned = SAFETY_FACTOR * min(float(granted), current)
    return max(learned, MIN_DECREASE_FACTOR * current, MIN_REQUESTS_PER_WINDOW)


def increased_limit(rate: Rate, ceiling: float) -> float | None:
    """Return the ceiling a step higher; None where that is what we were told, or more."""
    higher = INCREASE_FACTOR * ceiling
    return higher if higher < SAFETY_FACTOR * rate.requests else None
