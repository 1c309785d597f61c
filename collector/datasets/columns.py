"""Find the columns of a dataset by the names that published datasets use. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.datasets import cells
from genrebase.errors import UserError
from genrebase.store import tables

_IDS: Final = (
    "track_id",
    "spotify_id",
    "spotify_track_id",
    "id",
    "track_uri",
    "spotify_uri",
    "uri",
    "track_url",
    "spotify_url",
    "url",
    "track_href",
)
_TITLES: Final = ("track_name", "name", "title", "song", "song_name", "track_title", "track")
_ARTIST_LISTS: Final = ("artists", "artist_names", "artist_name_s", "artists_names")
_ARTISTS: Final = ("artist_name", "track_artist", "artist", "performer")
_ARTIST_IDS: Final = ("artist_ids", "id_artists", "artists_ids", "artist_id", "artist_uri_s")
_ALBUMS: Final = ("album_name", "track_album_name", "album", "album_title")
_DATES: Final = (
    "track_album_release_date",
    "album_release_date",
    "release_date",
    "release_year",
    "year",
)
_YEARS: Final = ("release_year", "year", "album_release_year")
_POPULARITY: Final = ("popularity", "track_popularity")
_MILLISECONDS: Final = ("duration_ms", "track_duration_ms", "length_ms")
_SECONDS: Final = ("duration_s", "duration_sec", "duration_seconds", "duration_in_seconds")
_EXPLICIT: Final = ("explicit", "track_explicit", "is_explicit")
_ISRCS: Final = ("isrc", "track_isrc", "external_ids_isrc")
_GENRES: Final = ("genre", "track_genre", "playlist_genre", "label")
_FINE: Final = "playlist_subgenre"

_WORD_BREAK: Final = re.compile(r"[^0-9a-z%]+")
_MAX_LISTED: Final = 30


class ColumnsMissing(UserError):
    """The dataset lacks a column that identifies tracks: a title or an artist."""


@dataclass(frozen=True, slots=True)
class DatasetColumns:
    """Positions of the columns in a row; None for a column the dataset does not have."""

    title: int
    artists: int
    many_artists: bool
    """Whether the artists' cell holds several names."""
    track_id: int | None = None
    artist_ids: int | None = None
    album: int | None = None
    release_date: int | None = None
    release_year: int | None = None
    """Used if the date is missing."""
    popularity: int | None = None
    duration: int | None = None
    milliseconds: bool = True
    """Whether `duration` is in milliseconds; else in seconds."""
    explicit: int | None = None
    isrc: int | None = None
    split: int | None = None
    genre: int | None = None
    fine_genre: int | None = None
    """The column of the subgenre."""
    broad_genre: int | None = None
    """The column of the genre that the subgenre belongs to."""
    features: tuple[int | None, ...] = (None,) * len(tables.FEATURES)


def normalise(name: str) -> str:
    """Return a column's name as it is compared: `Artist Name(s)` becomes artist_name_s."""
    return _WORD_BREAK.sub("_", name.casefold()).strip("_")


def find_columns(header: Sequence[str], genre_column: str | None = None) -> DatasetColumns:
    """Find the columns; raise `ColumnsMissing` without a title or an artist.

    `genre_column` names the column that holds the genre, instead of the usual ones.
    """
    at = _positions(header)
    title, many, one = _first(at, _TITLES), _first(at, _ARTIST_LISTS), _first(at, _ARTISTS)
    artists = many if many is not None else one
    if title is None or artists is None:
        raise ColumnsMissing(_missing(header, title, artists))
    milliseconds = _first(at, _MILLISECONDS)
    fine, broad = at.get(_FINE), _first(at, _GENRES)
    return DatasetColumns(
        title=title,
        artists=artists,
        many_artists=many is not None,
        track_id=_first(at, _IDS),
        artist_ids=_first(at, _ARTIST_IDS),
        album=_first(at, _ALBUMS),
        release_date=_first(at, _DATES),
        release_year=_first(at, _YEARS),
        popularity=_first(at, _POPULARITY),
        duration=milliseconds if milliseconds is not None else _first(at, _SECONDS),
        milliseconds=milliseconds is not None,
        explicit=_first(at, _EXPLICIT),
        isrc=_first(at, _ISRCS),
        split=at.get("split"),
        genre=find_genre_column(header, genre_column),
        fine_genre=fine if broad is not None else None,
        broad_genre=broad if fine is not None else None,
        features=tuple(at.get(name) for name in tables.FEATURES),
    )


def find_genre_column(header: Sequence[str], genre_column: str | None = None) -> int | None:
    """Return the position of `genre_column`, or of the first of the usual genre columns."""
    if genre_column is None:
        return _first(_positions(header), _GENRES)
    if genre_column in header:
        return list(header).index(genre_column)
    position = _positions(header).get(normalise(genre_column))
    if position is None:
        raise ColumnsMissing(
            f"There is no column {genre_column!r} with genres; the columns are: {_listed(header)}."
        )
    return position


def is_track_header(header: Sequence[str]) -> bool:
    """Return whether this is a dataset's header, not the first line of a plain list."""
    at = _positions(header)
    return any(_first(at, names) is not None for names in (_TITLES, _ARTIST_LISTS, _ARTISTS, _IDS))


def _positions(header: Sequence[str]) -> dict[str, int]:
    at: dict[str, int] = {}
    for index, name in enumerate(header):
        at.setdefault(normalise(name), index)
    return at


def _first(at: dict[str, int], names: Sequence[str]) -> int | None:
    return next((at[name] for name in names if name in at), None)


def _missing(header: Sequence[str], title: int | None, artists: int | None) -> str:
    missing = []
    if title is None:
        missing.append(f"a title ({', '.join(_TITLES)})")
    if artists is None:
        missing.append(f"an artist ({', '.join((*_ARTIST_LISTS[:1], *_ARTISTS))})")
    return (
        f"The dataset has no column for {' and none for '.join(missing)}. "
        f"Its columns are: {_listed(header)}. Rename the ones that hold them."
    )


def _listed(header: Sequence[str]) -> str:
    names = [cells.escape_unprintable(name) or "(unnamed)" for name in header[:_MAX_LISTED]]
    more = len(header) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
