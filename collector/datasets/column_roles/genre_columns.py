"""Find the column of genres. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from collector.datasets.parsing import genre_cells
from collector.datasets.survey import ColumnSummary
from genrebase.store import default_mapping

_OF_TRACKS: Final = (
    *("genre", "trackgenre", "playlistgenre", "songgenre", "musicgenre", "genrename"),
    *("genretop", "maingenre", "primarygenre", "topgenre", "genres", "trackgenres", "songgenres"),
    *("musicgenres", "genrelist", "genreslist", "genre1"),
    *("género", "gênero", "genere", "géneros", "gêneros", "generi", "musikrichtung"),
    *("gatunek", "жанр", "ジャンル", "流派"),
)
_OF_ARTISTS: Final = (
    *("artistgenres", "artistgenre", "artistsgenres", "artistsgenre", "genresartist"),
    *("albumgenres", "albumgenre"),
)
"""Columns of Spotify's genres, whose names have no comma."""
_OF_TAGS: Final = ("tags", "tag", "toptags", "toptagstag", "styles", "style")
_LABEL: Final = "label"
_GENRE_LIKE: Final = re.compile(r"genre|g[eéê]ner[eo]|^(?:top)?tags?$|^styles?$")
_RECORD_LABEL: Final = re.compile(
    r"\b(?:records?|recordings|entertainment|music group|ltd|llc|inc|gmbh|productions?|publishing"
    r"|label|sony|universal|warner|emi|bmg|rca|columbia|capitol|atlantic|interscope|def jam|motown"
    r"|parlophone|polydor|geffen|elektra|decca|republic|virgin|arista|domino|sub pop"
    r"|[pc]\s?\d{4})\b|[℗©]|\([pc]\)",
    re.IGNORECASE,
)
_COMPANIONS: Final = frozenset({"copyrights", "copyright", "upc", "recordlabel", "labelname"})
"""Beside one of these columns, `label` is a record label."""
_MAX_RECORD_LABELS: Final = 0.05
_MIN_ROWS_PER_LABEL: Final = 2
_WORD: Final = re.compile(r"[^\W\d_]+")
_OTHER_WORDS: Final = frozenset(
    {"new", "age", "house", "room", "big", "world", "black", "deep", "study", "sleep", "party"}
    | {"happy", "sad", "kids", "children", "chill", "show", "tunes", "minimal", "german", "power"}
    | {"french", "british", "swedish", "indian", "post", "piano", "guitar", "music"}
)
"""Words in the names of genres that are common in other names, too."""
_WORDS: Final = (
    frozenset(
        word
        for name in default_mapping.BROAD_BY_FINE
        for word in (*_WORD.findall(name), "".join(_WORD.findall(name)))
    )
    - _OTHER_WORDS
)
_NUMBERS: Final = "{} holds numbers only, which are no genres: replace them by names."
_TAKEN: Final = "{0} is taken as the genre; if it holds something else: --column genre="


class GenreColumn(NamedTuple):
    """The column of genres."""

    position: int | None
    separator: str | None = None
    """The separator of genres, if the cells are lists joined by one."""
    notes: tuple[str, ...] = ()


def find_by_name(keys: Mapping[str, int]) -> int | None:
    """Return the first column with a usual name for a track's genre."""
    return next((keys[name] for name in (*_OF_TRACKS, _LABEL) if name in keys), None)


def find_genre_column(
    header: Sequence[str], keys: Mapping[str, int], summaries: Mapping[int, ColumnSummary]
) -> GenreColumn:
    """Return the column of the tracks' genres, else of the artists', of tags, or of labels.

    Empty and numeric columns are skipped. A column `label` holds genres only if no column is named
    after genres, its values repeat and most contain the name of a genre; otherwise it holds record
    labels.
    """
    named = [
        (keys[name], "," if name in _OF_ARTISTS else None)
        for name in (*_OF_TRACKS, *_OF_ARTISTS, *_OF_TAGS)
        if name in keys
    ]
    filled = [entry for entry in named if not _is_empty(summaries.get(entry[0]))]
    worded = [entry for entry in filled if not _is_numeric(summaries.get(entry[0]))]
    for position, separator in worded:
        is_of_artists = separator is not None
        note = f"{header[position]} holds genres of the artists: the first of them counts."
        return GenreColumn(position, separator, (note,) if is_of_artists else ())
    if filled:
        return GenreColumn(None, notes=(_NUMBERS.format(header[filled[0][0]]),))
    if named:
        return GenreColumn(named[0][0])
    return _label_column(header, keys, summaries)


def _label_column(
    header: Sequence[str], keys: Mapping[str, int], summaries: Mapping[int, ColumnSummary]
) -> GenreColumn:
    position = keys.get(_LABEL)
    if position is None:
        return GenreColumn(None)
    summary = summaries.get(position)
    if _is_numeric(summary):
        return GenreColumn(None, notes=(_NUMBERS.format(header[position]),))
    is_genre = not any(_GENRE_LIKE.search(key) for key in keys) and not _COMPANIONS & keys.keys()
    if is_genre and (summary is None or _holds_genres(summary)):
        return GenreColumn(position, notes=(_TAKEN.format(header[position]),))
    note = (
        f"{header[position]} is taken as the record label, not as a genre; if it holds genres: "
        f"--genre-column {header[position]}"
    )
    return GenreColumn(None, notes=(note,))


def _holds_genres(summary: ColumnSummary) -> bool:
    """Return whether the values repeat, few resemble companies, and most contain a genre."""
    if summary.values is None or not summary.values:
        return False
    rows = sum(summary.values.values())
    companies = sum(_RECORD_LABEL.search(value) is not None for value in summary.values)
    repeats = rows >= _MIN_ROWS_PER_LABEL * len(summary.values)
    genres = sum(not _WORDS.isdisjoint(_words(value)) for value in summary.values)
    return (
        repeats
        and companies <= _MAX_RECORD_LABELS * len(summary.values)
        and 2 * genres > len(summary.values)
    )


def _words(name: str) -> list[str]:
    """Return the words of a name, and the name as one word: `Hip-Hop` is hip, hop, hiphop."""
    words = _WORD.findall(name.casefold())
    return [*words, "".join(words)]


def _is_empty(summary: ColumnSummary | None) -> bool:
    """Return whether no cell holds a genre."""
    if summary is None or not summary.rows:
        return False
    values = summary.sample if summary.values is None else summary.values
    return not any(genre_cells.split_cell(value) for value in values)


def _is_numeric(summary: ColumnSummary | None) -> bool:
    return summary is not None and summary.present > 0 and summary.numbers == summary.present
