"""Parse names of keys, modes and meters: `C#`, `A Minor`, `8B`, `4/4`. Pure."""

import re
from functools import lru_cache
from typing import Final, NamedTuple


class MusicalKey(NamedTuple):
    """A key: its pitch class (0 = C … 11 = B) and its mode (1 major, 0 minor), if given."""

    pitch: int
    mode: int | None = None


_MODE_NAMES: Final = {
    1: "major maj dur majeur mayor true",
    0: "minor min moll mineur menor false",
}
_MODES: Final = {name: mode for mode, names in _MODE_NAMES.items() for name in names.split()}
_LETTERS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_SHIFTS: Final = {
    **dict.fromkeys(("#", "♯", "sharp", "is"), 1),
    **dict.fromkeys(("b", "♭", "flat", "es"), -1),
}
_GERMAN_FLATS: Final = {"es": 3, "as": 8}
_GERMAN_B: Final = 10
_NOTE: Final = re.compile(r"([a-h])[\s-]?(♯|#|sharp|♭|b|flat|is|es)?")
_NOTE_NAME: Final = r"(?:es|as)(?![a-z])|[a-h](?:[\s-]?(?:♯|#|sharp|♭|b|flat|is|es))?"
_KEY: Final = re.compile(
    rf"(?P<note>{_NOTE_NAME})(?:\s?/\s?(?P<other>{_NOTE_NAME}))?(?:[\s_-]?(?P<mode>[a-z]+))?"
)
_WHEEL: Final = re.compile(r"(1[0-2]|0?[1-9])\s?([abdm])")
_METER: Final = re.compile(r"(\d{1,2})\s?/\s?(1|2|4|8|16)")


@lru_cache(maxsize=1_024)
def parse_key(cell: str, *, is_german: bool = False) -> MusicalKey | None:
    """Return the key of a name, None for other text and for numbers.

    It may be a note (`C#`, `D♭`, `C♯/D♭`), one with a mode (`A Minor`, `F#m`), or a position on
    the Camelot or Open Key wheel (`8B`, `1d`). In German, H is B and B is B flat.
    """
    text = cell.strip()
    wheel = _WHEEL.fullmatch(text.casefold())
    if wheel is not None:
        return _wheel_key(int(wheel[1]), wheel[2])
    match = _KEY.fullmatch(text.casefold())
    if match is None:
        return None
    pitch = _pitch(match["note"], is_german=is_german)
    other = match["other"]
    if pitch is None or (other is not None and _pitch(other, is_german=is_german) != pitch):
        return None
    word = match["mode"]
    if word is None:
        return MusicalKey(pitch)
    if word == "m":
        return MusicalKey(pitch, int(text.endswith("M")))
    return None if word not in _MODES else MusicalKey(pitch, _MODES[word])


def parse_pitch(cell: str, *, is_german: bool = False) -> float | None:
    """Return the pitch class of a key's name, None if the cell is no name."""
    key = parse_key(cell, is_german=is_german)
    return None if key is None else float(key.pitch)


def parse_mode_of_key(cell: str) -> float | None:
    """Return the mode that a key's name contains, None if it contains none."""
    key = parse_key(cell)
    return None if key is None or key.mode is None else float(key.mode)


def parse_mode(cell: str) -> float | None:
    """Return 1 for major and 0 for minor, in English, German, French or Spanish."""
    value = _MODES.get(cell.strip().casefold())
    return None if value is None else float(value)


def parse_meter(cell: str) -> float | None:
    """Return the beats per bar of a meter such as `4/4`, None for other text."""
    match = _METER.fullmatch(cell.strip())
    return None if match is None else float(match[1])


def _pitch(note: str, *, is_german: bool) -> int | None:
    if note in _GERMAN_FLATS:
        return _GERMAN_FLATS[note]
    match = _NOTE.fullmatch(note)
    if match is None:
        return None
    if is_german and note == "b":
        return _GERMAN_B
    return (_LETTERS[match[1]] + _SHIFTS.get(match[2], 0)) % 12


def _wheel_key(position: int, letter: str) -> MusicalKey:
    """Return a key of the wheel of fifths: 8B and 1d are C major, 8A and 1m are A minor."""
    steps = position - (8 if letter in "ab" else 1)
    is_major = letter in "bd"
    return MusicalKey((steps * 7 + (0 if is_major else 9)) % 12, int(is_major))
