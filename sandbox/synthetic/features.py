"""Random audio features: correlated, drawn per genre, similar within an artist."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from genrebase.store.tables import FEATURES
from sandbox.synthetic.genre_profiles import (
    CORRELATED_FEATURES,
    CORRELATIONS,
    GENRE_PROFILES,
    SyntheticGenreProfile,
)

Floats = NDArray[np.float64]

ARTIST_VARIANCE_SHARE: Final = 0.35
"""Share of a track's deviation from its genre that all tracks of the artist have in common."""
SECOND_GENRE_WEIGHT: Final = 0.4
"""Weight of the second genre in the features of a track that is listed under two."""
OCTAVE_ERROR_SHARE: Final = 0.06
"""Share of tracks whose tempo is detected at half or double speed."""
FAILED_TEMPO_SHARE: Final = 0.0015
"""Share of tracks whose tempo is not detected: it is 0 then, and so is what depends on it."""
_LINEAR: Final = ("loudness", "tempo")
_EXACT_ZERO_SHARE: Final = 0.3
"""Share of vocal tracks whose instrumentalness is exactly 0."""
_KEY_WEIGHTS: Final = np.array([12, 10, 11, 4, 8, 9, 7, 11, 6, 9, 6, 7], dtype=float)
"""How frequent the keys are, C first: as on guitars and pianos, black keys are rarer."""
_TEMPO_RANGE: Final = (40.0, 215.0)
_MAX_LOUDNESS: Final = 1.3
_FORMATS: Final = {
    "key": "{:.0f}",
    "mode": "{:.0f}",
    "time_signature": "{:.0f}",
    "loudness": "{:.3f}",
    "tempo": "{:.3f}",
}


def draw_features(
    random: Generator,
    genre: str,
    artists: Sequence[int],
    second_genres: Sequence[str | None],
) -> list[tuple[str, ...]]:
    """Return the 12 features of each track, as text.

    `artists` holds each track's artist number; `second_genres` the other genre it is blended with.
    """
    profile = GENRE_PROFILES[genre]
    artist_of = np.array(artists)
    n = len(artist_of)
    deviation = _correlated(random, artist_of.max() + 1)[artist_of] * ARTIST_VARIANCE_SHARE**0.5
    deviation += _correlated(random, n) * (1 - ARTIST_VARIANCE_SHARE) ** 0.5
    centre, spread, instrumental = _blend(profile, second_genres)
    correlated = dict(zip(CORRELATED_FEATURES, (centre + spread * deviation).T, strict=True))
    values = {
        name: column if name in _LINEAR else _sigmoid(column)
        for name, column in correlated.items()
    }
    values["loudness"] = np.minimum(values["loudness"], _MAX_LOUDNESS)
    values["tempo"] = _with_octave_errors(random, values["tempo"])
    values["instrumentalness"] = _instrumentalness(random, instrumental)
    values["key"] = random.choice(12, n, p=_KEY_WEIGHTS / _KEY_WEIGHTS.sum()).astype(float)
    values["mode"] = (random.random(n) < profile.major).astype(float)
    values["time_signature"] = _time_signature(random, n, profile.three_four)
    failed = random.random(n) < FAILED_TEMPO_SHARE
    for name in ("tempo", "danceability", "valence", "speechiness", "time_signature"):
        values[name][failed] = 0.0
    texts = [[_FORMATS.get(name, "{:.4g}").format(x) for x in values[name]] for name in FEATURES]
    return list(zip(*texts, strict=True))


def _correlated(random: Generator, n: int) -> Floats:
    correlation = np.eye(len(CORRELATED_FEATURES))
    for (one, other), value in CORRELATIONS.items():
        i, j = CORRELATED_FEATURES.index(one), CORRELATED_FEATURES.index(other)
        correlation[i, j] = correlation[j, i] = value
    normal = random.standard_normal((n, len(CORRELATED_FEATURES)))
    return normal @ np.linalg.cholesky(correlation).T


def _blend(
    profile: SyntheticGenreProfile, second_genres: Sequence[str | None]
) -> tuple[Floats, Floats, Floats]:
    """Return centre and spread per track and feature, and the chance to be instrumental."""
    blends = {}
    for name in set(second_genres):
        other = profile if name is None else GENRE_PROFILES[name]
        blends[name] = (
            (1 - SECOND_GENRE_WEIGHT) * _log_odds(profile.centre)
            + SECOND_GENRE_WEIGHT * _log_odds(other.centre),
            np.array(profile.spread),
            (1 - SECOND_GENRE_WEIGHT) * profile.instrumental
            + SECOND_GENRE_WEIGHT * other.instrumental,
        )
    centres, spreads, shares = zip(*(blends[name] for name in second_genres), strict=True)
    return np.array(centres), np.array(spreads), np.array(shares)


def _log_odds(centre: Sequence[float]) -> Floats:
    return np.array(
        [
            value if name in _LINEAR else np.log(value / (1 - value))
            for name, value in zip(CORRELATED_FEATURES, centre, strict=True)
        ]
    )


def _sigmoid(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))


def _instrumentalness(random: Generator, share: Floats) -> Floats:
    """Draw a bimodal distribution: a spike at and near 0, and a peak near 0.85."""
    n = len(share)
    vocal = 10.0 ** random.uniform(-6, -1.3, n) * (random.random(n) >= _EXACT_ZERO_SHARE)
    instrumental = _sigmoid(1.7 + 0.7 * random.standard_normal(n))
    return np.where(random.random(n) < share, instrumental, vocal)


def _with_octave_errors(random: Generator, tempo: Floats) -> Floats:
    detected = tempo.copy()
    wrong = random.random(len(tempo)) < OCTAVE_ERROR_SHARE
    detected[wrong] *= np.where(detected[wrong] > 110, 0.5, 2.0)
    return np.clip(detected, *_TEMPO_RANGE)


def _time_signature(random: Generator, n: int, three_four: float) -> Floats:
    rare = 0.012
    shares = [0.7 * rare, three_four, 1 - three_four - 2 * rare, 1.3 * rare]
    return random.choice([1.0, 3.0, 4.0, 5.0], n, p=shares)
