"""How long to stay away after a 429. Pure."""

from dataclasses import dataclass
from typing import Final

QUOTA: Final = "QUOTA_EXCEEDED"
"""The reason of a ban that has no promised end."""

MARGIN: Final = 1.0
"""Seconds added to what the source said: it counts in whole ones, on its own clock."""

LONGEST: Final = 30 * 86_400.0
"""No ban is believed to last longer than this many seconds."""

_UNSAID: Final = 30.0
_UNSAID_AT_MOST: Final = 3_600.0
"""Without a Retry-After: one window at first, doubled with every further ban."""

_PROBE: Final = 600.0
_PROBE_AT_MOST: Final = 6 * 3_600.0
"""After a spent quota: probe after ten minutes, then with gaps that double."""


@dataclass(frozen=True, slots=True)
class Ban:
    """What was decided about a 429."""

    until: float
    """Nothing is asked before this moment, seconds since 1970."""
    probe: bool
    """Whether `until` is only our guess, and the first request then a probe."""


def plan(now: float, retry_after: float | None, reason: str | None, earlier: int) -> Ban:
    """Decide how long to stay away.

    `earlier` counts the bans since the source last answered well. What the source says is a
    floor; where it says nothing, or has no promised end, the gaps grow.
    """
    said = None if retry_after is None else min(max(retry_after, 0.0), LONGEST) + MARGIN
    doubled = 2.0 ** max(0, min(earlier, 30))
    if reason == QUOTA:
        return Ban(now + max(said or 0.0, min(_PROBE * doubled, _PROBE_AT_MOST)), probe=True)
    if said is not None:
        return Ban(now + said, probe=False)
    return Ban(now + min(_UNSAID * doubled, _UNSAID_AT_MOST), probe=True)
