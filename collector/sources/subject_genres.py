"""Find genres among the subjects that uploaders give to their items. Pure."""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from collector.datasets.parsing import genre_names
from collector.sources.item_fields import MAX_NAME_LENGTH
from genrebase.store import names

_MAX_SUBJECTS: Final = 200
"""Subjects of one item that are read; spam has thousands."""
_MAX_LENGTH: Final = 100
"""Characters of a subject; longer ones are sentences."""
_AND: Final = re.compile(r"\s*&\s*|\s+'?n'?\s+|\s+\+\s+")
"""Spellings of `and` between two words: `drum & bass`, `drum'n'bass` after `_APOSTROPHES`."""
_APOSTROPHES: Final = re.compile(r"['’`]")
_JOINED: Final = re.compile(r"['’`]n['’`]")


class MatchedSubjects(NamedTuple):
    """The subjects of an item: genres of the database, and others."""

    genres: tuple[str, ...]
    """Genres of the database, by their own names."""
    others: tuple[str, ...]
    """Subjects that are none of them."""


def parse_subjects(value: Any) -> tuple[str, ...]:
    """Return the subjects of a field, each once: a list of texts, or one text with separators.

    Semicolons always separate; commas do in a text without semicolons.
    """
    texts = value if isinstance(value, list) else [value]
    subjects: dict[str, None] = {}
    for text in texts[:_MAX_SUBJECTS]:
        if not isinstance(text, str) or len(text) > MAX_NAME_LENGTH * 5:
            continue
        separator = ";" if ";" in text else ","
        for part in text.split(separator):
            name = genre_names.clean_name(part)
            if name and len(name) <= _MAX_LENGTH:
                subjects.setdefault(name)
    return tuple(subjects)[:_MAX_SUBJECTS]


def spelling_key(name: str) -> str:
    """Return a key that is equal for spellings of one genre: `Hip-Hop`, `hip hop`, `hiphop`.

    Case, blanks, hyphens, underscores, dots and apostrophes do not count; `&` and `'n'` are `and`.
    """
    plain = _JOINED.sub(" and ", names.normalise(name).replace("_", " "))
    plain = _AND.sub(" and ", f" {plain} ")
    return genre_names.comparison_key(_APOSTROPHES.sub("", plain).replace(".", ""))


def match_subjects(subjects: Iterable[str], collected: Iterable[str]) -> MatchedSubjects:
    """Divide subjects into genres of the database (`collected`) and others.

    A subject is the genre with the same normalised name, else the first genre by name with the
    same `spelling_key`.
    """
    by_name: dict[str, str] = {}
    by_spelling: dict[str, str] = {}
    for genre in sorted(collected):
        by_name.setdefault(names.normalise(genre), genre)
        by_spelling.setdefault(spelling_key(genre), genre)
    genres: dict[str, None] = {}
    others: list[str] = []
    for subject in subjects:
        match = by_name.get(names.normalise(subject)) or by_spelling.get(spelling_key(subject))
        if match is None:
            others.append(subject)
        else:
            genres.setdefault(match)
    return MatchedSubjects(tuple(genres), tuple(others))
