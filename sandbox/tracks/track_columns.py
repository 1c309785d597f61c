"""Column mapping of a catalogue table: cells are read as `collector import` reads them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from collector.datasets.column_roles import columns
from collector.datasets.column_roles.columns import ColumnsMissing, DatasetColumns
from collector.datasets.credits import CreditParser, parse_count, survey_credits
from collector.datasets.parsing import cells, genre_cells
from collector.datasets.parsing.list_cells import UnreadableList
from collector.datasets.scales.number_parser import NumberParser
from collector.datasets.scales.scale_inference import infer_scales
from collector.datasets.survey import TableSummary, summarise
from genrebase.store import names, source_ids
from genrebase.store.tables import FEATURES
from sandbox import ids
from sandbox.errors import UnusableCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable, TableRow

_OTHER_COLUMNS: Final = {
    "album_id": ("trackalbumid", "albumid"),
    "playlist": ("playlistid",),
    "playlist_name": ("playlistname",),
    "mbid": ("recordingmbid", "mbid", "musicbrainzrecordingid", "musicbrainztrackid"),
    "artist_mbid": ("artistmbid", "musicbrainzartistid"),
    "release_mbid": ("releasembid", "musicbrainzalbumid"),
    "release_group_mbid": ("releasegroupmbid", "musicbrainzreleasegroupid"),
    "artist_country": ("artistcountry",),
    "bpm": ("bpm",),
    "key_key": ("keykey",),
    "key_scale": ("keyscale",),
    "key_strength": ("keystrength",),
    "average_loudness": ("averageloudness",),
    "essentia_danceability": ("danceabilitydfa", "danceability"),
    "dynamic_complexity": ("dynamiccomplexity",),
    "chords_key": ("chordskey",),
    "chords_changes_rate": ("chordschangesrate",),
    "artist_term": ("artistterm", "artisttermmsd", "artistterms"),
}
"""Columns that an import does not take."""
_LAST_YEAR: Final = 2100
"""A release year after it is missing; no clock decides what is served."""
_ZERO_WITHOUT_BEAT: Final = ("danceability", "speechiness", "time_signature", "valence")
"""Where its analysis failed, Spotify itself returns 0 for the tempo and these; an import takes
them as missing."""
_UNKNOWN_DATE: Final = "0000"
"""Spotify itself returns it for a date that it does not know."""


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
    """0 where the table has none."""
    explicit: bool
    popularity: int
    isrc: str | None
    features: Mapping[str, float]
    """Those of the 12 audio features that the row has."""


class TrackColumns:
    """Reads the fields of a row."""

    def __init__(self, table: CatalogueTable) -> None:
        """Find the fields; raise `UnusableCatalogue` where a required one is missing.

        Content decides as in an import; the columns of a synthetic table need no survey.
        """
        header, default_genre = table.columns, table.default_genre
        rows = () if table.kind == "synthetic" else table.rows
        self._default_genre = default_genre
        cells_of = zip(*rows, strict=True)
        summary = {at: summarise(header[at], column) for at, column in enumerate(cells_of)}
        keys = {columns.column_key(column): i for i, column in reversed([*enumerate(header)])}
        others = {
            field: next((keys[key] for key in candidates if key in keys), None)
            for field, candidates in _OTHER_COLUMNS.items()
        }
        needs_genre = not default_genre
        self._at = _find_columns(header, table.name, summary, others, needs_genre=needs_genre)
        self._numbers: NumberParser = infer_scales(self._at, summary, _LAST_YEAR).parser
        at = self._at
        names = survey_credits(lambda: rows, at, summary)
        self._credits = CreditParser(many=at.many_artists, names=names)
        self._positions = {"title": at.title, "album": at.album, "isrc": at.isrc, **others}

    @property
    def has_playlists(self) -> bool:
        """Whether the table has playlists of its own."""
        return self._positions["playlist"] is not None

    @property
    def has_mbids(self) -> bool:
        """Whether the table has MusicBrainz' ids of its own."""
        return self._positions["mbid"] is not None

    def cell(self, row: TableRow, field_name: str) -> str:
        """Return a text without surrounding blanks; empty where there is none."""
        position = self._positions[field_name]
        return "" if position is None else cells.plain_text(row[position]).strip()

    def genres(self, row: TableRow) -> tuple[str, ...]:
        """Return the genres a row is listed under, each once."""
        given = [row[at] for at in (self._at.genre, self._at.fine_genre) if at is not None]
        split = (genre_cells.split_cell(cell, self._at.genre_separator) for cell in given)
        genres = tuple(dict.fromkeys(genre for genres in split for genre in genres))
        return genres or ((self._default_genre,) if self._default_genre else ())

    def artists(self, row: TableRow) -> tuple[str, ...]:
        at = self._at
        artist_ids = "" if at.artist_ids is None else row[at.artist_ids]
        count = parse_count(row, at.artist_count)
        try:
            parsed = self._credits.parse(row[at.artists], artist_ids, count)
        except (UnreadableList, UnicodeEncodeError):
            return ("",)
        return tuple(credit.name for credit in parsed.artists)

    def id(self, row: TableRow) -> str:
        """Return the track's id: the table's, or one hashed from title and primary artist."""
        given = "" if self._at.track_id is None else row[self._at.track_id].strip()
        return (
            source_ids.parse_track_id(given)
            or given
            or ids.id_from_text(
                f"track|{names.name_key(self.cell(row, 'title'), self.artists(row)[0])}"
            )
        )

    def year(self, row: TableRow) -> int:
        """Return the year for searches: of the release, or derived from the id."""
        return self._numbers.released(row)[1] or ids.year_from_id(self.id(row))

    def release_date(self, row: TableRow) -> str:
        """Return the table's own date of the release, YYYY to YYYY-MM-DD; empty without one."""
        return self._numbers.released(row)[0] or ""

    def isrc(self, row: TableRow) -> str | None:
        text = self.cell(row, "isrc")
        return cells.parse_isrc(text) or text or None

    def album_id(self, row: TableRow) -> str:
        """Return the album's id: the table's, or one hashed from its name and primary artist."""
        if given := self.cell(row, "album_id"):
            return given
        album = self.cell(row, "album")
        key = f"{names.normalise(album)}|{names.normalise(self.artists(row)[0])}"
        return ids.id_from_text(f"album|{key if album else self.id(row)}")

    def track(self, row: TableRow) -> SandboxTrack:
        """Return a row with the fields of the API's responses."""
        explicit = self._at.explicit
        return SandboxTrack(
            id=self.id(row),
            title=self.cell(row, "title"),
            artists=self.artists(row),
            album=self.cell(row, "album"),
            album_id=self.album_id(row),
            release_date=self._release_date(row),
            duration_ms=self._numbers.duration(row) or 0,
            explicit=explicit is not None and cells.parse_bool(row[explicit]) is True,
            popularity=self._numbers.popularity(row) or 0,
            isrc=self.isrc(row),
            features=self.features(row),
        )

    def _release_date(self, row: TableRow) -> str:
        text, _ = self._numbers.released(row)
        if text is None and any(row[at].strip() == _UNKNOWN_DATE for at in self._at.dates):
            return _UNKNOWN_DATE
        return text or str(self.year(row))

    def features(self, row: TableRow) -> dict[str, float]:
        """Return those of the 12 audio features that a row has."""
        features = self._numbers.features(row)
        values = {name: getattr(features, name, None) for name in FEATURES}
        at = {name: self._at.numeric.get(name) for name in ("tempo", *_ZERO_WITHOUT_BEAT)}
        zeros = {
            name
            for name, column in at.items()
            if column and cells.parse_number(row[column.position], 0, 0) is not None
        }
        if "tempo" in zeros:
            values |= dict.fromkeys(zeros, 0)
        return {name: value for name, value in values.items() if value is not None}


def _find_columns(
    header: Sequence[str],
    name: str,
    summary: TableSummary,
    others: Mapping[str, int | None],
    *,
    needs_genre: bool,
) -> DatasetColumns:
    try:
        at = columns.find_columns(header, survey=summary)
    except ColumnsMissing as error:
        raise UnusableCatalogue(
            f"{name} has no column for {' and none for '.join(error.missing)}. "
            f"It has: {columns.list_names(header)}."
        ) from error
    if at.genre is None and others["mbid"] is not None:  # MusicBrainz has untagged recordings
        return replace(at, genre=others["artist_term"])
    if at.genre is None and needs_genre:
        raise UnusableCatalogue(
            f"{name} has no column for the genre: it needs one of genre, track_genre, "
            "playlist_genre, genres, label; or give --genre. "
            f"It has: {columns.list_names(header)}."
        )
    return at
