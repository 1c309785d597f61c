"""Deduplication (record linkage, entity resolution): match a track to a stored recording. Pure.

A name (normalised title | primary artist) can belong to several recordings. A recording has a
range of durations, those of everything that was matched to it. A track is every recording of its
name whose range lies within two seconds of its duration. If there are several, they are one
recording (single-linkage clustering): so the recordings do not depend on the order of the tracks.
If there is none, it is a new one.

A track without a duration is the recording of the name with its ISRC, or else the oldest. An ISRC
alone is no proof: sources give one to several recordings. Different ISRCs do not exclude a match:
remasters get new ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

DURATION_TOLERANCE_MS: Final = 2_000
"""Durations within this distance can be one recording: sources round and trim differently."""


@dataclass(slots=True)
class DurationRange:
    """The durations of what was matched to a recording, in milliseconds; None: all unknown."""

    shortest: int | None = None
    longest: int | None = None

    def extend(self, duration_ms: int | None) -> bool:
        """Include a duration; return whether the range changed."""
        before = self.shortest, self.longest
        if duration_ms is not None:
            self.shortest = min(duration_ms, self.shortest or duration_ms)
            self.longest = max(duration_ms, self.longest or duration_ms)
        return before != (self.shortest, self.longest)

    def is_near(self, duration_ms: int) -> bool:
        """Return whether a duration is within the tolerance of a known one."""
        if self.shortest is None or self.longest is None:
            return False
        low, high = self.shortest - DURATION_TOLERANCE_MS, self.longest + DURATION_TOLERANCE_MS
        return low <= duration_ms <= high

    def is_near_range(self, other: "DurationRange") -> bool:
        """Return whether two ranges are within the tolerance; an unknown one is near to all."""
        if self.shortest is None or self.longest is None:
            return True
        if other.shortest is None or other.longest is None:
            return True
        gap = max(self.shortest, other.shortest) - min(self.longest, other.longest)
        return gap <= DURATION_TOLERANCE_MS


class RecordingCandidate(Protocol):
    """A stored track with the same name."""

    @property
    def id(self) -> int:
        """Its key."""

    @property
    def durations(self) -> DurationRange:
        """Its durations."""

    @property
    def isrc(self) -> str | None:
        """Its ISRC, None if unknown."""


CandidateT = TypeVar("CandidateT", bound=RecordingCandidate)


def match_recordings(
    candidates: Iterable[CandidateT], duration_ms: int | None, isrc: str | None
) -> list[CandidateT]:
    """Return the candidates that are the same recording, the oldest first.

    There are several only where the duration is within the tolerance of each. One of unknown
    duration matches where no other does; of several, one with an equal ISRC, then the oldest.
    """
    ordered = sorted(candidates, key=lambda one: (isrc is None or one.isrc != isrc, one.id))
    if duration_ms is None:
        return ordered[:1]
    near = [one for one in ordered if one.durations.is_near(duration_ms)]
    unknown = [one for one in ordered if one.durations.shortest is None]
    return sorted(near, key=lambda one: one.id) or unknown[:1]
