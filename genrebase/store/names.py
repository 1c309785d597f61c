"""Normalise titles and artist names, build match keys for deduplication, and hash names to folds.

Everything here is pure. Two names are equal when their normalised forms are.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

N_FOLDS: Final = 10
"""The number of folds; it never changes."""

MAX_KEY_BYTES: Final = 2_000
"""The longest name that is stored; PostgreSQL limits the keys of an index to 2,704 bytes."""

SEPARATOR: Final = "|"

_NOT_TEXT: Final = dict.fromkeys([0x00, *range(0xD800, 0xE000)])
"""Code points that no database stores: NUL and lone surrogates."""

_TYPEWRITER: Final = str.maketrans("‘’′“”″‐‑", "'''\"\"\"--")

_CREDIT: Final = r"(?:feat\.?|featuring|ft\.?)\s"
_YEAR: Final = r"(?:19|20)\d\d"
_REISSUE: Final = (
    rf"(?:(?:{_YEAR}\s)?(?:digital(?:ly)?\s)?re-?master(?:ed)?(?:\sversion|\sedition|\smix)?(?:\s(?:in\s)?{_YEAR})?"
    rf"|{_YEAR}\s-\sre-?master(?:ed)?"
    r"|(?:single|album|original|lp|ep)\sversion"
    r"|mono|stereo|(?:mono|stereo)\sversion"
    r"|original\smix)"
)
_STRIPPED: Final = re.compile(
    rf"\s*(?:"
    rf"\((?:(?:{_CREDIT}|with\s)[^()]*|{_REISSUE})\)"
    rf"|\[(?:{_CREDIT}[^\[\]]*|{_REISSUE})\]"
    rf"|\s-\s{_REISSUE}(?=\s-\s|$)"
    rf"|(?<=\S)\s{_CREDIT}(?:(?!\s-\s|[(\[]).)*"
    rf")"
)


def clean(text: str) -> str:
    """Remove NUL, lone surrogates (no database stores them) and surrounding whitespace."""
    if text.isascii() and "\0" not in text:
        return text.strip()
    return text.translate(_NOT_TEXT).strip()


def plain_punctuation(text: str) -> str:
    """Return text with typewriter apostrophes, quotation marks and hyphens.

    MusicBrainz writes typographic ones, other catalogues do not: `Don’t` and `Don't` are one name.
    `normalise` leaves them: a change would move names to other folds.
    """
    return text if text.isascii() else text.translate(_TYPEWRITER)


@lru_cache(maxsize=65_536)
def normalise(text: str) -> str:
    """Return `text` in NFKC, casefolded, blanks collapsed; accents and scripts stay distinct."""
    return _normalised(text)


def _normalised(text: str) -> str:
    if text.isascii():
        return " ".join(text.replace("\0", "").lower().split())
    composed = unicodedata.normalize("NFKC", text.translate(_NOT_TEXT)).casefold()
    return " ".join(unicodedata.normalize("NFKC", composed).split())


def normalise_title(title: str) -> str:
    """Normalise a title and strip what does not identify another recording.

    Guest credits and re-issue notes are removed ("(feat. …)", "(with …)", "- Remastered 2011",
    "- Single Version"); live, remix, acoustic, instrumental and part numbers stay. A title
    is never stripped to nothing.
    """
    plain = normalise(title)
    if not _MAYBE_STRIPPED(plain):
        return plain
    stripped = plain
    while True:
        shorter = " ".join(_STRIPPED.sub("", f" {stripped}").split())
        if shorter == stripped or not shorter:
            return stripped
        stripped = shorter


_MAYBE_STRIPPED: Final = re.compile(r"feat|ft|with|master|version|mono|stereo|mix").search
"""A quick test that spares nine titles in ten the long pattern."""


@lru_cache(maxsize=32_768)
def name_key(title: str, artist: str) -> str:
    """Return the match key of a recording: normalised title | normalised primary artist."""
    parts = (normalise_title(title), normalise(artist))
    return SEPARATOR.join(part.replace(SEPARATOR, "¦") for part in parts)


def track_identity(key: str, ordinal: int) -> str:
    """Return a track's unique name: its match key and, from the second recording, its ordinal."""
    return key if ordinal == 1 else f"{key}{SEPARATOR}{ordinal}"


def identity_ordinal(identity: str, key: str) -> int:
    """Return the ordinal in an identity with this match key: the inverse of `track_identity`."""
    return 1 if identity == key else int(identity[len(key) + len(SEPARATOR) :])


def hash_number(text: str) -> int:
    """Return the first 8 bytes of the SHA-256 of a normalised name, as a number.

    Match keys are hashed once: those that `normalise` caches are titles and artists.
    """
    return int.from_bytes(hashlib.sha256(_normalised(text).encode()).digest()[:8], "big")


@lru_cache(maxsize=65_536)
def hash_fold(text: str) -> int:
    """Return the fold of a name, 0..9: its `hash_number` modulo 10."""
    return hash_number(text) % N_FOLDS
