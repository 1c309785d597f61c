"""The descriptors that are kept of a low-level document of Essentia's music extractor. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any, Final

from collector.datasets.acousticbrainz import value_at

SCHEMA: Final = "essentia-music-1"
"""The name of the descriptor set. Its meaning never changes."""

_STATISTICS: Final = ("mean", "var")
_BANDS: Final = {"barkbands": 27, "erbbands": 40, "melbands": 40}
_SHAPES: Final = ("crest", "flatness_db", "kurtosis", "skewness", "spread")
_SUMMARISED: Final = {
    "lowlevel.spectral_": "centroid complexity decrease energy energyband_high energyband_low"
    " energyband_middle_high energyband_middle_low entropy flux kurtosis rms rolloff skewness"
    " spread strongpeak",
    "lowlevel.": "dissonance hfc pitch_salience silence_rate_20dB silence_rate_30dB"
    " silence_rate_60dB zerocrossingrate",
    "rhythm.": "beats_loudness",
    "tonal.": "chords_strength hpcp_entropy",
}
"""The names of what has statistics, after the begin of their paths."""
_CEPSTRA: Final = {"mfcc": 13, "gfcc": 13}
_CONTRASTS: Final = {"spectral_contrast_coeffs": 6, "spectral_contrast_valleys": 6}
_SINGLE: Final = {
    "lowlevel.": "average_loudness dynamic_complexity",
    "rhythm.": "beats_count bpm danceability onset_rate",
    "tonal.": "chords_changes_rate chords_number_rate key_strength tuning_diatonic_strength"
    " tuning_equal_tempered_deviation tuning_frequency tuning_nontempered_energy_ratio",
}
_PEAKS: Final = tuple(
    f"rhythm.bpm_histogram_{place}_peak_{what}.mean"
    for place in ("first", "second")
    for what in ("bpm", "spread", "weight")
)


_MAX: Final = 3.4e38
"""The largest number that is stored: as a 32-bit float."""


def _joined(names_after: Mapping[str, str]) -> list[str]:
    return [begin + name for begin, names in names_after.items() for name in names.split()]


def _paths() -> Iterator[str]:
    yield from _joined(_SINGLE)
    yield from _PEAKS
    shapes = (f"lowlevel.{band}_{shape}" for band in _BANDS for shape in _SHAPES)
    for path in (*shapes, *_joined(_SUMMARISED)):
        yield from (f"{path}.{statistic}" for statistic in _STATISTICS)
    vectors = {
        **{f"lowlevel.{name}": size for name, size in {**_BANDS, **_CONTRASTS}.items()},
        "rhythm.beats_loudness_band_ratio": 6,
        "tonal.hpcp": 36,
    }
    for path, size in vectors.items():
        for statistic in _STATISTICS:
            yield from (f"{path}.{statistic}.{place}" for place in range(size))
    for name, size in _CEPSTRA.items():
        yield from (f"lowlevel.{name}.mean.{place}" for place in range(size))
        yield from (f"lowlevel.{name}.cov.{place}.{place}" for place in range(size))
    yield from (f"tonal.thpcp.{place}" for place in range(36))
    yield from (f"tonal.chords_histogram.{place}" for place in range(24))


COLUMNS: Final = tuple(_paths())
"""The places of the descriptors in a document, in their order; also their names."""


def _group(paths: Iterable[str]) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the places of numbers in each list of numbers, and in each part that is one."""
    groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for path in paths:
        steps = tuple(path.split("."))
        names = tuple(step for step in steps if not step.isdecimal())
        groups.setdefault(names, []).append(steps[len(names) :])
    return groups


_PLACES: Final = _group(COLUMNS)
"""The parts of a document in the order of `COLUMNS`, with the places of numbers in each."""


def descriptors(document: Any) -> list[float]:
    """Return the descriptors of a document in the order of `COLUMNS`; NaN for a missing one."""
    values = []
    for steps, places in _PLACES.items():
        part = value_at(document, steps)
        values += [_number(value_at(part, place) if place else part) for place in places]
    return values


def medians(rows: list[list[float]]) -> list[float]:
    """Return the median of each descriptor over several documents; NaN where none has it."""
    if len(rows) == 1:
        return rows[0]
    columns = (
        [value for value in column if not math.isnan(value)] for column in zip(*rows, strict=True)
    )
    return [median(values) if values else math.nan for values in columns]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if abs(value) <= _MAX else math.nan  # false for NaN and infinity
