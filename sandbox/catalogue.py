"""The music the sandbox knows: rows in search order per genre, found by query or by id."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal

from genrebase.store import names
from sandbox import ids
from sandbox.catalogue_file import CatalogueTable, TableRow
from sandbox.search_query import SearchQuery
from sandbox.track_columns import SandboxTrack, TrackColumns

QUERY_CACHE_SIZE: Final = 2_048
"""A crawl pages through a query, so its rows are kept; enough for every shard of many genres."""


@dataclass(frozen=True, slots=True)
class ServedOrigin:
    """Where the music comes from: the same origin, the same answers."""

    kind: Literal["synthetic", "file"]
    detail: str
    """`seed 1`, or the file's name."""
    sha256: str
    """Of everything there is."""


@dataclass(frozen=True, slots=True)
class SandboxArtist:
    """An artist, as far as the rows tell."""

    id: str
    name: str
    genres: tuple[str, ...]
    """Those the artist is found under, the most frequent first."""
    popularity: int
    """Of the most popular track."""


class SandboxCatalogue:
    """Everything the sandbox can answer from."""

    def __init__(self, table: CatalogueTable) -> None:
        """Index the table's genres; whatever else is needed is made at first use."""
        self.origin = ServedOrigin(table.kind, table.name, table.sha256)
        self._layout = TrackColumns.from_header(table.columns, table.name)
        self._rows = table.rows
        self._spelled: dict[str, str] = {}
        self._by_genre: dict[str, list[int]] = {}
        for number, row in enumerate(table.rows):
            for genre in self._layout.genres(row):
                key = genre.casefold()
                if key not in self._by_genre:
                    self._spelled[key] = genre
                    self._by_genre[key] = []
                self._by_genre[key].append(number)
        self._years = lru_cache(maxsize=None)(self._years_of)
        self.search = lru_cache(maxsize=QUERY_CACHE_SIZE)(self._find)

    @property
    def genres(self) -> dict[str, int]:
        """The genres and how many rows each has, as they first come."""
        return {self._spelled[key]: len(rows) for key, rows in self._by_genre.items()}

    def track_at(self, number: int) -> SandboxTrack:
        """Return the row of that number."""
        return self._layout.track(self._rows[number])

    def id_at(self, number: int) -> str:
        """Return the id of the row of that number."""
        return self._layout.id(self._rows[number])

    def genre_at(self, number: int) -> str:
        """Return the first genre the row of that number is found under."""
        return next(iter(self._layout.genres(self._rows[number])), "")

    def genre_of_track(self, track_id: str) -> str:
        """Return the first genre of the first row of that id; empty where there is none."""
        number = self._by_id.get(track_id)
        return "" if number is None else self.genre_at(number)

    def rows_of_genre(self, genre: str) -> Sequence[int]:
        """Return the numbers of a genre's rows."""
        return self._by_genre.get(genre.casefold(), ())

    @property
    def playlists(self) -> dict[str, tuple[str, list[int]]]:
        """The table's own playlists: by id the name and the rows; empty where it has none."""
        found: dict[str, tuple[str, list[int]]] = {}
        cell = self._layout.cell
        for number, row in enumerate(self._rows if "playlist" in self._layout.positions else ()):
            if key := cell(row, "playlist"):
                found.setdefault(key, (cell(row, "playlist_name"), []))[1].append(number)
        return found

    def track_by_id(self, track_id: str) -> SandboxTrack | None:
        """Return the first row of that id."""
        number = self._by_id.get(track_id)
        return None if number is None else self.track_at(number)

    def artist_by_id(self, artist_id: str) -> SandboxArtist | None:
        """Return the artist of that id."""
        numbers = self._by_artist.get(artist_id)
        if not numbers:
            return None
        rows = [self._rows[number] for number in numbers]
        found = Counter(genre for row in rows for genre in self._layout.genres(row))
        tracks = [self._layout.track(row) for row in rows]
        name = next(name for name in tracks[0].artists if artist_id_of(name) == artist_id)
        return SandboxArtist(
            id=artist_id,
            name=name,
            genres=tuple(genre for genre, _ in found.most_common()),
            popularity=max(track.popularity for track in tracks),
        )

    @cached_property
    def _by_id(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for number, row in enumerate(self._rows):
            found.setdefault(self._layout.id(row), number)
        return found

    @cached_property
    def _by_artist(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, row in enumerate(self._rows):
            for name in self._layout.artists(row):
                found.setdefault(artist_id_of(name), []).append(number)
        return found

    def _years_of(self, genre: str) -> tuple[int, ...]:
        return tuple(self._layout.year(self._rows[number]) for number in self._by_genre[genre])

    def _find(self, query: SearchQuery) -> Sequence[int]:
        """Return the numbers of the rows `query` asks for, in search order.

        Under a genre they come as the table has them, repeated ids included; a search without a
        genre shows each id once.
        """
        if query.genre is None:
            return tuple(self._once(self._matching(query, range(len(self._rows)))))
        genre = query.genre.strip().casefold()
        numbers: Sequence[int] = self._by_genre.get(genre, ())
        if query.years and numbers:
            first, last = query.years
            years = zip(numbers, self._years(genre), strict=True)
            numbers = [number for number, year in years if first <= year <= last]
        return tuple(self._matching(query, numbers))

    def _matching(self, query: SearchQuery, numbers: Iterable[int]) -> Iterator[int]:
        fields = ((query.track, "title"), (query.album, "album"))
        wanted = [(text.casefold(), what) for text, what in fields if text]
        isrc = query.isrc and query.isrc.casefold()
        artist = query.artist and names.normalise(query.artist)
        words = [word.casefold() for word in query.words]
        years = query.years if query.genre is None else None
        for number in numbers:
            row = self._rows[number]
            cell = self._layout.cell
            if (
                all(text in cell(row, what).casefold() for text, what in wanted)
                and (not isrc or cell(row, "isrc").casefold() == isrc)
                and (not artist or artist in names.normalise("; ".join(self._layout.artists(row))))
                and (not words or all(word in self._text(row) for word in words))
                and (not years or years[0] <= self._layout.year(row) <= years[1])
            ):
                yield number

    def _text(self, row: TableRow) -> str:
        cell = self._layout.cell
        parts = (cell(row, "title"), cell(row, "album"), *self._layout.artists(row))
        return "\n".join(parts).casefold()

    def _once(self, numbers: Iterable[int]) -> Iterator[int]:
        seen = set()
        for number in numbers:
            track_id = self._layout.id(self._rows[number])
            if track_id not in seen:
                seen.add(track_id)
                yield number


def artist_id_of(name: str) -> str:
    """Return the id of the artist of that name."""
    return ids.id_from_text(f"artist|{names.normalise(name)}")
