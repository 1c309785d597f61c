"""Which column holds what: found by the names that published datasets use. Pure."""

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
_SHOWN: Final = 30


class ColumnsMissing(UserError):
    """The dataset lacks the columns that tell one track from another."""


@dataclass(frozen=True, slots=True)
class DatasetColumns:
    """Where in a row things stand; None for what the dataset does not have."""

    title: int
    artists: int
    many_artists: bool
    """The artists' cell holds several names."""
    track_id: int | None = None
    artist_ids: int | None = None
    album: int | None = None
    release_date: int | None = None
    release_year: int | None = None
    """Asked where the date says nothing."""
    popularity: int | None = None
    duration: int | None = None
    milliseconds: bool = True
    """The unit of `duration`; seconds otherwise."""
    explicit: int | None = None
    isrc: int | None = None
    split: int | None = None
    genre: int | None = None
    fine_genre: int | None = None
    """The subgenre, and …"""
    broad_genre: int | None = None
    """… the genre it belongs to."""
    features: tuple[int | None, ...] = (None,) * len(tables.FEATURES)


def normalise(name: str) -> str:
    """Return a column's name in the form it is compared in: `Artist Name(s)` is artist_name_s."""
    return _WORD_BREAK.sub("_", name.casefold()).strip("_")


def find_columns(header: Sequence[str], genre_column: str | None = None) -> DatasetColumns:
    """Return where things stand; raise `ColumnsMissing` without a title or an artist.

    `genre_column` names the column to take the genre from, instead of the usual ones.
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
    """Return where the genre stands: in `genre_column`, or in the first of the usual columns."""
    if genre_column is None:
        return _first(_positions(header), _GENRES)
    if genre_column in header:
        return list(header).index(genre_column)
    found = _positions(header).get(normalise(genre_column))
    if found is None:
        raise ColumnsMissing(
            f"There is no column {genre_column!r} to take the genre from; "
            f"the columns are: {_listed(header)}."
        )
    return found


def is_track_header(header: Sequence[str]) -> bool:
    """Say whether this is a dataset's header rather than the first line of a plain list."""
    at = _positions(header)
    return any(_first(at, known) is not None for known in (_TITLES, _ARTIST_LISTS, _ARTISTS, _IDS))


def _positions(header: Sequence[str]) -> dict[str, int]:
    at: dict[str, int] = {}
    for index, name in enumerate(header):
        at.setdefault(normalise(name), index)
    return at


def _first(at: dict[str, int], known: Sequence[str]) -> int | None:
    return next((at[name] for name in known if name in at), None)


def _missing(header: Sequence[str], title: int | None, artists: int | None) -> str:
    wanted = []
    if title is None:
        wanted.append(f"a title ({', '.join(_TITLES)})")
    if artists is None:
        wanted.append(f"an artist ({', '.join((*_ARTIST_LISTS[:1], *_ARTISTS))})")
    return (
        f"The dataset has no column for {' and none for '.join(wanted)}. "
        f"Its columns are: {_listed(header)}. Rename the ones that hold them."
    )


def _listed(header: Sequence[str]) -> str:
    names = [cells.escape_unprintable(name) or "(unnamed)" for name in header[:_SHOWN]]
    more = len(header) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
