"""Find the columns of a dataset by their usual names and their content. Pure."""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from collector.datasets.column_roles import (
    exportify_headers,
    feature_headers,
    genre_columns,
    id_columns,
)
from collector.datasets.column_roles.feature_headers import FeatureColumn
from collector.datasets.column_roles.usual_names import FIELDS, NAMES
from collector.datasets.parsing import cells
from collector.datasets.survey import TableSummary
from genrebase.errors import UserError

_PREFIXES: Final = ("track", "song", "spotify", "items", "item")
"""Words before a name, such as in `track.album.name`."""
_FOUND_BY_NAME: Final = (
    *("artist_count", "album", "release_date", "release_year"),
    *("explicit", "isrc", "split", "licence"),
)
"""Fields whose columns are found by their names alone."""
_NOT_A_LETTER: Final = re.compile(r"[^\w%]|_")
_WORD_BREAK: Final = re.compile(r"[^0-9a-z%]+")
_MAX_LISTED: Final = 30
_MAX_COLUMNS: Final = 20
"""Of artists, one each."""
_MAJORITY: Final = 0.5
_RARER: Final = 3
"""Tracks of a table have at least a third as many different titles as another column has names."""


class ColumnsMissing(UserError):
    """The dataset lacks a column: a title, an artist, or one named in an option."""

    def __init__(self, message: str, missing: Sequence[str] = ()) -> None:
        """`missing` are the columns that the table lacks, with their usual names."""
        super().__init__(message)
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class DatasetColumns:
    """Positions of the columns in a row; None for a column the dataset does not have."""

    title: int
    artists: int
    many_artists: bool
    """Whether the name of the artists' column is a plural: a cell may hold several."""
    track_id: int | None = None
    artist_ids: int | None = None
    album: int | None = None
    release_date: int | None = None
    release_year: int | None = None
    """Used if the date is missing."""
    date_parts: tuple[int, int] | None = None
    """The columns of month and day, where the date is in three columns."""
    main_artist: int | None = None
    """The column of one artist beside that of all; used if the cell of all is empty."""
    more_artists: tuple[int, ...] = ()
    """The columns of further artists, such as `Artist Name 2`."""
    explicit: int | None = None
    isrc: int | None = None
    split: int | None = None
    licence: int | None = None
    genre: int | None = None
    fine_genre: int | None = None
    """The column of the subgenre."""
    broad_genre: int | None = None
    """The column of the genre that the subgenre belongs to."""
    playlist: int | None = None
    numeric: Mapping[str, FeatureColumn] = field(default_factory=dict)
    """The columns of the features, the duration and the popularity, by field."""
    artist_count: int | None = None
    """The column of the number of artists."""
    genre_separator: str | None = None
    """The separator of a cell's genres, if the column has lists joined by one."""
    notes: tuple[str, ...] = ()
    """A message for each column that is not taken as the field of its name."""

    @property
    def roles(self) -> dict[int, str]:
        """The field of each column, by position; other columns are ignored."""
        named = {
            "title": self.title,
            "artists": self.artists,
            "artist": self.main_artist,
            "id": self.track_id,
            "artist_ids": self.artist_ids,
            **{role: getattr(self, role) for role in _FOUND_BY_NAME},
            "genre": self.genre,
            "subgenre": self.fine_genre,
            "playlist": self.playlist,
            **dict(zip(("release_month", "release_day"), self.date_parts or (), strict=False)),
            **{f"artist {number}": at for number, at in enumerate(self.more_artists, 2)},
            **{role: column.position for role, column in self.numeric.items()},
        }
        roles: dict[int, str] = {}
        for role, position in named.items():
            if position is not None:
                roles.setdefault(position, role)
        return roles

    @property
    def dates(self) -> tuple[int, ...]:
        """Positions of release date and year, each once; the first one with a date counts."""
        given = (self.release_date, self.release_year)
        return tuple(dict.fromkeys(position for position in given if position is not None))


def normalise(name: str) -> str:
    """Return a column's name in lower case with one _ between words."""
    return _WORD_BREAK.sub("_", name.casefold()).strip("_")


def column_key(name: str) -> str:
    """Return a column's name as it is compared: `Artist Name(s)` becomes artistnames.

    Only letters, digits and the percent sign count.
    """
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", name).casefold())


def find_columns(
    header: Sequence[str],
    genre_column: str | None = None,
    survey: TableSummary | None = None,
    overrides: Mapping[str, str] | None = None,
    no_ids: Container[int] = (),
) -> DatasetColumns:
    """Find the columns; raise `ColumnsMissing` without a title or an artist.

    `genre_column` names the column that holds the genre, instead of the usual ones. `survey` is
    the result of the first pass over the table: content takes precedence over a name. `overrides`
    has the names of columns by field; an empty name means that the table has no such column.
    `no_ids` are positions of columns that hold no ids of tracks. Raises `ColumnsMissing` for a
    missing column, `UserError` for an unknown field.
    """
    chosen = dict(overrides or {})
    if genre_column is not None:
        chosen["genre"] = genre_column
    return _ColumnFinder(header, survey, chosen, no_ids).columns()


def find_genre_column(header: Sequence[str], genre_column: str | None = None) -> int | None:
    """Return the position of `genre_column`, or of the first of the usual genre columns."""
    chosen = {} if genre_column is None else {"genre": genre_column}
    return _ColumnFinder(header, None, chosen).genre().position


def is_track_header(header: Sequence[str]) -> bool:
    """Return whether this is the header of a dataset, not the first line of a plain list."""
    finder = _ColumnFinder(header, None, {})
    return any(finder.find(field) is not None for field in ("title", "artists", "artist")) or (
        id_columns.find_by_name(finder.keys) is not None
    )


class _ColumnFinder:
    """Finds the columns of one table."""

    def __init__(
        self,
        header: Sequence[str],
        survey: TableSummary | None,
        overrides: Mapping[str, str],
        no_ids: Container[int] = (),
    ) -> None:
        self._header, self._no_ids = header, no_ids
        self._english = exportify_headers.translate_header(header)
        self.keys: dict[str, int] = {}
        for position, name in enumerate(self._english):
            self.keys.setdefault(column_key(name), position)
        for key, position in list(self.keys.items()):
            for prefix in _PREFIXES:
                self.keys.setdefault(key.removeprefix(prefix), position)
        self.keys.pop("", None)
        self._summaries = survey or {}
        self._overrides = {
            field: self._position_of(name) if name else None
            for field, name in (_checked_override(*item) for item in overrides.items())
        }

    def columns(self) -> DatasetColumns:
        title = self.find("title")
        artists, many = self._artists()
        if title is None or artists is None:
            raise _columns_missing(self._header, title, artists)
        genre = self.genre()
        track_id, id_notes = self._track_id()
        fine = self.find("subgenre")
        broad = genre_columns.find_by_name(self.keys)
        if fine is None or broad is None or "playlistsubgenre" not in self.keys:
            broad = genre.position if fine is not None else None
        return DatasetColumns(
            title=title,
            artists=artists,
            many_artists=many,
            track_id=track_id,
            artist_ids=self._artist_ids(),
            **{role: self.find(role) for role in _FOUND_BY_NAME},
            date_parts=self._date_parts(),
            main_artist=self._main_artist(artists),
            more_artists=self._more_artists(artists),
            genre=genre.position,
            fine_genre=fine if broad is not None else None,
            broad_genre=broad if fine is not None else None,
            playlist=self.find("playlist"),
            numeric=self._numeric(),
            genre_separator=genre.separator,
            notes=(*id_notes, *genre.notes),
        )

    def find(self, field: str) -> int | None:
        """Return a field's position: by override, else by the first usual name with content."""
        if field in self._overrides:
            return self._overrides[field]
        positions = [self.keys[key] for key in NAMES[field].split() if key in self.keys]
        is_name = field in {"title", "artists", "artist"}
        filled = [at for at in positions if not is_name or not self._holds_no_names(at)]
        if field == "title":
            filled = [at for at in filled if not any(map(partial(self._is_rarer, at), filled))]
        return next(iter(filled or positions), None)

    def _is_rarer(self, position: int, other: int) -> bool:
        """Return whether a column has far fewer different cells than another: no titles."""
        few = self._summaries[position].distinct if position in self._summaries else None
        many = self._summaries[other].distinct if other in self._summaries else None
        if few is None or other not in self._summaries:
            return False
        is_general = column_key(self._english[position]) in {"name", "title"}  # or an album's
        is_position = max(map(len, self._summaries[other].sample), default=0) <= len("A12")
        ratio = _RARER - (is_general and not is_position)
        return many is None or (few < many and (few == 1 or few * ratio <= many))

    def _holds_no_names(self, position: int) -> bool:
        """Return whether a column is empty, or one of ids or numbers."""
        summary = self._summaries.get(position)
        if summary is None or not summary.rows:
            return False
        present = summary.present
        if not present or max(summary.spotify_ids, summary.numbers) > _MAJORITY * present:
            return True
        return id_columns.holds_artist_ids(summary)

    def _artist_ids(self) -> int | None:
        """Return the column of the artists' ids; it may be named as one of their names."""
        if (named := self.find("artist_ids")) is not None or "artist_ids" in self._overrides:
            return named
        positions = [self.keys[key] for key in NAMES["artists"].split() if key in self.keys]
        return id_columns.find_artist_ids(positions, self._summaries)

    def _artists(self) -> tuple[int | None, bool]:
        """Return the artists' column, and whether its name is a plural."""
        many = self.find("artists")
        one = None if "artists" in self._overrides else self.find("artist")
        if many is not None and one is not None and self._holds_no_names(many):
            return one, False
        return (many, True) if many is not None else (one, False)

    def _main_artist(self, artists: int) -> int | None:
        """Return the column of one artist if another one holds all, with empty cells."""
        one = None if "artists" in self._overrides else self.find("artist")
        summary = self._summaries.get(artists)
        has_empty = summary and (summary.missing or summary.lists)
        is_other = one is not None and one != artists and not self._holds_no_names(one)
        return one if has_empty and is_other else None

    def _date_parts(self) -> tuple[int, int] | None:
        month, day = self.find("release_month"), self.find("release_day")
        return None if month is None or day is None else (month, day)

    def _more_artists(self, first: int) -> tuple[int, ...]:
        """Return the columns `Artist Name 2`, … beside `Artist Name 1`."""
        key = column_key(self._english[first])
        if not key.endswith("1"):
            return ()
        others = (self.keys.get(f"{key[:-1]}{number}") for number in range(2, _MAX_COLUMNS + 1))
        return tuple(position for position in others if position is not None)

    def _numeric(self) -> dict[str, FeatureColumn]:
        """Return the columns of numbers: by the overrides, else by their names."""
        fields = [name for name in feature_headers.FEATURE_FIELDS if name in self._overrides]
        given = {name: self._overrides[name] for name in fields}
        found = feature_headers.find_feature_columns(self._english, self._flags())
        others = {
            name: column
            for name, column in found.items()
            if name not in given and column.position not in given.values()
        }
        chosen = {
            name: FeatureColumn(position, feature_headers.unit_of(self._english[position]))
            for name, position in given.items()
            if position is not None
        }
        return {**others, **chosen}

    def _flags(self) -> frozenset[int]:
        """Return the positions of columns that hold yes or no only."""
        return frozenset(
            position
            for position, column in self._summaries.items()
            if column.values is not None
            and all(cells.parse_bool(cell) is not None for cell in column.values)
        )

    def _track_id(self) -> tuple[int | None, tuple[str, ...]]:
        if "id" in self._overrides:
            return self._overrides["id"], ()
        keys = {key: at for key, at in self.keys.items() if at not in self._no_ids}
        summaries = {at: one for at, one in self._summaries.items() if at not in self._no_ids}
        return id_columns.find_id_column(self._header, keys, summaries)

    def genre(self) -> genre_columns.GenreColumn:
        """Return the column of genres."""
        if "genre" in self._overrides:
            return genre_columns.GenreColumn(self._overrides["genre"])
        return genre_columns.find_genre_column(self._header, self.keys, self._summaries)

    def _position_of(self, name: str) -> int:
        if name in self._header:
            return list(self._header).index(name)
        matches = {column_key(given): at for at, given in reversed([*enumerate(self._header)])}
        position = matches.get(column_key(name))
        if position is None:
            raise ColumnsMissing(
                f"There is no column {name!r}; the columns are: {list_names(self._header)}."
            )
        return position


def _checked_override(field: str, name: str) -> tuple[str, str]:
    """Return an override; raise `UserError` if its field does not exist."""
    plain = {"artist": "artists", "track_id": "id"}.get(field, field)
    if plain not in FIELDS:
        raise UserError(f"There is no field {field!r}; the fields are: {', '.join(FIELDS)}.")
    return plain, name


def name_columns(
    header: Sequence[str], columns: DatasetColumns
) -> tuple[dict[str, str], list[str]]:
    """Return the names of the columns by their roles, and those that are ignored."""
    roles = columns.roles
    taken = {role: header[at] for at, role in roles.items()}
    return taken, [name for at, name in enumerate(header) if at not in roles]


def describe(taken: Mapping[str, str], ignored: Sequence[str]) -> str:
    """Return one message: the field of each column where names differ, and the ignored columns."""
    listed = ", ".join(
        role if role == name else f"{role}={_printable(name)}" for role, name in taken.items()
    )
    others = f"; ignored: {list_names(ignored)}" if ignored else ""
    return f"Columns: {listed}{others}."


def _columns_missing(
    header: Sequence[str], title: int | None, artists: int | None
) -> ColumnsMissing:
    missing = []
    if title is None:
        missing.append("a title (track_name, name, title, song)")
    if artists is None:
        missing.append("an artist (artists, artist_name, track_artist, artist, performer)")
    message = (
        f"The dataset has no column for {' and none for '.join(missing)}. "
        f"Its columns are: {list_names(header)}. Rename the ones that hold them."
    )
    return ColumnsMissing(message, missing)


def _printable(name: str) -> str:
    return cells.escape_unprintable(name) or "(unnamed)"


def list_names(header: Sequence[str]) -> str:
    """Return the names of columns for a message, 30 at most."""
    more = len(header) - _MAX_LISTED
    names = ", ".join(map(_printable, header[:_MAX_LISTED]))
    return names + (f" and {more} more" if more > 0 else "")
