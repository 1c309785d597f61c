"""Invented audio features: drawn per genre, alike within an artist."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from genrebase.store.tables import FEATURES
from sandbox.synthetic_genres import (
    CORRELATED_FEATURES,
    CORRELATIONS,
    GENRE_PROFILES,
    SyntheticGenreProfile,
)

Floats = NDArray[np.float64]

ARTIST_VARIANCE_SHARE: Final = 0.35
"""Of a track's deviation from its genre, how much all tracks of the artist have in common."""
SECOND_GENRE_WEIGHT: Final = 0.4
"""How far a track that is shown under a second genre leans towards it."""
OCTAVE_ERROR_SHARE: Final = 0.06
"""Share of tracks whose tempo was heard at half or double speed."""
FAILED_TEMPO_SHARE: Final = 0.0015
"""Share of tracks whose tempo was not found: it is 0 then, and so is what depends on it."""
_LINEAR: Final = ("loudness", "tempo")
_EXACT_ZERO: Final = 0.3
"""Share of the sung tracks whose instrumentalness is 0 to the last digit."""
_KEYS: Final = np.array([12, 10, 11, 4, 8, 9, 7, 11, 6, 9, 6, 7], dtype=float)
"""How frequent the keys are, C first: as on guitars and pianos, black keys are rarer."""
_TEMPI: Final = (40.0, 215.0)
_LOUDEST: Final = 1.3


def draw_features(
    random: Generator, genre: str, artists: Sequence[int], second: Sequence[str | None]
) -> list[tuple[str, ...]]:
    """Return the 12 features of each track, as text.

    `artists` numbers each track's artist; `second` names the other genre a track leans towards.
    """
    profile = GENRE_PROFILES[genre]
    own = np.array(artists)
    deviation = _correlated(random, own.max() + 1)[own] * ARTIST_VARIANCE_SHARE**0.5
    deviation += _correlated(random, len(own)) * (1 - ARTIST_VARIANCE_SHARE) ** 0.5
    centre, spread, instrumental = _blended(profile, second)
    shaped = dict(zip(CORRELATED_FEATURES, (centre + spread * deviation).T, strict=True))
    values = {
        name: column if name in _LINEAR else _from_log_odds(column)
        for name, column in shaped.items()
    }
    values["loudness"] = np.minimum(values["loudness"], _LOUDEST)
    values["tempo"] = _misheard(random, values["tempo"])
    values["instrumentalness"] = _instrumentalness(random, instrumental)
    values["key"] = random.choice(12, len(own), p=_KEYS / _KEYS.sum()).astype(float)
    values["mode"] = (random.random(len(own)) < profile.major).astype(float)
    values["time_signature"] = _time_signature(random, len(own), profile.three_four)
    failed = random.random(len(own)) < FAILED_TEMPO_SHARE
    for name in ("tempo", "danceability", "valence", "speechiness", "time_signature"):
        values[name][failed] = 0.0
    texts = [[_TEXT.get(name, "{:.4g}").format(x) for x in values[name]] for name in FEATURES]
    return list(zip(*texts, strict=True))


_TEXT: Final = {
    "key": "{:.0f}",
    "mode": "{:.0f}",
    "time_signature": "{:.0f}",
    "loudness": "{:.3f}",
    "tempo": "{:.3f}",
}


def _correlated(random: Generator, n: int) -> Floats:
    correlation = np.eye(len(CORRELATED_FEATURES))
    for (one, other), value in CORRELATIONS.items():
        at, to = CORRELATED_FEATURES.index(one), CORRELATED_FEATURES.index(other)
        correlation[at, to] = correlation[to, at] = value
    return (
        random.standard_normal((n, len(CORRELATED_FEATURES))) @ np.linalg.cholesky(correlation).T
    )


def _blended(
    profile: SyntheticGenreProfile, second: Sequence[str | None]
) -> tuple[Floats, Floats, Floats]:
    """Return centre and spread per track and feature, and the chance to be instrumental."""
    genres = {name: profile if name is None else GENRE_PROFILES[name] for name in set(second)}
    mixed = {
        name: (
            (1 - SECOND_GENRE_WEIGHT) * _in_log_odds(profile.centre)
            + SECOND_GENRE_WEIGHT * _in_log_odds(other.centre),
            np.array(profile.spread),
            (1 - SECOND_GENRE_WEIGHT) * profile.instrumental
            + SECOND_GENRE_WEIGHT * other.instrumental,
        )
        for name, other in genres.items()
    }
    centres, spreads, shares = zip(*(mixed[name] for name in second), strict=True)
    return np.array(centres), np.array(spreads), np.array(shares)


def _in_log_odds(centre: Sequence[float]) -> Floats:
    return np.array(
        [
            value if name in _LINEAR else np.log(value / (1 - value))
            for name, value in zip(CORRELATED_FEATURES, centre, strict=True)
        ]
    )


def _from_log_odds(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))


def _instrumentalness(random: Generator, share: Floats) -> Floats:
    """Draw a spike at and near 0, and a hill near 0.85."""
    n = len(share)
    voice = 10.0 ** random.uniform(-6, -1.3, n) * (random.random(n) >= _EXACT_ZERO)
    without_voice = _from_log_odds(1.7 + 0.7 * random.standard_normal(n))
    return np.where(random.random(n) < share, without_voice, voice)


def _misheard(random: Generator, tempo: Floats) -> Floats:
    heard = tempo.copy()
    wrong = random.random(len(tempo)) < OCTAVE_ERROR_SHARE
    heard[wrong] *= np.where(heard[wrong] > 110, 0.5, 2.0)
    return np.clip(heard, *_TEMPI)


def _time_signature(random: Generator, n: int, three_four: float) -> Floats:
    rare = 0.012
    shares = [0.7 * rare, three_four, 1 - three_four - 2 * rare, 1.3 * rare]
    return random.choice([1.0, 3.0, 4.0, 5.0], n, p=shares)
