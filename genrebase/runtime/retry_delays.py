"""How long to wait before work is tried again: after an unreachable database or a crash. Pure."""

from collections.abc import Sequence
from typing import Final

RETRY_DELAYS: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before the retries, one after another; the last one repeats. Waiting for the next
scheduled time instead could lose a day."""

RESET_AFTER_SECONDS: Final = 300.0
"""A run this long had what it needs: its next failure counts as the first."""


def retry_delay(failures: int, delays: Sequence[float] = RETRY_DELAYS) -> float:
    """Return the seconds to wait after so many failures in a row (at least 1)."""
    return delays[min(failures, len(delays)) - 1]
