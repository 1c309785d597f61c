"""Parse names of numeric columns into field and unit: `Tempo (BPM)`, `length_s`. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from collector.datasets.parsing import number_cells

DURATION: Final = "duration"
POPULARITY: Final = "popularity"

_NAMES: Final = {
    "danceability": "danceability dancability dance dnce",
    "energy": "energy nrgy",
    "key": "key keyname musicalkey keysignature initialkey camelot camelotkey tonart tonalité",
    "loudness": "loudness loud db",
    "mode": "mode modename musicalmode keymode keyscale scale",
    "speechiness": "speechiness speech spch",
    "acousticness": "acousticness acoustic acous",
    "instrumentalness": "instrumentalness instrumental",
    "liveness": "liveness live",
    "valence": "valence val",
    "tempo": "tempo bpm beatsperminute",
    "time_signature": "timesignature timesig meter metre",
    DURATION: "duration length lengthduration playtime dur dauer spieldauer time durée duración"
    " duração durata länge",
    POPULARITY: "popularity pop beliebtheit popularität popularité popularidad popularidade",
}
"""The names of each field, letters only, the most certain first."""
FEATURE_FIELDS: Final = tuple(_NAMES)
_FIELDS: Final = {name: field for field, names in _NAMES.items() for name in names.split()}
_SHORT: Final = frozenset(
    (
        *("dance", "dnce", "nrgy", "loud", "db", "speech", "spch", "acoustic", "acous"),
        *("instrumental", "live", "val", "dur", "pop", "time"),
    )
)
"""Ambiguous names: flags and genres have them, too."""

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD: Final = re.compile(r"[^\W\d_]+|%")
_PREFIXES: Final = frozenset(
    ("track", "song", "audio", "spotify", "feature", "features", "item", "items", "media")
)
_FILLERS: Final = frozenset(("in", "of", "the", "hh", "mm", "ss"))
_COMPACT_UNITS: Final = ("ms", "seconds", "sec", "minutes", "min", "bpm", "db")
_UNIT_ORDER: Final[dict[str | None, int]] = {"ms": 0, None: 2}
"""Milliseconds are preferred; names without a unit come last."""


class FeatureHeader(NamedTuple):
    """The parsed name of a column."""

    field: str
    """One of the features, `duration` or `popularity`."""
    unit: str | None = None
    """`ms`, `s`, `min`, `percent`, `bpm` or `db`, if the name contains one."""
    is_short: bool = False
    """Whether columns of another kind can have this name, too."""


class FeatureColumn(NamedTuple):
    """The column of a field."""

    position: int
    unit: str | None


@lru_cache(maxsize=4_096)
def parse_header(name: str) -> FeatureHeader | None:
    """Return the field and unit of a column's name, None for other names."""
    composed = unicodedata.normalize("NFC", name)
    words = _WORD.findall(_CAMEL.sub(" ", composed).casefold())
    while len(words) > 1 and words[0] in _PREFIXES:
        del words[0]
    for length in range(len(words), 0, -1):
        base, rest = "".join(words[:length]), words[length:]
        units = [word for word in rest if word not in _FILLERS]
        if base in _FIELDS and all(unit in number_cells.UNITS for unit in units):
            given = {number_cells.UNITS[unit] for unit in units}
            if len(given) > 1 and _FIELDS[base] != DURATION:
                continue
            named = base if base in {"db", "bpm"} else None
            unit = next(iter(given), named) if len(given) < 2 else None
            return FeatureHeader(_FIELDS[base], unit, base in _SHORT)
    return _parse_compact("".join(words))


def find_feature_columns(
    header: Sequence[str], flags: frozenset[int] = frozenset()
) -> dict[str, FeatureColumn]:
    """Return the column of each field that the header names.

    `flags` are positions of columns with yes and no only: a short name such as `live` is no field
    there. Of several columns for a field, one with an unambiguous name is preferred, then
    milliseconds, other units, shorter names, the first.
    """
    candidates = [
        (parsed.is_short, _UNIT_ORDER.get(parsed.unit, 1), len(name), position, parsed)
        for position, name in enumerate(header)
        if (parsed := parse_header(name)) is not None
        and not (parsed.is_short and position in flags)
    ]
    columns: dict[str, FeatureColumn] = {}
    for *_, position, parsed in sorted(candidates):
        columns.setdefault(parsed.field, FeatureColumn(position, parsed.unit))
    return dict(sorted(columns.items(), key=lambda item: item[1].position))


def unit_of(name: str) -> str | None:
    """Return the unit in any column's name, such as ms of `How long (ms)`; None if it has none."""
    parsed = parse_header(name)
    words = _WORD.findall(_CAMEL.sub(" ", name).casefold())
    return (
        number_cells.UNITS.get(words[-1]) if parsed is None and words else parsed and parsed.unit
    )


def _parse_compact(word: str) -> FeatureHeader | None:
    """Return the field of a name without breaks between its words, such as `trackdurationms`."""
    for prefix in ("track", "song"):
        word = word.removeprefix(prefix)
    for suffix in _COMPACT_UNITS:
        base = word.removesuffix(suffix)
        if base != word and base in _FIELDS:
            return FeatureHeader(_FIELDS[base], number_cells.UNITS[suffix], base in _SHORT)
    return FeatureHeader(_FIELDS[word]) if word in _FIELDS and word not in _SHORT else None
