"""What the keys of a track's sections have to do with the key of the track.

A key says little by itself: what is heard is how far a section stands from the tonic. So each
section gets a *degree*, in semitones above the track's tonic, and a Roman numeral. Where somebody
was unsure of a key, it counts less.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import fsum
from typing import Final

SEMITONES_PER_OCTAVE: Final = 12
MAJOR: Final = 1
PROGRESSION_LENGTHS: Final = (2, 3, 4)
"""How many keys a progression runs through."""

NUMERALS: Final = (
    "I", "bII", "II", "bIII", "III", "IV", "bV", "V", "bVI", "VI", "bVII", "VII",
)  # fmt: skip
"""Per degree, in major; what lies between the steps of the major scale is named as a flat."""

UNKNOWN_NUMERAL: Final = "?"
"""Stands for a section whose key or mode was not found."""


@dataclass(frozen=True, slots=True)
class TrackKey:
    """A track as a whole; None is not known."""

    key: int | None = None
    """The tonic's pitch class, 0 = C … 11 = B."""
    mode: int | None = None
    """1 major, 0 minor."""
    key_confidence: float | None = None
    """0..1."""
    mode_confidence: float | None = None
    tempo: float | None = None
    """Beats per minute."""


@dataclass(frozen=True, slots=True)
class DetectedSection:
    """A section as somebody heard it; None is not known."""

    start: float
    """Seconds from the beginning."""
    duration: float
    """Seconds, more than 0."""
    confidence: float | None = None
    """That a section begins here, 0..1."""
    key: int | None = None
    """Pitch class, 0 = C … 11 = B."""
    mode: int | None = None
    """1 major, 0 minor."""
    key_confidence: float | None = None
    mode_confidence: float | None = None
    tempo: float | None = None
    """Beats per minute."""
    tempo_confidence: float | None = None
    loudness: float | None = None
    """dB."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section, told by how it stands to its track; the fields are columns of `section`."""

    position: int
    """0 is the first."""
    start: float
    duration: float
    confidence: float | None
    degree: int | None
    """Semitones above the track's tonic, 0..11."""
    numeral: str | None
    mode: int | None
    key_confidence: float | None
    mode_confidence: float | None
    tempo_ratio: float | None
    """Its tempo by the track's."""
    tempo_confidence: float | None
    loudness: float | None

    @property
    def weight(self) -> float:
        """What its key counts: seconds, less where the key is unsure."""
        return self.duration * _sure(self.key_confidence)


@dataclass(frozen=True, slots=True)
class Harmony:
    """A track's sections taken together; shares are of their time, weighted by confidence."""

    sections: int
    shares: tuple[float, ...] | None
    """Per degree; None where no key is known (or none with any confidence)."""
    minor_share: float | None
    repeated_share: float | None
    """In degrees that several sections have."""
    single_share: float | None
    """In degrees that one section has."""
    degrees: int
    """Different ones."""
    degree_changes: int
    """From one section to the next, where both are known."""
    numerals: str | None
    """Of the sections in order, joined by blanks, repetitions left out; None without sections."""


@dataclass(frozen=True, slots=True)
class Progression:
    """Consecutive keys of a track, repetitions left out."""

    numerals: str
    """Joined by blanks."""
    length: int
    times: int
    confidence: float
    """How sure its least sure key is, the track's own among them, where it is heard best: 0..1."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive sections with one numeral."""

    numeral: str | None
    confidence: float


def roman_numeral(degree: int | None, mode: int | None) -> str | None:
    """Return the Roman numeral of a key so far above the tonic, in lower case for minor."""
    if degree is None or mode is None:
        return None
    name = NUMERALS[degree]
    return name if mode == MAJOR else name.lower()  # the flat is lower case in either


def relative_to_tonic(whole: TrackKey, sections: Iterable[DetectedSection]) -> list[Section]:
    """Return sections, given in the order of time, by how they stand to the whole track."""
    return [_related(whole, position, heard) for position, heard in enumerate(sections)]


def summarise_harmony(sections: Sequence[Section]) -> Harmony:
    """Return what a track's sections say together.

    A confidence that nobody gave counts as 1.
    """
    times = Counter(one.degree for one in sections if one.degree is not None)
    weights = [
        fsum(one.weight for one in sections if one.degree == degree)
        for degree in range(SEMITONES_PER_OCTAVE)
    ]
    total = fsum(weights)
    repeated = fsum(weight for degree, weight in enumerate(weights) if times[degree] > 1)
    known = [one.degree for one in sections]
    changes = sum(None not in pair and pair[0] != pair[1] for pair in pairwise(known))
    return Harmony(
        sections=len(sections),
        shares=tuple(_share(one, total) for one in weights) if total > 0 else None,
        minor_share=_minor_share(sections),
        repeated_share=_share(repeated, total) if total > 0 else None,
        single_share=_share(total - repeated, total) if total > 0 else None,
        degrees=len(times),
        degree_changes=changes,
        numerals=" ".join(one.numeral or UNKNOWN_NUMERAL for one in _runs(sections)) or None,
    )


def find_progressions(whole: TrackKey, sections: Sequence[Section]) -> list[Progression]:
    """Return what the keys of the sections run through, in 2 to 4 steps, sorted by numerals.

    A section whose key is not known ends a progression.
    """
    tonic = _sure(whole.key_confidence)
    times: Counter[tuple[str, ...]] = Counter()
    best: dict[tuple[str, ...], float] = {}
    for names, confidences in _windows(_runs(sections)):
        times[names] += 1
        best[names] = max(best.get(names, 0.0), min(tonic, *confidences))
    return [
        Progression(" ".join(names), len(names), times[names], best[names])
        for names in sorted(times)
    ]


def _related(whole: TrackKey, position: int, heard: DetectedSection) -> Section:
    degree = _above(whole.key, heard.key)
    ratio = heard.tempo / whole.tempo if heard.tempo and whole.tempo else None
    return Section(
        position=position,
        start=heard.start,
        duration=heard.duration,
        confidence=heard.confidence,
        degree=degree,
        numeral=roman_numeral(degree, heard.mode),
        mode=heard.mode,
        key_confidence=heard.key_confidence,
        mode_confidence=heard.mode_confidence,
        tempo_ratio=ratio,
        tempo_confidence=heard.tempo_confidence,
        loudness=heard.loudness,
    )


def _above(tonic: int | None, key: int | None) -> int | None:
    return None if tonic is None or key is None else (key - tonic) % SEMITONES_PER_OCTAVE


def _minor_share(sections: Iterable[Section]) -> float | None:
    weights = [
        (one.mode, one.duration * _sure(one.mode_confidence))
        for one in sections
        if one.mode is not None
    ]
    total = fsum(weight for _, weight in weights)
    minor = fsum(weight for mode, weight in weights if mode != MAJOR)
    return _share(minor, total) if total > 0 else None


def _runs(sections: Iterable[Section]) -> list[_Run]:
    runs = []
    for name, group in groupby(sections, key=lambda one: one.numeral):
        parts = list(group)
        seconds = fsum(one.duration for one in parts)
        runs.append(_Run(name, min(1.0, fsum(one.weight for one in parts) / seconds)))
    return runs


def _windows(runs: Sequence[_Run]) -> Iterator[tuple[tuple[str, ...], tuple[float, ...]]]:
    for length in PROGRESSION_LENGTHS:
        for first in range(len(runs) - length + 1):
            window = runs[first : first + length]
            names = tuple(run.numeral for run in window if run.numeral is not None)
            if len(names) == length:
                yield names, tuple(run.confidence for run in window)


def _share(part: float, total: float) -> float:
    return min(1.0, max(0.0, part / total))


def _sure(confidence: float | None) -> float:
    return 1.0 if confidence is None else confidence
