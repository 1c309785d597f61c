"""What a provider's audio features say, and what they say was not found. Pure."""

import math
from collections.abc import Mapping
from typing import Any, Final

from collector.records import AudioFeatures
from genrebase.store.tables import CATEGORICAL_FEATURES, FEATURE_RANGES, FEATURES

_HANG_ON_THE_BEAT: Final = ("time_signature", "danceability", "valence")
_LONGEST_NUMBER: Final = 32
"""Characters of a number written as text, at most."""


def parse_audio_features(raw: Any) -> AudioFeatures | None:
    """Return the features in `raw`, a JSON object; None where it holds none at all.

    What is missing, unreadable or out of its range was not found: key -1, mode -1, tempo 0, time
    signature 0. A tempo of 0 is a failed analysis: time signature, danceability and valence were
    not found then either, nor speechiness if it is 0.
    """
    if not isinstance(raw, Mapping):
        return None
    values = {name: _value(name, raw.get(name)) for name in FEATURES}
    if parse_number(raw.get("tempo")) == 0:
        values |= dict.fromkeys(_HANG_ON_THE_BEAT)
        values["speechiness"] = values["speechiness"] or None
    if all(value is None for value in values.values()):
        return None
    return AudioFeatures(**values)


def _value(name: str, value: Any) -> Any:
    low, high = FEATURE_RANGES[name]
    return (
        integer_in_range(value, low, high)
        if name in CATEGORICAL_FEATURES
        else number_in_range(value, low, high)
    )


def number_in_range(value: Any, low: float, high: float) -> float | None:
    """Return a number that lies between two others (inclusive), None for anything else."""
    found = parse_number(value)
    return None if found is None or not low <= found <= high else found


def integer_in_range(value: Any, low: float, high: float) -> int | None:
    """Return a whole number that lies between two others (inclusive), None for anything else."""
    found = number_in_range(value, low, high)
    return None if found is None or found != int(found) else int(found)


def parse_number(value: Any) -> float | None:
    """Return a finite number, also one written as text; None for anything else."""
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
