"""The retry schedule: back-off after a provider had no features or analysis of a track. Pure."""

from datetime import datetime, timedelta
from typing import Final

RETRY_AFTER_DAYS: Final = (1, 7, 30, 90)
"""Days until the next request after the first, second, … miss; the last one repeats."""


def retry_at(attempts: int, now: datetime) -> datetime:
    """Return when to request a track again after `attempts` misses."""
    days = RETRY_AFTER_DAYS[min(attempts, len(RETRY_AFTER_DAYS)) - 1]
    return now + timedelta(days=days)
