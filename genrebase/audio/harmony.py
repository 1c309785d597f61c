"""Harmony of a track: its sections' keys relative to its own; progressions of keys (not chords).

What matters about a section's key is its distance from the tonic. So each section gets a *degree*,
in semitones above the track's tonic, and a Roman numeral. Keys are weighted by confidence.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from math import fsum
from typing import Final

SEMITONES_PER_OCTAVE: Final = 12
MAJOR: Final = 1
PROGRESSION_LENGTHS: Final = (2, 3, 4)
"""Numbers of keys in a progression."""

NUMERALS: Final = (
    "I", "bII", "II", "bIII", "III", "IV", "bV", "V", "bVI", "VI", "bVII", "VII",
)  # fmt: skip
"""Per degree, in major; degrees between the steps of the major scale are named as flats."""

UNKNOWN_NUMERAL: Final = "?"
"""The numeral of a section whose key or mode is unknown."""


@dataclass(frozen=True, slots=True)
class TrackKey:
    """Key, mode and tempo of a track; None is unknown."""

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
    """A section as an analysis detected it; None is unknown."""

    start: float
    """Seconds from the beginning."""
    duration: float
    """Seconds, more than 0."""
    confidence: float | None = None
    """Confidence that a section begins here, 0..1."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(DetectedSection):
    """A section relative to its track; it has a field for every column of `section`."""

    position: int
    """0 is the first."""
    degree: int | None
    """Semitones above the track's tonic, 0..11."""
    numeral: str | None
    tempo_ratio: float | None
    """Its tempo divided by the track's."""

    @property
    def weight(self) -> float:
        """The weight of its key: seconds times confidence."""
        return self.duration * _confidence_or_one(self.key_confidence)


@dataclass(frozen=True, slots=True)
class Harmony:
    """Summary of a track's sections; shares are of their time, weighted by confidence."""

    sections: int
    shares: tuple[float, ...] | None
    """Per degree; None if all keys are unknown or have a confidence of 0."""
    minor_share: float | None
    repeated_share: float | None
    """Share in degrees that several sections have."""
    single_share: float | None
    """Share in degrees that one section has."""
    degrees: int
    degree_changes: int
    """Changes from one section to the next, where both have a degree."""
    numerals: str | None
    """Numerals in order, joined by spaces, without repetitions; None without sections."""


@dataclass(frozen=True, slots=True)
class Progression:
    """Consecutive keys of a track, without repetitions."""

    numerals: str
    """Joined by spaces."""
    length: int
    times: int
    confidence: float
    """The lowest confidence of its keys and the track's, at its best occurrence: 0..1."""


_NumeralRun = tuple[str | None, float]
"""The numeral of consecutive sections, and its confidence."""


def roman_numeral(degree: int | None, mode: int | None) -> str | None:
    """Return the Roman numeral of a degree, in lower case for minor."""
    if degree is None or mode is None:
        return None
    name = NUMERALS[degree]
    return name if mode == MAJOR else name.lower()  # the flat is lower case in either


def relative_to_tonic(track_key: TrackKey, sections: Iterable[DetectedSection]) -> list[Section]:
    """Return the sections, in temporal order, relative to the track's key and tempo."""
    relative = []
    for position, detected in enumerate(sections):
        degree = _degree(track_key.key, detected.key)
        ratio = detected.tempo / track_key.tempo if detected.tempo and track_key.tempo else None
        section = Section(
            **asdict(detected),
            position=position,
            degree=degree,
            numeral=roman_numeral(degree, detected.mode),
            tempo_ratio=ratio,
        )
        relative.append(section)
    return relative


def summarise_harmony(sections: Sequence[Section]) -> Harmony:
    """Return the summary of a track's sections.

    A missing confidence counts as 1.
    """
    times = Counter(section.degree for section in sections if section.degree is not None)
    weights = [
        fsum(section.weight for section in sections if section.degree == degree)
        for degree in range(SEMITONES_PER_OCTAVE)
    ]
    total = fsum(weights)
    repeated = fsum(weight for degree, weight in enumerate(weights) if times[degree] > 1)
    degrees = [section.degree for section in sections]
    changes = sum(None not in pair and pair[0] != pair[1] for pair in pairwise(degrees))
    return Harmony(
        sections=len(sections),
        shares=tuple(_share(weight, total) for weight in weights) if total > 0 else None,
        minor_share=_minor_share(sections),
        repeated_share=_share(repeated, total) if total > 0 else None,
        single_share=_share(total - repeated, total) if total > 0 else None,
        degrees=len(times),
        degree_changes=changes,
        numerals=" ".join(numeral or UNKNOWN_NUMERAL for numeral, _ in _runs(sections)) or None,
    )


def find_progressions(track_key: TrackKey, sections: Sequence[Section]) -> list[Progression]:
    """Return the progressions of 2 to 4 keys in the sections, sorted by numerals.

    A section with an unknown key ends a progression.
    """
    tonic = _confidence_or_one(track_key.key_confidence)
    times: Counter[tuple[str, ...]] = Counter()
    best: dict[tuple[str, ...], float] = {}
    for names, confidences in _windows(_runs(sections)):
        times[names] += 1
        best[names] = max(best.get(names, 0.0), min(tonic, *confidences))
    return [
        Progression(" ".join(names), len(names), times[names], best[names])
        for names in sorted(times)
    ]


def _degree(tonic: int | None, key: int | None) -> int | None:
    return None if tonic is None or key is None else (key - tonic) % SEMITONES_PER_OCTAVE


def _minor_share(sections: Iterable[Section]) -> float | None:
    weights = [
        (section.mode, section.duration * _confidence_or_one(section.mode_confidence))
        for section in sections
        if section.mode is not None
    ]
    total = fsum(weight for _, weight in weights)
    minor = fsum(weight for mode, weight in weights if mode != MAJOR)
    return _share(minor, total) if total > 0 else None


def _runs(sections: Iterable[Section]) -> list[_NumeralRun]:
    runs = []
    for name, group in groupby(sections, key=lambda section: section.numeral):
        parts = list(group)
        seconds = fsum(section.duration for section in parts)
        runs.append((name, min(1.0, fsum(section.weight for section in parts) / seconds)))
    return runs


def _windows(runs: Sequence[_NumeralRun]) -> Iterator[tuple[tuple[str, ...], tuple[float, ...]]]:
    for length in PROGRESSION_LENGTHS:
        for first in range(len(runs) - length + 1):
            window = runs[first : first + length]
            names = tuple(numeral for numeral, _ in window if numeral is not None)
            if len(names) == length:
                yield names, tuple(confidence for _, confidence in window)


def _share(part: float, total: float) -> float:
    return min(1.0, max(0.0, part / total))


def _confidence_or_one(confidence: float | None) -> float:
    return 1.0 if confidence is None else confidence
