"""Parse AcousticBrainz' numbers: rows of its CSV dumps, and Essentia's low-level documents. Pure.

What is missing, unreadable or out of range is None. The classifiers' guesses in high-level
documents (genre, mood, danceability) are no measurements and are not parsed.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from collector.acousticbrainz_submissions import Submission, parse_key
from genrebase.store.tables import SUBMISSION_RANGES

MBID_COLUMN: Final = "mbid"
OFFSET_COLUMN: Final = "submission_offset"

_LIMITS: Final = {
    name: bounds for numbers in SUBMISSION_RANGES.values() for name, bounds in numbers.items()
}
_KEY_COLUMN, _SCALE_COLUMN = "key_key", "key_scale"

_PATHS: Final = {
    "average_loudness": ("lowlevel.average_loudness",),
    "dynamic_complexity": ("lowlevel.dynamic_complexity",),
    "mfcc_zero_mean": ("lowlevel.mfcc.mean.0",),
    "bpm": ("rhythm.bpm",),
    "bpm_first_peak": (
        "rhythm.bpm_histogram_first_peak_bpm.mean",
        "rhythm.bpm_histogram_first_peak_bpm",
    ),
    "bpm_second_peak": (
        "rhythm.bpm_histogram_second_peak_bpm.mean",
        "rhythm.bpm_histogram_second_peak_bpm",
    ),
    "danceability": ("rhythm.danceability",),
    "onset_rate": ("rhythm.onset_rate",),
    "tuning_frequency": ("tonal.tuning_frequency",),
    "tuning_deviation": ("tonal.tuning_equal_tempered_deviation",),
    "key_strength": ("tonal.key_strength", "tonal.key_edma.strength"),
}
"""Where a document has each number; the second place is that of newer extractors."""
_NOT_IN_DUMPS: Final = "key_strength"
_CSV_COLUMNS: Final = {
    "bpm_first_peak": "bpm_histogram_first_peak_bpm_median",
    "bpm_second_peak": "bpm_histogram_second_peak_bpm_median",
    "tuning_deviation": "tuning_equal_tempered_deviation",
}
_CSV_NUMBERS: Final = {
    _CSV_COLUMNS.get(name, name): name for name in _PATHS if name != _NOT_IN_DUMPS
}
"""The dumps' columns of numbers. Mean and median of a peak are the same single number."""
_KEYS: Final = (
    ("tonal.key_key", "tonal.key_scale"),
    ("tonal.key_edma.key", "tonal.key_edma.scale"),
)

_NOT_IN_API: Final = "mfcc_zero_mean"
API_FEATURES: Final = tuple(
    sorted([*_KEYS[0], *(paths[0] for name, paths in _PATHS.items() if name != _NOT_IN_API)])
)
"""The features of a document that the API returns by name; it has no MFCC."""


class CsvColumns:
    """The columns of one CSV dump: lowlevel, rhythm or tonal."""

    def __init__(self, header: Sequence[str]) -> None:
        """Find the columns by their names; `numbers` is empty in another table's header."""
        names = [name.strip() for name in header]
        place = {name: position for position, name in enumerate(names)}
        self.mbid, self.offset = place.get(MBID_COLUMN), place.get(OFFSET_COLUMN)
        self._key, self._scale = place.get(_KEY_COLUMN), place.get(_SCALE_COLUMN)
        self.numbers = tuple(
            (_CSV_NUMBERS[name], position, *_LIMITS[_CSV_NUMBERS[name]])
            for name, position in place.items()
            if name in _CSV_NUMBERS
        )
        """Field, position, lowest and highest value of each number."""

    def parse(self, row: Sequence[str]) -> Submission:
        """Return the numbers of a row; positions that a short row lacks are missing."""
        values: dict[str, Any] = {}
        for name, position, low, high in self.numbers:
            if position < len(row) and row[position]:
                values[name] = _in_range(row[position], low, high)
        if self._key is not None and self._scale is not None and self._scale < len(row):
            values["key"], values["mode"] = parse_key(row[self._key], row[self._scale])
        return Submission(**values)


def parse_document(document: Any) -> Submission:
    """Return the numbers of a low-level document, or of the part that the API returned."""
    values: dict[str, Any] = {}
    for name, paths in _PATHS.items():
        found = (_in_range(value_at(document, path.split(".")), *_LIMITS[name]) for path in paths)
        values[name] = next((value for value in found if value is not None), None)
    for key, scale in _KEYS:
        pitch_class, mode = parse_key(
            *(value_at(document, path.split(".")) for path in (key, scale))
        )
        if pitch_class is not None:
            return Submission(**values, key=pitch_class, mode=mode)
    return Submission(**values)


def value_at(document: Any, path: Sequence[str]) -> Any:
    """Return the value at a path such as `lowlevel`, `mfcc`, `mean`, `0`; None: absent."""
    value = document
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _in_range(value: Any, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and low <= number <= high else None
