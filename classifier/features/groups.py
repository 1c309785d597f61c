"""Which columns of the views each feature group reads."""

from collections.abc import Sequence
from typing import Final

from classifier.features import audio

TEXT: Final = ("title", "album", "artists")
HISTORY: Final = ("artists", "album")

NUMERIC: Final = tuple(audio.COLUMNS)
"""Groups that are numbers: what every estimator can look at."""

COLUMNS: Final = {**audio.COLUMNS, "text": TEXT, "history": HISTORY}


def numeric(features: Sequence[str]) -> tuple[str, ...]:
    """Return those of the groups that are numbers."""
    return tuple(group for group in features if group in NUMERIC)


def columns(features: Sequence[str]) -> list[str]:
    """Return the columns that the groups read, each once."""
    return list(dict.fromkeys(name for group in features for name in COLUMNS[group]))


def numbers(features: Sequence[str]) -> list[str]:
    """Return the columns that the numeric ones of the groups read."""
    return columns(numeric(features))
