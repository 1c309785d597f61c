"""From a row of a dataset to a track: what it says, what it does not, and why it is no track."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from collector.datasets import cells
from collector.datasets.columns import DatasetColumns
from collector.records import ArtistCredit, AudioFeatures, DurationMs, SourceTrack
from genrebase.store import names, source_ids, tables

_RANGES: Final = tuple(tables.FEATURE_RANGES[name] for name in tables.FEATURES)
_WHOLE: Final = tuple(name in tables.CATEGORICAL_FEATURES for name in tables.FEATURES)
_TEMPO: Final = tables.FEATURES.index("tempo")
_SPEECHINESS: Final = tables.FEATURES.index("speechiness")
_HANGS_ON_BEAT: Final = tuple(
    tables.FEATURES.index(name) for name in ("time_signature", "danceability", "valence")
)
_LONGEST_MS: Final = 2**31 - 1
_PLAIN_NAME: Final = 400
_WIDE_NAME: Final = 60
_LONGEST_ID: Final = 200


class RowRejection(StrEnum):
    """Why a row is no track."""

    NO_NAME = "no name"
    UNDECODABLE = "not in the file's encoding"
    TOO_LONG = "name too long"


class ParsedRow(NamedTuple):
    """A row as a track."""

    track: SourceTrack
    genres: tuple[str, ...] = ()
    """The first one counts; none: unlabelled."""
    subgenre: tuple[str, str] | None = None
    """A fine genre and the broad one it belongs to."""
    values: Sequence[float] = ()
    """Descriptors, in the order of their columns; NaN where one is missing."""


class RowParser:
    """Parses the rows of one dataset into tracks."""

    def __init__(self, columns: DatasetColumns, own_source: str, last_year: int) -> None:
        """Read rows laid out as `columns`.

        `own_source` is the source of ids that are not Spotify's; a release year after
        `last_year` is a mistake.
        """
        self._at = columns
        self._own_source = own_source
        self._last_year = last_year
        self._has_features = any(index is not None for index in columns.features)
        self._credits = lru_cache(maxsize=65_536)(self._read_credits)
        self.unreadable_cells: Counter[int] = Counter()
        """Cells that say something which cannot be read, by their column."""

    def parse(self, row: Sequence[str]) -> ParsedRow | RowRejection:
        """Return a row as a track, or the reason why it is none."""
        at = self._at
        try:
            genre = _genre(row, at.genre)
            title = cells.clean(row[at.title])
            ids = "" if at.artist_ids is None else row[at.artist_ids]
            credits_ = self._credits(row[at.artists], ids)
            album = None if at.album is None else cells.clean(row[at.album])
        except UnicodeEncodeError:
            return RowRejection.UNDECODABLE
        if cells.is_missing(title) and cells.is_missing(row[at.artists]):
            return RowRejection.NO_NAME
        if credits_ is None or is_name_too_long(title, credits_[0].name):
            return RowRejection.TOO_LONG
        source, source_id = self._address(row)
        if at.artist_ids is not None and source != source_ids.SPOTIFY:
            credits_ = tuple(ArtistCredit(credit.name) for credit in credits_)
        if genre is None and at.genre is not None:
            self._missed(at.genre, row, readable=False)
        released, year = self._released(row)
        track = SourceTrack(
            source,
            source_id,
            title,
            credits_,
            album or None,
            released,
            year,
            self._duration(row),
            self._explicit(row),
            self._popularity(row),
            self._isrc(row),
            self._split(row),
            self._features(row) if self._has_features else None,
        )
        return ParsedRow(track, () if genre is None else (genre,), self._subgenre(row))

    def _subgenre(self, row: Sequence[str]) -> tuple[str, str] | None:
        if self._at.fine_genre is None:
            return None
        fine, broad = _genre(row, self._at.fine_genre), _genre(row, self._at.broad_genre)
        return None if fine is None or broad is None else (fine, broad)

    def _address(self, row: Sequence[str]) -> tuple[str, str]:
        at = self._at.track_id
        if at is None:
            return source_ids.NAME_ONLY, ""
        spotify = source_ids.parse_track_id(row[at])
        if spotify is not None:
            return source_ids.SPOTIFY, spotify
        own = names.clean(row[at])
        if cells.is_missing(own) or len(own) > _LONGEST_ID:
            return source_ids.NAME_ONLY, ""
        return self._own_source, own

    def _read_credits(self, artists: str, ids: str) -> tuple[ArtistCredit, ...] | None:
        """Return the credits; None where a name is too long to be stored."""
        listed = cells.split_list(artists) if self._at.many_artists else [cells.clean(artists)]
        listed = listed or [""]
        if any(is_name_too_long("", name) for name in listed):
            return None
        known = cells.split_list(ids)
        if len(known) != len(listed):
            return tuple(map(ArtistCredit, dict.fromkeys(listed)))
        found = {
            name: ArtistCredit(name, _artist_id(known_as))
            for name, known_as in zip(reversed(listed), reversed(known), strict=True)
        }
        return tuple(found[name] for name in dict.fromkeys(listed))

    def _missed(self, index: int, row: Sequence[str], *, readable: bool) -> None:
        """Note a cell of which nothing was found, where it says something else than that."""
        if not readable and not cells.is_missing(row[index]):
            self.unreadable_cells[index] += 1

    def _explicit(self, row: Sequence[str]) -> bool | None:
        at = self._at.explicit
        if at is None:
            return None
        found = cells.parse_bool(row[at])
        if found is None:
            self._missed(at, row, readable=False)
        return found

    def _popularity(self, row: Sequence[str]) -> int | None:
        at = self._at.popularity
        if at is None:
            return None
        found = cells.parse_integer(row[at], 0, 100)
        if found is None:
            self._missed(at, row, readable=cells.is_number(row[at]))
        return found

    def _isrc(self, row: Sequence[str]) -> str | None:
        at = self._at.isrc
        if at is None:
            return None
        found = cells.parse_isrc(row[at])
        if found is None:
            self._missed(at, row, readable=False)
        return found

    def _released(self, row: Sequence[str]) -> tuple[str | None, int | None]:
        at = self._at
        for index in (at.release_date, at.release_year):
            if index is not None:
                released, year = cells.parse_date(row[index], self._last_year)
                if year is not None:
                    return released, year
                self._missed(index, row, readable=cells.is_date(row[index]))
        return None, None

    def _duration(self, row: Sequence[str]) -> DurationMs | None:
        at = self._at.duration
        if at is None:
            return None
        if self._at.milliseconds:
            found = cells.parse_integer(row[at], 1, _LONGEST_MS)
        else:
            seconds = cells.parse_number(row[at], 0.001, _LONGEST_MS / 1000)
            found = None if seconds is None else round(seconds * 1000)
        if found is None:
            self._missed(at, row, readable=cells.is_number(row[at]))
            return None
        return DurationMs(found)

    def _split(self, row: Sequence[str]) -> str | None:
        at = self._at.split
        if at is None or cells.is_missing(row[at]):
            return None
        return names.clean(row[at])

    def _features(self, row: Sequence[str]) -> AudioFeatures | None:
        values: list[float | None] = []
        for index, (low, high), is_whole in zip(self._at.features, _RANGES, _WHOLE, strict=True):
            if index is None:
                values.append(None)
                continue
            cell = row[index]
            read = cells.parse_category if is_whole else cells.parse_number
            value = read(cell, low, high)
            if value is None:
                self._missed(index, row, readable=cells.is_number(cell))
            values.append(value)
        if values[_TEMPO] is None:
            self._forget_beat(row, values)
        if all(value is None for value in values):
            return None
        return AudioFeatures(*values)  # type: ignore[arg-type]  # whole ones are int by `_WHOLE`

    def _forget_beat(self, row: Sequence[str], values: list[float | None]) -> None:
        """Forget what hangs on the beat where the tempo is 0: the analysis failed."""
        at = self._at.features[_TEMPO]
        if at is None or cells.parse_number(row[at], 0, 0) is None:
            return
        for index in _HANGS_ON_BEAT:
            values[index] = None
        if values[_SPEECHINESS] == 0:
            values[_SPEECHINESS] = None


def _genre(row: Sequence[str], index: int | None) -> str | None:
    if index is None:
        return None
    return _genre_name(row[index])


@lru_cache(maxsize=16_384)
def _genre_name(cell: str) -> str | None:
    """Return a cell's genre: as it stands, but for blanks around and breaks; None for none."""
    name = cells.clean(cell)
    if not name.isprintable():  # no genre can be asked for across two lines
        name = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return None if cells.is_missing(name) or len(name.encode()) > names.MAX_KEY_BYTES else name


def _artist_id(known_as: str) -> str | None:
    plain = known_as.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
    return source_ids.parse_track_id(plain)


def is_name_too_long(title: str, artist: str) -> bool:
    """Say whether a name is longer than the key of an index may be."""
    limit = _PLAIN_NAME if title.isascii() and artist.isascii() else _WIDE_NAME
    if len(title) + len(artist) <= limit:
        return False
    return len(names.name_key(title, artist).encode()) > names.MAX_KEY_BYTES
