"""How long to stay away after a 429. Pure."""

from typing import Final

QUOTA_EXCEEDED: Final = "QUOTA_EXCEEDED"
"""The reason of a ban that has no promised end."""

MARGIN_SECONDS: Final = 1.0
"""Seconds added to what the source said: it counts in whole ones, on its own clock."""

MAX_BAN_SECONDS: Final = 30 * 86_400.0
"""No ban is believed to last longer than this many seconds."""

_UNSAID: Final = 30.0
_UNSAID_AT_MOST: Final = 3_600.0
"""Without a Retry-After: one window at first, doubled with every further ban."""

_PROBE: Final = 600.0
_PROBE_AT_MOST: Final = 6 * 3_600.0
"""After a spent quota: probe after ten minutes, then with gaps that double."""


_REFUSED_AGAIN: Final = 30.0
"""Who was told a shorter wait and is refused after it waits for a whole window."""


def next_allowed_at(
    now: float, retry_after: float | None, reason: str | None, earlier_bans: int
) -> float:
    """Return the moment before which nothing is asked after a 429.

    `earlier` counts the bans since the source last answered well. What the source says is a
    floor; where it says nothing, or has no promised end, the gaps grow.
    """
    said = (
        None
        if retry_after is None
        else min(max(retry_after, 0.0), MAX_BAN_SECONDS) + MARGIN_SECONDS
    )
    doubled = 2.0 ** max(0, min(earlier_bans, 30))
    if reason == QUOTA_EXCEEDED:
        return now + max(said or 0.0, min(_PROBE * doubled, _PROBE_AT_MOST))
    if said is not None:
        return now + (max(said, _REFUSED_AGAIN) if earlier_bans else said)
    return now + min(_UNSAID * doubled, _UNSAID_AT_MOST)
