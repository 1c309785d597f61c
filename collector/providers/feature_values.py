"""Parse audio features from JSON: range checks, placeholders for missing values. Pure."""

import math
from collections.abc import Mapping
from typing import Any, Final

from collector.records import AudioFeatures
from genrebase.store.tables import CATEGORICAL_FEATURES, FEATURE_RANGES, FEATURES

_TEMPO_DEPENDENT: Final = ("time_signature", "danceability", "valence")
_MAX_NUMBER_LENGTH: Final = 32
"""Characters of a number written as text."""


def parse_audio_features(raw: Any) -> AudioFeatures | None:
    """Return the features in `raw`, a JSON object; None where it holds none at all.

    Missing, unreadable and out-of-range values are None, placeholders included: key -1, mode -1,
    tempo 0, time signature 0. A tempo of 0 means a failed analysis: then time signature,
    danceability and valence are None, too, and speechiness if it is 0.
    """
    if not isinstance(raw, Mapping):
        return None
    values = {name: _value(name, raw.get(name)) for name in FEATURES}
    if parse_number(raw.get("tempo")) == 0:
        values |= dict.fromkeys(_TEMPO_DEPENDENT)
        values["speechiness"] = values["speechiness"] or None
    if all(value is None for value in values.values()):
        return None
    return AudioFeatures(**values)


def _value(name: str, value: Any) -> Any:
    parse = integer_in_range if name in CATEGORICAL_FEATURES else number_in_range
    return parse(value, *FEATURE_RANGES[name])


def number_in_range(value: Any, low: float, high: float) -> float | None:
    """Return a number between `low` and `high` (inclusive), None for anything else."""
    number = parse_number(value)
    return None if number is None or not low <= number <= high else number


def integer_in_range(value: Any, low: float, high: float) -> int | None:
    """Return an integer between `low` and `high` (inclusive), None for anything else."""
    number = number_in_range(value, low, high)
    return None if number is None or number != int(number) else int(number)


def parse_number(value: Any) -> float | None:
    """Return a finite number, also from text; None for anything else."""
    if isinstance(value, str) and len(value) > _MAX_NUMBER_LENGTH:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
