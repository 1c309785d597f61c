"""Column mapping of a catalogue table: from common column names to tracks. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from genrebase.store import names
from genrebase.store.tables import CATEGORICAL_FEATURES, FEATURES
from sandbox import ids
from sandbox.errors import UnusableCatalogue
from sandbox.tracks.catalogue_file import ARTIST_SEPARATOR, TableRow

_COLUMN_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "id": ("track_id", "spotify_id", "id"),
    "title": ("track_name", "title", "name"),
    "artists": ("artists",),
    "artist": ("artist_name", "track_artist", "artist"),
    "album": ("album_name", "track_album_name", "album"),
    "album_id": ("track_album_id", "album_id"),
    "release": ("track_album_release_date", "release_date", "release_year", "year"),
    "duration": ("duration_ms",),
    "explicit": ("explicit",),
    "popularity": ("popularity", "track_popularity"),
    "isrc": ("isrc",),
    "genre": ("genre", "track_genre", "playlist_genre", "label"),
    "subgenre": ("playlist_subgenre",),
    "playlist": ("playlist_id",),
    "playlist_name": ("playlist_name",),
}
_REQUIRED: Final = {"genre": ("genre",), "title": ("title",), "artist": ("artists", "artist")}
_TRUE: Final = frozenset({"true", "1", "1.0", "yes", "t"})
_PLAUSIBLE_YEARS: Final = range(1860, 2101)
"""Outside of these a release date is ignored: Spotify itself returns `0000`."""


@dataclass(frozen=True, slots=True)
class SandboxTrack:
    """One row with the fields of the API's responses."""

    id: str
    title: str
    artists: tuple[str, ...]
    """Names, the primary artist first; at least one, which may be empty."""
    album: str
    """Empty where the table has none."""
    album_id: str
    release_date: str
    """YYYY, YYYY-MM or YYYY-MM-DD; a year derived from the id where the table has none."""
    duration_ms: int
    explicit: bool
    popularity: int
    isrc: str | None
    features: Mapping[str, float]
    """Those of the 12 audio features that the row has."""


@dataclass(frozen=True, slots=True)
class TrackColumns:
    """Positions of the fields in a row."""

    positions: Mapping[str, int]
    """Column numbers by field."""
    features: Mapping[str, int] = field(default_factory=dict)
    """Column numbers by audio feature."""

    @classmethod
    def from_header(cls, columns: Sequence[str], name: str) -> "TrackColumns":
        """Find the fields; raise `UnusableCatalogue` where a required one is missing."""
        at = {column.strip().casefold(): i for i, column in reversed([*enumerate(columns)])}
        positions = {
            field_name: next(at[candidate] for candidate in candidates if candidate in at)
            for field_name, candidates in _COLUMN_NAMES.items()
            if any(candidate in at for candidate in candidates)
        }
        for field_name, fields in _REQUIRED.items():
            if not any(field_ in positions for field_ in fields):
                expected = ", ".join(column for one in fields for column in _COLUMN_NAMES[one])
                present = ", ".join(column or "(unnamed)" for column in columns) or "none"
                raise UnusableCatalogue(
                    f"{name} has no column for the {field_name}: it needs one of {expected}. "
                    f"It has: {present}."
                )
        return cls(positions, {feature: at[feature] for feature in FEATURES if feature in at})

    def cell(self, row: TableRow, field_name: str) -> str:
        """Return a field without surrounding blanks; empty where there is none."""
        position = self.positions.get(field_name)
        return "" if position is None else row[position].strip()

    def genres(self, row: TableRow) -> tuple[str, ...]:
        """Return the genres a row is listed under, each once."""
        genres = (self.cell(row, "genre"), self.cell(row, "subgenre"))
        return tuple(dict.fromkeys(genre for genre in genres if genre))

    def artists(self, row: TableRow) -> tuple[str, ...]:
        """Return the names of the credited artists."""
        if "artists" not in self.positions:
            return (self.cell(row, "artist"),)
        names_ = (part.strip() for part in self.cell(row, "artists").split(ARTIST_SEPARATOR))
        return tuple(name for name in names_ if name) or ("",)

    def id(self, row: TableRow) -> str:
        """Return the track's id: the table's, or one hashed from title and primary artist."""
        return self.cell(row, "id") or ids.id_from_text(
            f"track|{names.name_key(self.cell(row, 'title'), self.artists(row)[0])}"
        )

    def year(self, row: TableRow) -> int:
        """Return the year for searches: of the release, or derived from the id."""
        text = self.cell(row, "release")[:4]
        if text.isascii() and text.isdigit() and int(text) in _PLAUSIBLE_YEARS:
            return int(text)
        return ids.year_from_id(self.id(row))

    def track(self, row: TableRow) -> SandboxTrack:
        artists, track_id = self.artists(row), self.id(row)
        album = self.cell(row, "album")
        album_key = f"{names.normalise(album)}|{names.normalise(artists[0])}"
        return SandboxTrack(
            id=track_id,
            title=self.cell(row, "title"),
            artists=artists,
            album=album,
            album_id=self.cell(row, "album_id")
            or ids.id_from_text(f"album|{album_key if album else track_id}"),
            release_date=self._release_date(row),
            duration_ms=round(_number(self.cell(row, "duration")) or 0),
            explicit=self.cell(row, "explicit").lower() in _TRUE,
            popularity=round(_number(self.cell(row, "popularity")) or 0),
            isrc=self.cell(row, "isrc") or None,
            features=self._features(row),
        )

    def _release_date(self, row: TableRow) -> str:
        text = self.cell(row, "release")
        number = _number(text)
        if number is not None:  # a year that was stored as a float is 1994.0
            text = f"{round(number):04d}"
        return text[:10] or str(self.year(row))

    def _features(self, row: TableRow) -> dict[str, float]:
        numbers = {feature: _number(row[at]) for feature, at in self.features.items()}
        return {
            feature: round(number) if feature in CATEGORICAL_FEATURES else number
            for feature, number in numbers.items()
            if number is not None
        }


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
