"""Submissions to AcousticBrainz: several analyses of one recording, summarised. Pure.

Submissions differ because other files and other versions were analysed. Of numbers the lower
median is kept, which is a value that was measured (between 60 and 120 BPM there is no tempo); of
keys the commonest. A summary does not depend on the order of submissions, nor on the order in
which sources deliver them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any, Final

from genrebase.store.tables import SUBMISSION_RANGES

_NATURALS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "b": -1}
_PITCH_CLASSES: Final = {
    natural + accidental: (pitch_class + shift) % 12
    for natural, pitch_class in _NATURALS.items()
    for accidental, shift in _ACCIDENTALS.items()
}
_MODES: Final = {"major": 1, "minor": 0}
_KEY_COLUMNS: Final = ("key", "mode", "key_share")
_KEY_GROUP: Final = "tonal"
_NO_MODE: Final = -1

GROUP_COLUMNS: Final = {
    group: (
        *(column for name in numbers for column in (name, f"{name}_range")),
        *(_KEY_COLUMNS if group == _KEY_GROUP else ()),
    )
    for group, numbers in SUBMISSION_RANGES.items()
}
"""The columns of `acousticbrainz_recording` that each group of numbers fills."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The numbers of one submission; None where it has none."""

    average_loudness: float | None = None
    """0..1, no dB."""
    dynamic_complexity: float | None = None
    """Mean deviation from the average loudness, dB."""
    mfcc_zero_mean: float | None = None
    """Mean of the first cepstral coefficient."""
    bpm: float | None = None
    bpm_first_peak: float | None = None
    """The highest peak of the histogram of tempos, BPM."""
    bpm_second_peak: float | None = None
    danceability: float | None = None
    """By detrended fluctuation analysis, 0 to about 3."""
    onset_rate: float | None = None
    """Onsets per second."""
    tuning_frequency: float | None = None
    """Hz of the tone A."""
    tuning_deviation: float | None = None
    """From equal temperament, 0..0.5 or so."""
    key_strength: float | None = None
    """How well the key's profile fits, up to 1."""
    key: int | None = None
    """Pitch class, 0 = C … 11 = B."""
    mode: int | None = None
    """1 major, 0 minor."""


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """The numbers of one group, over the submissions that have any of them."""

    submissions: int = 0
    values: tuple[float | None, ...] = ()
    """In the order of `GROUP_COLUMNS`."""


RecordingSummary = Mapping[str, GroupSummary]
"""The numbers of one recording over its submissions, by group."""


@dataclass(frozen=True, slots=True)
class RecordingSubmissions:
    """The submissions of one recording, as a source delivers them."""

    recording_id: str
    """An MBID, or `md5:…` of the audio."""
    submissions: tuple[Submission, ...]


def merged(one: RecordingSummary, other: RecordingSummary) -> dict[str, GroupSummary]:
    """Return the preferred summary of each group of one recording."""
    preferred = dict(one)
    for group, summary in other.items():
        preferred[group] = max(one.get(group, GroupSummary()), summary, key=_preference)
    return preferred


def _preference(summary: GroupSummary) -> tuple[Any, ...]:
    """Return the sort key of summaries of the same recording, of which the largest is kept.

    That is the one of more submissions; of equally many that of larger values, so that the order
    of arrival does not matter.
    """
    return summary.submissions, tuple((one is not None, one or 0.0) for one in summary.values)


def parse_key(key: Any, scale: Any) -> tuple[int | None, int | None]:
    """Return pitch class and mode of a key like `A#` and a scale like `minor`; None: unreadable.

    A mode without a key has no meaning.
    """
    pitch_class = _PITCH_CLASSES.get(key.strip()) if isinstance(key, str) else None
    if pitch_class is None:
        return None, None
    return pitch_class, _MODES.get(scale.strip().lower()) if isinstance(scale, str) else None


def summarise(submissions: Iterable[Submission]) -> dict[str, GroupSummary]:
    """Summarise the submissions of one recording; groups without a number are left out."""
    items = list(submissions)
    groups = {}
    for group, numbers in SUBMISSION_RANGES.items():
        count = 0
        for one in items:
            has_key = group == _KEY_GROUP and one.key is not None
            count += has_key or any(getattr(one, name) is not None for name in numbers)
        if count:
            values: list[float | None] = []
            for name in numbers:
                values += _median_and_range([getattr(one, name) for one in items])
            if group == _KEY_GROUP:
                values += _commonest_key(items)
            groups[group] = GroupSummary(count, tuple(values))
    return groups


def _median_and_range(values: Iterable[float | None]) -> tuple[float | None, float | None]:
    present = [value for value in values if value is not None]
    if not present:
        return None, None
    if len(present) == 1:
        return present[0], None
    return median_low(present), max(present) - min(present)


def _commonest_key(submissions: Sequence[Submission]) -> tuple[float | None, ...]:
    """Return key, mode and the share of submissions that agree; of several the lowest key."""
    keys = Counter(
        (one.key, _NO_MODE if one.mode is None else one.mode)
        for one in submissions
        if one.key is not None
    )
    if not keys:
        return None, None, None
    (key, mode), times = min(keys.items(), key=lambda item: (-item[1], item[0]))
    return key, None if mode == _NO_MODE else mode, times / keys.total()
