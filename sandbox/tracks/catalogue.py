"""The served catalogue: an in-memory index of rows by genre, id and artist, and its search."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from collector.datasets.parsing import cells
from genrebase.store import names
from sandbox import ids
from sandbox.tracks.catalogue_file import CatalogueTable, TableRow
from sandbox.tracks.search_query import SearchQuery
from sandbox.tracks.track_columns import SandboxTrack, TrackColumns

QUERY_CACHE_SIZE: Final = 2_048
"""A client pages through a query, so its rows are cached; enough for all shards of many genres."""


@dataclass(frozen=True, slots=True)
class SandboxArtist:
    """An artist, derived from its rows."""

    id: str
    name: str
    genres: tuple[str, ...]
    """Genres of the artist's rows, the most frequent first."""
    popularity: int
    """Of the most popular track."""


class SandboxCatalogue:
    """All tracks that the sandbox serves."""

    def __init__(self, table: CatalogueTable) -> None:
        """Index the table by genre; other indexes are built at first use.

        The same table gives the same responses.
        """
        self.table = table
        self._columns = TrackColumns(table)
        self._rows = table.rows
        self._genre_names: dict[str, str] = {}
        self._by_genre: dict[str, list[int]] = {}
        for number, row in enumerate(table.rows):
            for genre in self._columns.genres(row):
                self._genre_names.setdefault(genre.casefold(), genre)
                self._by_genre.setdefault(genre.casefold(), []).append(number)
        self._years = lru_cache(maxsize=None)(self._years_of_genre)
        self.search = lru_cache(maxsize=QUERY_CACHE_SIZE)(self._search)

    @property
    def genres(self) -> dict[str, int]:
        """The number of rows per genre, in order of first occurrence."""
        return {self._genre_names[key]: len(rows) for key, rows in self._by_genre.items()}

    def track_at(self, number: int) -> SandboxTrack:
        return self._columns.track(self._rows[number])

    def id_at(self, number: int) -> str:
        return self._columns.id(self._rows[number])

    def album_id_at(self, number: int) -> str:
        return self._columns.album_id(self._rows[number])

    def genre_at(self, number: int) -> str:
        """Return the first genre of a row; empty where it has none."""
        return next(iter(self._columns.genres(self._rows[number])), "")

    def genre_of_track(self, track_id: str) -> str:
        """Return the first genre of the first row with that id; empty where there is none."""
        number = self._by_id.get(track_id)
        return "" if number is None else self.genre_at(number)

    def genres_at(self, number: int) -> tuple[str, ...]:
        """Return the genres of a row."""
        return self._columns.genres(self._rows[number])

    @property
    def has_mbids(self) -> bool:
        """Whether the table has MusicBrainz' ids of its own."""
        return self._columns.has_mbids

    @property
    def n_rows(self) -> int:
        return len(self._rows)

    def cell_at(self, number: int, field_name: str) -> str:
        """Return a text of a row by its field, such as `mbid`; empty where there is none."""
        return self._columns.cell(self._rows[number], field_name)

    def release_date_at(self, number: int) -> str:
        """Return the table's own release date, YYYY to YYYY-MM-DD; empty where it has none."""
        return self._columns.release_date(self._rows[number])

    def artists_at(self, number: int) -> tuple[str, ...]:
        """Return the names of the credited artists of a row."""
        return self._columns.artists(self._rows[number])

    def features_at(self, number: int) -> dict[str, float]:
        """Return those of the 12 audio features that a row has."""
        return self._columns.features(self._rows[number])

    def isrc_at(self, number: int) -> str | None:
        return self._columns.isrc(self._rows[number])

    def rows_of_genre(self, genre: str) -> Sequence[int]:
        """Return the row numbers of a genre."""
        return self._by_genre.get(genre.casefold(), ())

    @property
    def playlists(self) -> dict[str, tuple[str, list[int]]]:
        """Names and row numbers of the table's own playlists, by id; empty where it has none."""
        playlists: dict[str, tuple[str, list[int]]] = {}
        cell = self._columns.cell
        for number, row in enumerate(self._rows if self._columns.has_playlists else ()):
            if key := cell(row, "playlist"):
                playlists.setdefault(key, (cell(row, "playlist_name"), []))[1].append(number)
        return playlists

    def track_by_id(self, track_id: str) -> SandboxTrack | None:
        """Return the first row with that id as a track."""
        number = self._by_id.get(track_id)
        return None if number is None else self.track_at(number)

    def artist_by_id(self, artist_id: str) -> SandboxArtist | None:
        numbers = self._by_artist.get(artist_id)
        if not numbers:
            return None
        rows = [self._rows[number] for number in numbers]
        genres = Counter(genre for row in rows for genre in self._columns.genres(row))
        tracks = [self._columns.track(row) for row in rows]
        name = next(name for name in tracks[0].artists if id_of_artist(name) == artist_id)
        return SandboxArtist(
            id=artist_id,
            name=name,
            genres=tuple(genre for genre, _ in genres.most_common()),
            popularity=max(track.popularity for track in tracks),
        )

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {
            self._columns.id(row): number for number, row in reversed([*enumerate(self._rows)])
        }

    @cached_property
    def _by_artist(self) -> dict[str, list[int]]:
        by_artist: dict[str, list[int]] = {}
        for number, row in enumerate(self._rows):
            for name in self._columns.artists(row):
                by_artist.setdefault(id_of_artist(name), []).append(number)
        return by_artist

    def _years_of_genre(self, genre: str) -> tuple[int, ...]:
        return tuple(self._columns.year(self._rows[number]) for number in self._by_genre[genre])

    def _search(self, query: SearchQuery) -> Sequence[int]:
        """Return the matching row numbers in search order.

        A search with a genre keeps the order of the table, repeated ids included; a search
        without a genre returns each id once.
        """
        if query.genre is None:
            first_rows: dict[str, int] = {}
            for number in self._matching(query, range(len(self._rows))):
                first_rows.setdefault(self.id_at(number), number)
            return tuple(first_rows.values())
        genre = query.genre.strip().casefold()
        numbers: Sequence[int] = self._by_genre.get(genre, ())
        if query.years and numbers:
            first, last = query.years
            years = zip(numbers, self._years(genre), strict=True)
            numbers = [number for number, year in years if first <= year <= last]
        return tuple(self._matching(query, numbers))

    def _matching(self, query: SearchQuery, numbers: Iterable[int]) -> Iterator[int]:
        filters = ((query.track, "title"), (query.album, "album"))
        texts = [(text.casefold(), name) for text, name in filters if text]
        isrc = query.isrc and (cells.parse_isrc(query.isrc) or query.isrc).casefold()
        artist = query.artist and names.normalise(query.artist)
        words = [word.casefold() for word in query.words]
        years = query.years if query.genre is None else None
        cell, artists = self._columns.cell, self._columns.artists
        for number in numbers:
            row = self._rows[number]
            if (
                all(text in cell(row, name).casefold() for text, name in texts)
                and (not isrc or (self._columns.isrc(row) or "").casefold() == isrc)
                and (not artist or artist in names.normalise("; ".join(artists(row))))
                and (not words or all(word in self._text(row) for word in words))
                and (not years or years[0] <= self._columns.year(row) <= years[1])
            ):
                yield number

    def _text(self, row: TableRow) -> str:
        """Return the text that words without a field are searched in."""
        cell = self._columns.cell
        parts = (cell(row, "title"), cell(row, "album"), *self._columns.artists(row))
        return "\n".join(parts).casefold()


def id_of_artist(name: str) -> str:
    return ids.id_from_text(f"artist|{names.normalise(name)}")
