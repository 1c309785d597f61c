"""Which column of a table holds what, and a row as a track. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from genrebase.store import names
from genrebase.store.tables import CATEGORICAL_FEATURES, FEATURES
from sandbox import ids
from sandbox.catalogue_file import ARTIST_SEPARATOR, TableRow
from sandbox.errors import UnusableCatalogue

_USUAL: Final[Mapping[str, Sequence[str]]] = {
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
_TRUE: Final = frozenset({"true", "1", "1.0", "yes", "t"})
_PLAUSIBLE_YEARS: Final = range(1860, 2101)
"""Outside of these a release date is no date: Spotify itself shows `0000`."""


@dataclass(frozen=True, slots=True)
class SandboxTrack:
    """One row, as the API's answers need it."""

    id: str
    title: str
    artists: tuple[str, ...]
    """Names, the primary artist first; at least one, which may be empty."""
    album: str
    """Empty where the table does not say."""
    album_id: str
    release_date: str
    """YYYY, YYYY-MM or YYYY-MM-DD; a year made of the id where the table has none."""
    duration_ms: int
    explicit: bool
    popularity: int
    isrc: str | None
    features: Mapping[str, float]
    """What is known of the 12 audio features; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class TrackColumns:
    """Where a table keeps what it says of a track."""

    positions: Mapping[str, int]
    """Column numbers, by what the column holds."""
    features: Mapping[str, int] = field(default_factory=dict)
    """Column numbers of the audio features the table has."""

    @classmethod
    def from_header(cls, columns: Sequence[str], name: str) -> "TrackColumns":
        """Find the usual columns; raise `UnusableCatalogue` where a needed one is missing."""
        known = {column.strip().casefold(): at for at, column in reversed([*enumerate(columns)])}
        at = {}
        for what, usual in _USUAL.items():
            found = next((known[column] for column in usual if column in known), None)
            if found is not None:
                at[what] = found
        for what, holders in {
            "genre": ("genre",),
            "title": ("title",),
            "artist": ("artists", "artist"),
        }.items():
            if not any(holder in at for holder in holders):
                wanted = ", ".join(column for holder in holders for column in _USUAL[holder])
                there = ", ".join(column or "(unnamed)" for column in columns) or "none"
                raise UnusableCatalogue(
                    f"{name} has no column for the {what}: it needs one of {wanted}. "
                    f"It has: {there}."
                )
        return cls(at, {feature: known[feature] for feature in FEATURES if feature in known})

    def cell(self, row: TableRow, what: str) -> str:
        """Return what the row says, without blanks around; empty where it says nothing."""
        at = self.positions.get(what)
        return "" if at is None else row[at].strip()

    def genres(self, row: TableRow) -> tuple[str, ...]:
        """Return the genres a row is found under, each once."""
        found = (self.cell(row, "genre"), self.cell(row, "subgenre"))
        return tuple(dict.fromkeys(name for name in found if name))

    def artists(self, row: TableRow) -> tuple[str, ...]:
        """Return the names of the credited artists."""
        if "artists" not in self.positions:
            return (self.cell(row, "artist"),)
        split = (part.strip() for part in self.cell(row, "artists").split(ARTIST_SEPARATOR))
        return tuple(part for part in split if part) or ("",)

    def id(self, row: TableRow) -> str:
        """Return the track's id: the table's, or one made of title and primary artist."""
        return self.cell(row, "id") or ids.id_from_text(
            f"track|{names.name_key(self.cell(row, 'title'), self.artists(row)[0])}"
        )

    def year(self, row: TableRow) -> int:
        """Return the year a row is found under."""
        text = self.cell(row, "release")[:4]
        if text.isascii() and text.isdigit() and int(text) in _PLAUSIBLE_YEARS:
            return int(text)
        return ids.year_from_id(self.id(row))

    def track(self, row: TableRow) -> SandboxTrack:
        """Return the row as a track."""
        artists, track_id = self.artists(row), self.id(row)
        album = self.cell(row, "album")
        named = f"album|{names.normalise(album)}|{names.normalise(artists[0])}"
        return SandboxTrack(
            id=track_id,
            title=self.cell(row, "title"),
            artists=artists,
            album=album,
            album_id=self.cell(row, "album_id")
            or ids.id_from_text(named if album else f"album|{track_id}"),
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
        if number is not None:  # a year that went through a table of floats is 1994.0
            text = f"{round(number):04d}"
        return text[:10] or str(self.year(row))

    def _features(self, row: TableRow) -> dict[str, float]:
        known = {}
        for feature, at in self.features.items():
            number = _number(row[at])
            if number is not None:
                known[feature] = round(number) if feature in CATEGORICAL_FEATURES else number
        return known


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
