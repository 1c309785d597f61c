"""What a search compares: the words of names, how well they match, and their trigrams.

Everything here is pure. Words are compared in the form of `names.normalise`, without accents,
apostrophes and punctuation: `beyonce` matches "Beyoncé", `dont` matches "Don't". Each Chinese or
Japanese character is a word, as these scripts do not separate words.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from genrebase.store import names

BAR: Final = "|"
"""Begins and ends each name in the indexed text."""
MAX_TRIGRAMS: Final = 12
"""Trigrams of a query that are looked up in the index; the rest is compared afterwards."""

_TRIGRAM: Final = 3
_APOSTROPHES: Final = str.maketrans("", "", "'’‘ʼ`´")
_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


class Match(IntEnum):
    """How well a track matches a query: the best first."""

    EXACT = 0
    """The title or an artist's name is the query."""
    PREFIX = 1
    """The title or an artist's name begins with the query."""
    WORDS = 2
    """All words of the query are words of title and artists, in any order."""
    PARTS = 3
    """They are parts of words: shorter than three characters, a word's beginning."""


@dataclass(frozen=True, slots=True)
class Query:
    """The words that are searched for."""

    terms: tuple[str, ...]
    """What stood between blanks, each one word or several (`jay-z`: `jay z`)."""

    @property
    def parts_include_all(self) -> bool:
        """Whether all matches are among those of parts: not with a word of one character."""
        return all(len(term) > 1 for term in self.terms)

    def patterns(self, match: Match) -> list[str]:
        """Return the texts that all are in the indexed text of what matches at least so well."""
        phrase = " ".join(self.terms)
        if match is Match.EXACT:
            return [f"{BAR} {phrase} {BAR}"]
        if match is Match.PREFIX:
            return [f"{BAR} {phrase}"]
        if match is Match.WORDS:
            return [f" {term} " for term in self.terms]
        return [_part(term) for term in self.terms]

    def match(self, text: str) -> Match | None:
        """Return how well an indexed text matches; None if not all words are in it."""
        for match in Match:
            if all(pattern in text for pattern in self.patterns(match)):
                return match
        return None


def parse(text: str) -> Query | None:
    """Return the query that a person typed; None if there are no words in it."""
    terms = (" ".join(_words(part)) for part in names.normalise(text).split())
    kept = tuple(dict.fromkeys(term for term in terms if term))
    return Query(kept) if kept else None


def indexed_text(title: str, artists: str) -> str:
    """Return what is indexed of a track: title and artists (joined by `; `), between bars."""
    parts = (" ".join(_words(name)) for name in (title, *artists.split("; ")))
    return f"{BAR} {f' {BAR} '.join(parts)} {BAR}"


def trigrams(patterns: list[str]) -> list[str]:
    """Return trigrams that are in each text with these patterns: at most `MAX_TRIGRAMS`.

    They cover the patterns without overlapping, which is almost as selective as all of them.
    """
    chosen: dict[str, None] = {}
    for pattern in sorted(patterns, key=len, reverse=True):
        last = len(pattern) - _TRIGRAM
        for start in (*range(0, last, _TRIGRAM), last):
            if len(chosen) < MAX_TRIGRAMS:
                chosen[pattern[start : start + _TRIGRAM]] = None
    return list(chosen)


@lru_cache(maxsize=16_384)
def _words(name: str) -> tuple[str, ...]:
    plain = names.normalise(name)
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFD", plain)
        marks = (character for character in decomposed if unicodedata.category(character) != "Mn")
        plain = unicodedata.normalize("NFC", "".join(marks))
    words = _WORD.findall(plain.translate(_APOSTROPHES))
    return tuple(words or plain.replace(BAR, "¦").split())  # a band may be called "!!!"


def _part(term: str) -> str:
    if len(term) >= _TRIGRAM:
        return term
    return f" {term}" if len(term) == _TRIGRAM - 1 else f" {term} "
