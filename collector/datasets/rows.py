"""Parse the rows of a dataset into tracks, with a reason for every rejected row."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from collector.acousticbrainz_submissions import RecordingSubmissions
from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.credits import CreditNames, CreditParser, Credits, parse_count
from collector.datasets.parsing import cells, genre_cells, list_cells
from collector.datasets.scales.number_parser import NumberParser
from collector.records import ArtistCredit, GenreVote, SourceTrack
from genrebase import licences
from genrebase.counts import counted
from genrebase.store import names, source_ids

_MAX_ASCII_NAME: Final = 400
_MAX_SAFE_NAME: Final = 60
"""Characters that always fit into an index key; longer names are measured in bytes."""
_MAX_ID: Final = 200
_SPECIAL_STARTS: Final = cells.MISSING_STARTS | {"b", "B"}
"""First characters of texts that may mean a missing value, or be Python's bytes."""

_SEPARATE_GENRES: Final = "if they are lists: --genre-separator ,"
_ARTISTS: Final = "with a column of the artists' ids or their number they can be split."

_ONE_ARTIST: Final = (
    "if they are lists: --column artists={}; then a cell is split whose names other rows have."
)
_SHORTENED: Final = (
    "{} of {} with '...', which numpy wrote for names that it left out: these names are missing. "
    "Write the column again as lists, such as with .tolist()."
)

_Value = TypeVar("_Value")


class RowRejection(StrEnum):
    """Why a row is rejected."""

    NO_NAME = "no name"
    UNDECODABLE = "not in the file's encoding"
    HALF_CHARACTER = "half of a character (a lone surrogate)"
    UNREADABLE_ARTISTS = "the list of artists is damaged"
    TOO_LONG = "name too long"
    NO_DOCUMENT = "no low-level document of Essentia"

    @classmethod
    def of_text(cls, error: UnicodeEncodeError) -> "RowRejection":
        """Return why a text cannot be stored."""
        is_cut = cells.has_half_character(str(error.object))
        return cls.HALF_CHARACTER if is_cut else cls.UNDECODABLE


class ParsedRow(NamedTuple):
    """A row as a track."""

    track: SourceTrack
    genres: tuple[str, ...] = ()
    """The first one is the claim; empty: unlabelled."""
    subgenre: tuple[str, str] | None = None
    """A fine genre and the broad one it belongs to."""
    values: Sequence[float] = ()
    """Descriptors, in the order of their columns; NaN where one is missing."""
    votes: Sequence[tuple[GenreVote, int]] = ()
    """Votes for its genres, with the rank of each; empty: the source has none."""
    recording: RecordingSubmissions | None = None
    """AcousticBrainz' numbers of its recording."""
    playlist: str | None = None
    """The playlist that the row is from."""


class RowParser:
    """Parses the rows of one dataset into tracks."""

    def __init__(
        self,
        columns: DatasetColumns,
        own_source: str,
        numbers: NumberParser,
        *,
        credit_names: CreditNames | None = None,
        genre_separator: str | None = None,
        shared_ids: Container[int] = (),
    ) -> None:
        """Parse rows with `columns`, and their numbers and dates with `numbers`.

        `own_source` is the source of ids that are not Spotify's. `credit_names` are the artists
        that are alone in a cell of the table; `genre_separator` separates genres in a cell,
        besides `;` and `|`. `shared_ids` are hashes of Spotify ids that stand beside several
        titles: each is taken for the first of them.
        """
        self._at = self.columns = columns
        self._own_source = own_source
        self._numbers = numbers
        self._credits = CreditParser(many=columns.many_artists, names=credit_names)
        self._separator = genre_separator or columns.genre_separator
        self._shared_ids = shared_ids
        self._titles_of_ids: dict[str, str] = {}
        self.conflicts = 0
        """Rows with a Spotify id that an earlier row has with another title."""
        self.unreadable_cells: Counter[int] = Counter()
        """Per column, non-empty cells that could not be parsed."""
        self.comma_cells: Counter[int] = Counter()
        """Per column, cells with a comma that were taken as one name and may be several; of
        artists, with a slash between blanks, too."""
        artists = (columns.artists, *columns.more_artists, columns.main_artist)
        self._artist_columns = {index for index in artists if index is not None}
        named = (*artists, columns.genre, columns.fine_genre)
        self._list_columns = {index for index in named if index is not None}
        self.shortened_cells: Counter[int] = Counter()
        """Per column, lists of artists or genres from which numpy left items out."""

    def parse(self, row: Sequence[str]) -> ParsedRow | RowRejection:
        """Return a row as a track, or the reason for its rejection."""
        at = self._at
        try:
            title = _text(row[at.title])
            credits_ = self._parse_credits(row)
            album = None if at.album is None else _text(row[at.album])
            genres, subgenre = self._genres(row, at.genre), self._subgenre(row)
        except UnicodeEncodeError as error:
            return RowRejection.of_text(error)
        except list_cells.UnreadableList:
            self.unreadable_cells[at.artists] += 1
            return RowRejection.UNREADABLE_ARTISTS
        artists = credits_.artists
        if cells.is_missing(title) and all(
            list_cells.is_blank(row[index]) for index in self._artist_columns
        ):
            return RowRejection.NO_NAME
        longest = max([credit.name for credit in artists], key=len)
        if is_name_too_long(title, artists[0].name) or is_name_too_long("", longest):
            return RowRejection.TOO_LONG
        source, source_id = self._alias(row, title)
        if source != source_ids.SPOTIFY:  # ids of artists are of the track's source
            artists = tuple([ArtistCredit(credit.name) for credit in artists])
        isrc = self._value(at.isrc, row, cells.parse_isrc)
        is_named = bool(title and artists[0].name)
        if not is_named and source == source_ids.NAME_ONLY and isrc is None:
            source, source_id = self._own_source, _content_id(row)
        released, year = self._numbers.released(row)
        self.shortened_cells.update(
            index for index in self._list_columns if list_cells.is_shortened(row[index])
        )
        track = SourceTrack(
            source,
            source_id,
            title,
            artists,
            album or None,
            released,
            year,
            self._numbers.duration(row),
            self._value(at.explicit, row, cells.parse_bool),
            self._numbers.popularity(row),
            isrc,
            self._value(at.split, row, _name),
            self._numbers.features(row),
            match_by_name=is_named,
            licence=self._licence(row),
        )
        playlist = self._value(at.playlist, row, _name)
        return ParsedRow(track, genres, subgenre, playlist=playlist and playlist[:_MAX_ID])

    def _parse_credits(self, row: Sequence[str]) -> Credits:
        at = self._at
        ids = "" if at.artist_ids is None else row[at.artist_ids]
        artists = row[at.artists]
        if at.main_artist is not None and list_cells.is_blank(artists):
            artists = row[at.main_artist]
        if at.more_artists:
            artists = _as_list([artists, *(row[more] for more in at.more_artists)])
        parsed = self._credits.parse(artists, ids, parse_count(row, at.artist_count))
        if parsed.ids_unreadable and at.artist_ids is not None:
            self.unreadable_cells[at.artist_ids] += 1
        if parsed.may_be_several:
            self.comma_cells[at.artists] += 1
        return parsed

    def _genres(self, row: Sequence[str], index: int | None) -> tuple[str, ...]:
        """Return the genres of a cell; count the cell if it is neither a genre nor missing."""
        if index is None:
            return ()
        cell = cells.clean(row[index])
        genres = genre_cells.split_cell(cell, self._separator)
        if not genres and not genre_cells.is_blank(cell):
            self.unreadable_cells[index] += 1
        if self._separator is None and genre_cells.may_be_list(cell):
            self.comma_cells[index] += 1
        return genres

    def hints(self, header: Sequence[str]) -> Iterator[str]:
        """Yield advice on cells that may be several names or lack some, one message per column."""
        for column, shortened in self.shortened_cells.items():
            name = cells.escape_unprintable(header[column])
            yield _SHORTENED.format(counted(shortened, "cell"), name)
        artists = _ARTISTS if self._at.many_artists else _ONE_ARTIST
        for index, option in ((self._at.genre, _SEPARATE_GENRES), (self._at.artists, artists)):
            if index is not None and (count := self.comma_cells[index]):
                name = cells.escape_unprintable(header[index])
                cells_ = f"{counted(count, 'cell')} of {name}"
                advice = option.format(name)
                slash = " or a slash between blanks" if index == self._at.artists else ""
                yield f"{cells_} with a comma{slash}, taken as one name each; {advice}"

    def _subgenre(self, row: Sequence[str]) -> tuple[str, str] | None:
        at = self._at
        if at.fine_genre is None or at.broad_genre is None:
            return None
        fine = genre_cells.split_cell(cells.clean(row[at.fine_genre]), self._separator)
        broad = genre_cells.split_cell(cells.clean(row[at.broad_genre]), self._separator)
        return (fine[0], broad[0]) if fine and broad else None

    def _alias(self, row: Sequence[str], title: str) -> tuple[str, str]:
        at = self._at.track_id
        if at is None:
            return source_ids.NAME_ONLY, ""
        cell = row[at]
        if source_ids.is_spotify_id(cell):
            return self._of_title(cell, title)
        text = cells.plain_text(cell)
        spotify = source_ids.parse_track_id(text)
        if spotify is not None:
            return self._of_title(spotify, title)
        own = names.clean(text)
        if cells.is_missing(own) or len(own) > _MAX_ID:
            return source_ids.NAME_ONLY, ""
        return self._own_source, own

    def _of_title(self, spotify: str, title: str) -> tuple[str, str]:
        """Return the alias of a Spotify id, unless an earlier row has it with another title."""
        if hash(spotify) in self._shared_ids:
            key = names.normalise_title(title)
            if self._titles_of_ids.setdefault(spotify, key) != key:
                self.conflicts += 1
                return source_ids.NAME_ONLY, ""
        return source_ids.SPOTIFY, spotify

    def _value(
        self, index: int | None, row: Sequence[str], parse: Callable[[str], _Value | None]
    ) -> _Value | None:
        """Parse a cell, and count it if it is neither parsed nor a missing value."""
        if index is None:
            return None
        value = parse(row[index])
        if value is None and not cells.is_missing(row[index]):
            self.unreadable_cells[index] += 1
        return value

    def _licence(self, row: Sequence[str]) -> str | None:
        """Return a row's own licence; one that cannot be read is unknown, and counted."""
        at = self._at.licence
        if at is None or cells.is_missing(row[at]):
            return None
        licence = licences.parse_licence(row[at])
        self.unreadable_cells[at] += licence == licences.UNKNOWN
        return licence


def _text(cell: str) -> str:
    r"""Return a title or an album, with Python's bytes and HTML references decoded.

    It is empty for a mark such as `\N`; a word such as None may be a title.
    """
    text = cells.clean(cell)
    if text and text[0] not in _SPECIAL_STARTS and "&" not in text:
        return text
    if cells.is_mark_of_missing(text):
        return ""
    decoded = cells.plain_text(text)
    return text if decoded is text else names.clean(decoded)


def _name(cell: str) -> str | None:
    return None if cells.is_missing(cell) else names.clean(cell)


def _as_list(given: Sequence[str]) -> str:
    """Return several cells as one that is a list; one that is alone stays as it is."""
    filled = [cell for cell in given if not cells.is_missing(cell)]
    return json.dumps(filled) if len(filled) > 1 else "".join(filled)


def _content_id(row: Sequence[str]) -> str:
    """Return the id of a row by all its cells: without a title or an artist it has no other."""
    joined = "\0".join(row)
    try:
        text = joined.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a character, in a cell of no field
        text = joined.encode("utf-8", "surrogatepass")
    return f"row {hashlib.sha256(text).hexdigest()[:32]}"


def is_name_too_long(title: str, artist: str) -> bool:
    """Return whether a name is longer than an index key may be."""
    limit = _MAX_ASCII_NAME if title.isascii() and artist.isascii() else _MAX_SAFE_NAME
    if len(title) + len(artist) <= limit:
        return False
    return len(names.name_key(title, artist).encode()) > names.MAX_KEY_BYTES
