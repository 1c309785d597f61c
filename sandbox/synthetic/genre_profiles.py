"""Audio profiles of the synthetic genres: round numbers typical of the real genres."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CORRELATED_FEATURES: Final = (
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "liveness",
    "valence",
    "tempo",
)
"""The features drawn jointly; the others are drawn independently."""

CORRELATIONS: Final[Mapping[tuple[str, str], float]] = {
    ("energy", "loudness"): 0.65,
    ("energy", "acousticness"): -0.55,
    ("loudness", "acousticness"): -0.40,
    ("danceability", "valence"): 0.40,
    ("danceability", "speechiness"): 0.20,
    ("energy", "valence"): 0.20,
    ("energy", "tempo"): 0.15,
    ("danceability", "tempo"): -0.15,
    ("energy", "liveness"): 0.10,
}
"""Correlations of features within one genre; those not named are 0."""


@dataclass(frozen=True, slots=True)
class SyntheticGenreProfile:
    """Distributions of one genre."""

    centre: tuple[float, ...]
    """Median of each correlated feature; loudness in dB, tempo in beats per minute."""
    spread: tuple[float, ...]
    """Standard deviations: of log-odds; of dB and beats per minute for loudness and tempo."""
    instrumental: float
    """Share of tracks without vocals; the instrumentalness of the others is at or near 0."""
    major: float
    """Share of tracks in a major key."""
    three_four: float
    """Share of tracks in three-four time."""
    explicit: float
    """Share of tracks with explicit lyrics."""
    featured: float
    """Share of tracks with a second credited artist."""
    minutes: float
    """Median duration."""
    years: tuple[float, float]
    """Mean and standard deviation of the middle year of an artist's career."""
    shared: Mapping[str, float]
    """Share of tracks also listed under another genre."""


# centre, spread; instrumental, major, three_four, explicit, featured, minutes; years; shared
GENRE_PROFILES: Final[Mapping[str, SyntheticGenreProfile]] = {
    "rap": SyntheticGenreProfile(
        (0.72, 0.65, -6.3, 0.150, 0.12, 0.14, 0.46, 118),
        (0.51, 0.58, 1.72, 0.74, 1.17, 0.66, 0.78, 21.06),
        *(0.02, 0.54, 0.04, 0.58, 0.34, 3.3),
        (2012, 8),
        {"r&b": 0.14, "funk": 0.03, "electronic": 0.02},
    ),
    "rock": SyntheticGenreProfile(
        (0.54, 0.72, -7.0, 0.040, 0.10, 0.14, 0.55, 124),
        (0.47, 0.74, 2.26, 0.35, 1.48, 0.62, 0.78, 21.84),
        *(0.05, 0.72, 0.07, 0.05, 0.04, 3.8),
        (1991, 16),
        {"metal": 0.10, "blues": 0.08, "electronic": 0.02},
    ),
    "metal": SyntheticGenreProfile(
        (0.46, 0.88, -5.5, 0.062, 0.006, 0.16, 0.40, 126),
        (0.43, 0.78, 1.72, 0.43, 1.72, 0.66, 0.74, 22.62),
        *(0.11, 0.60, 0.06, 0.13, 0.05, 4.3),
        (2001, 11),
        {"rock": 0.14},
    ),
    "blues": SyntheticGenreProfile(
        (0.55, 0.58, -8.9, 0.045, 0.33, 0.15, 0.60, 118),
        (0.51, 0.74, 2.81, 0.35, 1.48, 0.66, 0.82, 23.4),
        *(0.08, 0.70, 0.12, 0.02, 0.07, 3.9),
        (1979, 19),
        {"rock": 0.09, "jazz": 0.06, "r&b": 0.04, "funk": 0.03},
    ),
    "jazz": SyntheticGenreProfile(
        (0.54, 0.35, -12.2, 0.045, 0.72, 0.13, 0.48, 111),
        (0.55, 0.78, 3.51, 0.39, 1.33, 0.51, 0.9, 23.4),
        *(0.40, 0.62, 0.13, 0.01, 0.13, 4.4),
        (1975, 20),
        {"blues": 0.05, "funk": 0.05, "classical": 0.03, "electronic": 0.02},
    ),
    "classical": SyntheticGenreProfile(
        (0.34, 0.12, -21.5, 0.042, 0.96, 0.11, 0.28, 104),
        (0.55, 0.94, 4.68, 0.2, 0.86, 0.39, 1.01, 23.4),
        *(0.78, 0.70, 0.22, 0.00, 0.12, 4.1),
        (2002, 13),
        {"jazz": 0.03},
    ),
    "funk": SyntheticGenreProfile(
        (0.71, 0.69, -7.2, 0.070, 0.14, 0.14, 0.69, 113),
        (0.51, 0.62, 2.42, 0.58, 1.25, 0.66, 0.74, 16.38),
        *(0.07, 0.56, 0.04, 0.12, 0.15, 4.2),
        (1983, 13),
        {"r&b": 0.13, "jazz": 0.05, "rap": 0.03, "blues": 0.02},
    ),
    "techno": SyntheticGenreProfile(
        (0.71, 0.78, -8.3, 0.055, 0.025, 0.12, 0.27, 129),
        (0.43, 0.66, 2.03, 0.35, 1.4, 0.47, 0.98, 7.02),
        *(0.66, 0.53, 0.01, 0.02, 0.10, 5.6),
        (2011, 9),
        {"electronic": 0.20},
    ),
    "electronic": SyntheticGenreProfile(
        (0.65, 0.70, -7.2, 0.058, 0.08, 0.14, 0.37, 122),
        (0.51, 0.7, 2.34, 0.47, 1.48, 0.66, 0.86, 15.6),
        *(0.36, 0.54, 0.03, 0.08, 0.22, 3.8),
        (2013, 8),
        {"techno": 0.14, "r&b": 0.03, "rap": 0.02},
    ),
    "r&b": SyntheticGenreProfile(
        (0.65, 0.58, -7.3, 0.075, 0.20, 0.13, 0.50, 112),
        (0.51, 0.58, 2.03, 0.62, 1.17, 0.58, 0.78, 22.62),
        *(0.02, 0.52, 0.07, 0.27, 0.24, 3.7),
        (2007, 12),
        {"rap": 0.13, "funk": 0.10, "blues": 0.02},
    ),
}
