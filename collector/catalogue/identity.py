"""Is this the same recording? Pure: names and durations in, an answer out.

A name (normalised title | primary artist) can belong to several recordings. Among the tracks of
that name, an equal ISRC wins; then the nearest duration within two seconds; otherwise it is a new
recording. Differing ISRCs do not keep two apart: remasters get new ones.
"""

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

DURATION_TOLERANCE_MS: Final = 2_000
"""Two durations this near are one recording: sources round and trim silence differently."""


class RecordingCandidate(Protocol):
    """A track that carries the name in question."""

    @property
    def id(self) -> int:
        """Its key."""
        ...

    @property
    def ordinal(self) -> int:
        """Which recording under the name it is, from 1."""
        ...

    @property
    def duration_ms(self) -> int | None:
        """Its duration in milliseconds, where known."""
        ...

    @property
    def isrc(self) -> str | None:
        """Its ISRC, where known."""
        ...


CandidateT = TypeVar("CandidateT", bound=RecordingCandidate)


def match_recording(
    candidates: Iterable[CandidateT], duration_ms: int | None, isrc: str | None
) -> CandidateT | None:
    """Return the candidate that is the same recording, or None where there is none.

    An unknown duration matches any, after every known one that is near enough. The lowest id
    wins a tie.
    """
    best: tuple[int, int] | None = None
    chosen: CandidateT | None = None
    for candidate in candidates:
        distance = _distance(candidate, duration_ms, isrc)
        if distance is None:
            continue
        standing = (distance, candidate.id)
        if best is None or standing < best:
            best, chosen = standing, candidate
    return chosen


def next_ordinal(candidates: Iterable[RecordingCandidate]) -> int:
    """Return the ordinal of one more recording beside `candidates`, 1 for the first."""
    return max((candidate.ordinal for candidate in candidates), default=0) + 1


def _distance(
    candidate: RecordingCandidate, duration_ms: int | None, isrc: str | None
) -> int | None:
    if isrc is not None and candidate.isrc == isrc:
        return -1
    if duration_ms is None or candidate.duration_ms is None:
        return DURATION_TOLERANCE_MS + 1
    apart = abs(candidate.duration_ms - duration_ms)
    return apart if apart <= DURATION_TOLERANCE_MS else None
