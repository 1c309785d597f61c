"""Deduplication (record linkage, entity resolution): match a track to a stored recording. Pure.

A name (normalised title | primary artist) can belong to several recordings. Among the tracks of
that name and of a duration within two seconds, one with an equal ISRC matches first, then the
nearest duration; otherwise it is a new recording. An ISRC alone is no proof: sources give one to
several recordings. Different ISRCs do not exclude a match: remasters get new ones.
"""

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

DURATION_TOLERANCE_MS: Final = 2_000
"""Durations within this distance can be one recording: sources round and trim differently."""


class RecordingCandidate(Protocol):
    """A stored track with the same name."""

    @property
    def id(self) -> int:
        """Its key."""
        ...

    @property
    def ordinal(self) -> int:
        """Its number among the recordings of the name, from 1."""
        ...

    @property
    def duration_ms(self) -> int | None:
        """Its duration in milliseconds, None if unknown."""
        ...

    @property
    def isrc(self) -> str | None:
        """Its ISRC, None if unknown."""
        ...


CandidateT = TypeVar("CandidateT", bound=RecordingCandidate)


def match_recording(
    candidates: Iterable[CandidateT], duration_ms: int | None, isrc: str | None
) -> CandidateT | None:
    """Return the candidate that is the same recording, None if there is none.

    An equal ISRC is preferred among the candidates within the tolerance. An unknown duration
    matches any candidate, but a given one within the tolerance is preferred. The lowest id wins a
    tie.
    """
    best: tuple[int, int] | None = None
    match: CandidateT | None = None
    for candidate in candidates:
        distance = _distance(candidate, duration_ms, isrc)
        if distance is None:
            continue
        key = (distance, candidate.id)
        if best is None or key < best:
            best, match = key, candidate
    return match


def next_ordinal(candidates: Iterable[RecordingCandidate]) -> int:
    """Return the ordinal of a new recording of the name, 1 for the first."""
    return max((candidate.ordinal for candidate in candidates), default=0) + 1


def _distance(
    candidate: RecordingCandidate, duration_ms: int | None, isrc: str | None
) -> int | None:
    same_isrc = isrc is not None and candidate.isrc == isrc
    if duration_ms is None or candidate.duration_ms is None:
        return -1 if same_isrc else DURATION_TOLERANCE_MS + 1
    difference = abs(candidate.duration_ms - duration_ms)
    if difference > DURATION_TOLERANCE_MS:
        return None
    return -1 if same_isrc else difference
