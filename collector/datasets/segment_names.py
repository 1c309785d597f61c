"""Find names that denote pieces of one recording, such as `blues.00000.3.wav`. Pure.

Pieces of one recording are near duplicates. If they are on two sides of the split, a model that
memorises recordings seems accurate. A running number alone is no evidence: `blues.00000.wav` and
`blues.00001.wav` are two songs. The whole table decides.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from genrebase.counts import counted

MOST: Final = 0.8
"""Minimum share of the recordings, or pieces, that follow a rule."""
_FEW_DIGITS: Final = 3
"""A longer number, as in `blues.00042`, numbers the recordings of a collection."""
_MIN_UNLABELLED: Final = 3
"""Minimum of recordings in a table without genres."""

_SUFFIX: Final = re.compile(
    r"(?:\.(?:wave?|mp[34]|flac|og[ga]|opus|m4a|aac|aiff?|au|wma|webm|np[yz]|png|jpe?g|csv|json|pt"
    r"|mid|txt))+$",
    re.IGNORECASE,
)
_UNIT: Final = r"(?:ms|s|secs?|seconds?)"
_WORDS: Final = (
    r"(?:segments?|seg|chunks?|slices?|windows?|win|excerpts?|snippets?|frames?|crops?|pieces?)"
)
_WEAK_WORDS: Final = r"(?:parts?|clips?|samples?|split|offset|start|t)"
_GAP: Final = r"[-_. @#(\[/\\]"
_OFFSETS: Final = re.compile(
    rf"(?P<base>.+?){_GAP}+(?:{_WORDS}|{_WEAK_WORDS})?{_GAP}?(?P<start>\d+(?:\.\d+)?)(?P<unit>{_UNIT})?"
    rf"(?:_?-_?|_?to_?|_)(?P<end>\d+(?:\.\d+)?)(?P<unit_of_end>{_UNIT})?[)\]]?",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(
    rf"(?P<base>.+?)(?:{_GAP}+(?:(?P<word>{_WORDS})|{_WEAK_WORDS})?{_GAP}*|(?<=\d)(?P<joined>{_WORDS}))"
    rf"(?P<number>\d+)(?P<unit>{_UNIT})?[)\]]?",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(
    r"(?<=[-_. ])(?P<minutes>\d{1,3})m(?:in)?[-_]?(?P<seconds>[0-5]\d)s?(?!\w)"
)
_PREFIXED: Final = re.compile(
    rf"(?P<word>{_WORDS}){_GAP}?(?P<number>\d+){_GAP}+(?P<base>.+)", re.IGNORECASE
)
_ENDS_WITH_NUMBER: Final = re.compile(r"\d\w{0,2}[)\]]?(?:\.\w{2,4})?$")
_LONGEST_END: Final = 9
"""Characters of the longest end that it matches."""
_MIN_SHARE_OF_TITLES: Final = 0.5
_OF_ALBUM: Final = re.compile(
    r"(?:^|[^a-z])(?:(?:discs?|disk|cd|vol|volume|album|lp)[-_. ]?\d+|(?:19|20)\d\d)$",
    re.IGNORECASE,
)
"""The end of a name before a number of songs, not of pieces: a disc, an album, a year."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The pieces that the names of a table denote."""

    recording_of: Mapping[str, str] = field(default_factory=dict)
    """The recording of each name that denotes a piece of one."""
    warning: str | None = None
    """A sentence on what was grouped, or on what may be pieces of one recording."""


class _Piece(NamedTuple):
    name: str
    recording: str
    """The name without the number of the piece."""
    base: str
    """The recording's name without its suffix."""
    number: str
    is_explicit: bool = False
    """Whether the number has a word or a unit of time."""
    end: str = ""
    """The second offset; "" for a running number."""

    @property
    def length(self) -> float:
        """The difference of the offsets."""
        return round(float(self.end) - float(self.number), 3)


def find_segments(names: Sequence[str], genres: Sequence[str] = ()) -> Segments:
    """Find the recordings of a table's file names; `genres` has a genre per name, "" for none.

    `names` may repeat. Offsets (`name_0-3s`) and words (`name-seg12`) are certain, and so are
    running numbers that follow one rule in most recordings of the table. Uncertain pieces are only
    reported.
    """
    genre_of = dict(zip(names, genres, strict=True)) if genres else {}
    distinct = list(dict.fromkeys(names))
    offsets = list(filter(None, map(_by_offsets, distinct)))
    groups = _repeated(offsets)
    if groups and _are_offsets(groups):
        return _grouped(offsets, groups)
    numbered = list(filter(None, map(_by_number, distinct)))
    pieces = _repeated(numbered)
    if not pieces or _mixes_genres(pieces, genre_of):
        return Segments()
    labels = {genre_of.get(piece.name, "") for group in pieces.values() for piece in group} - {""}
    if len(pieces) <= len(labels) and _are_named_after(pieces, genre_of):
        return Segments()  # the running numbers of each genre's songs
    if _is_certain(pieces, len(labels) if len(labels) > 1 else 0):
        return _grouped(numbered, pieces)
    if _is_plain_numbering(pieces):
        return Segments()
    return Segments(warning=_describe(pieces, "may be"))


class TitleSurvey:
    """Collects the titles of a table of tracks that end with a number.

    Its rows are matched by title and artist, so pieces with different titles are separate tracks.
    They are only reported.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._genres: dict[str, str] = {}

    def add(self, title: str, genre: str) -> None:
        """Add a row."""
        self._rows += 1
        if _ENDS_WITH_NUMBER.search(title[-_LONGEST_END:]):
            self._genres.setdefault(title, genre)

    def warnings(self) -> Sequence[str]:
        """Return a sentence if most titles look like pieces of recordings."""
        if len(self._genres) < _MIN_SHARE_OF_TITLES * self._rows:
            return ()
        segments = find_segments(list(self._genres), list(self._genres.values()))
        if not segments.recording_of:
            return () if segments.warning is None else (segments.warning,)
        recordings = len(set(segments.recording_of.values()))
        sentence = (
            f"{counted(len(segments.recording_of), 'title')} "
            f"({next(iter(segments.recording_of))}, …) may be pieces of "
            f"{counted(recordings, 'recording')}; each has a fold of its own, unless its artist "
            "decides. Give the file names in a column `filename` and no titles or artists: then "
            "all pieces of a recording share one side of the split."
        )
        return (sentence,)


def _split(name: str) -> tuple[str, str]:
    """Return a file's name without the suffixes of audio and feature files, and the suffixes.

    Times in the name, such as `01m30s`, are in seconds: `90s`.
    """
    match = _SUFFIX.search(name)
    stem, suffix = (name, "") if match is None else (name[: match.start()], match[0])
    in_seconds = _CLOCK.sub(
        lambda time: f"{60 * int(time['minutes']) + int(time['seconds'])}s", stem
    )
    return in_seconds, suffix


def _by_offsets(name: str) -> _Piece | None:
    stem, suffix = _split(name)
    match = _OFFSETS.fullmatch(stem)
    if match is None or float(match["end"]) <= float(match["start"]):
        return None
    base = match["base"]
    explicit = match["unit"] is not None and match["unit_of_end"] is not None
    return _Piece(name, base + suffix, base, match["start"], explicit, match["end"])


def _by_number(name: str) -> _Piece | None:
    stem, suffix = _split(name)
    match = _PREFIXED.fullmatch(stem) or _NUMBERED.fullmatch(stem)
    if match is None or not any(map(str.isalnum, match["base"])):
        return None
    base, parts = match["base"], match.groupdict()
    explicit = any(parts.get(part) is not None for part in ("word", "joined", "unit"))
    return _Piece(name, base + suffix, base, match["number"], explicit)


def _repeated(pieces: Sequence[_Piece]) -> dict[str, list[_Piece]]:
    """Group the pieces by recording; leave out recordings of a single piece."""
    groups: dict[str, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.recording, []).append(piece)
    return {recording: group for recording, group in groups.items() if len(group) > 1}


def _are_offsets(groups: Mapping[str, Sequence[_Piece]]) -> bool:
    """Return whether two numbers are a start and an end, not a disc and a track.

    Most pieces have two units, the most common length, or start where another one ends.
    """
    pieces = [piece for group in groups.values() for piece in group]
    common = Counter(piece.length for piece in pieces).most_common(1)[0][0]
    ends = {(piece.recording, float(piece.end)) for piece in pieces}
    fitting = sum(
        piece.is_explicit
        or piece.length == common
        or (piece.recording, float(piece.number)) in ends
        for piece in pieces
    )
    return fitting >= MOST * len(pieces)


def _mixes_genres(groups: Mapping[str, Sequence[_Piece]], genre_of: Mapping[str, str]) -> bool:
    """Return whether many groups have several genres: a recording has one."""
    mixed = sum(
        len({genre_of.get(piece.name, "") for piece in group} - {""}) > 1
        for group in groups.values()
    )
    return mixed > (1 - MOST) * len(groups)


def _are_named_after(groups: Mapping[str, Sequence[_Piece]], genre_of: Mapping[str, str]) -> bool:
    """Return whether most names without their numbers are those of the genres."""
    named = sum(
        _letters(genre_of.get(group[0].name, "")) in _letters(group[0].base)
        for group in groups.values()
    )
    return named >= MOST * len(groups)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _is_certain(groups: Mapping[str, Sequence[_Piece]], genres: int) -> bool:
    pieces = [piece for group in groups.values() for piece in group]
    if sum(piece.is_explicit for piece in pieces) >= MOST * len(pieces):
        return len(groups) > genres or genres == 0
    bases = [group[0].base for group in groups.values()]
    if any(map(_OF_ALBUM.search, bases)):
        return False
    if len(groups) < (2 * genres if genres else _MIN_UNLABELLED):
        return False
    longest = max(map(len, groups.values()))
    if not genres and not _has_two_levels(bases) and len(groups) <= longest:
        return False
    if _is_plain_numbering(groups) and len(groups) <= longest:
        return False
    numbers = [frozenset(int(piece.number) for piece in group) for group in groups.values()]
    same = Counter(numbers).most_common(1)[0][1]
    if same >= MOST * len(numbers):
        return True
    if _has_two_levels(bases):  # a sample of pieces has no complete set of numbers
        return min(map(min, numbers)) == 0
    from_zero = sum(own == frozenset(range(len(own))) for own in numbers)
    return from_zero >= MOST * len(numbers)


def _has_two_levels(bases: Sequence[str]) -> bool:
    """Return whether most names have a number of their own before that of the piece."""
    numbered = sum(any(map(str.isdigit, re.split(r"[/\\]", base)[-1])) for base in bases)
    return numbered >= MOST * len(bases)


def _is_plain_numbering(groups: Mapping[str, Sequence[_Piece]]) -> bool:
    """Return whether these are songs numbered throughout: one group, or long numbers."""
    lengths = [len(piece.number) for group in groups.values() for piece in group]
    if any(piece.is_explicit for group in groups.values() for piece in group):
        return False
    return len(groups) == 1 or sum(n > _FEW_DIGITS for n in lengths) >= MOST * len(lengths)


def _grouped(pieces: Sequence[_Piece], groups: Mapping[str, Sequence[_Piece]]) -> Segments:
    """Group all pieces, also a single one: another table may hold more of its recording."""
    recordings = {piece.name: piece.recording for piece in pieces}
    return Segments(recordings, _describe(groups, "are"))


def _describe(groups: Mapping[str, Sequence[_Piece]], verb: str) -> str:
    pieces = sum(map(len, groups.values()))
    first = next(iter(groups.values()))
    names = f"{first[0].name}, {first[1].name}"
    subject = (
        f"{counted(pieces, 'name')} ({names}, …) {verb} pieces of "
        f"{counted(len(groups), 'recording')}"
    )
    if verb == "are":
        return f"{subject}: all pieces of a recording share its side of the split and its fold."
    return (
        f"{subject}; each has a fold of its own. If they are, a model sees pieces of test "
        "recordings in training: name them RECORDING.0, RECORDING.1, … or RECORDING-seg0, …, "
        "or give a column `segment`, and import into a new database."
    )
