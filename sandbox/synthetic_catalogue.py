"""Invented music: ten genres that overlap, re-releases, featured artists, long tails.

The seed decides everything. The music is made as the very table that `--write` saves, so the
saved file serves the same answers.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import numpy as np

from genrebase.store.tables import FEATURES
from sandbox import ids, synthetic_features
from sandbox.catalogue_file import ARTIST_SEPARATOR, CatalogueTable, TableRow, to_csv
from sandbox.synthetic_genres import GENRE_PROFILES
from sandbox.synthetic_names import ArtistName, NameGenerator

TRACKS_PER_GENRE: Final = 5_000
"""Recordings at home in each genre."""
ARTISTS_PER_GENRE: Final = 700
"""Artists at home in each genre."""
SHARE_WITH_FEATURES: Final = 0.97
REISSUE_SHARE: Final = 0.07
"""Share of recordings that exist under a second id."""
COLUMNS: Final = (
    "track_id",
    "track_name",
    "artists",
    "album_name",
    "release_date",
    "popularity",
    "duration_ms",
    "explicit",
    "isrc",
    *FEATURES,
    "track_genre",
)
_TAIL: Final = 0.8
"""Exponent of Zipf's law: how much more the famous have recorded than the others."""
_CROSSING_ARTISTS: Final = 0.3
"""Share of artists who make nearly all of what is shown under a second genre."""
_YEARS: Final = (1950, 2026)
_CAREER: Final = 4.0
"""Standard deviation, in years, of an artist's recordings."""
_NO_FEATURES: Final = ("",) * len(FEATURES)


@dataclass(frozen=True, slots=True)
class _Artist:
    name: ArtistName
    fame: float
    """Popularity of the artist's tracks on average."""
    year: float
    crosses: bool


@dataclass(frozen=True, slots=True)
class _Recording:
    id: str
    title: str
    artists: tuple[str, ...]
    album: str
    release_date: str
    popularity: int
    duration_ms: int
    explicit: bool
    isrc: str
    features: tuple[str, ...]
    genres: tuple[str, ...]
    """Where it is shown; the first is its home."""

    def row(self, genre: str) -> TableRow:
        return (
            self.id,
            self.title,
            ARTIST_SEPARATOR.join(self.artists),
            self.album,
            self.release_date,
            str(self.popularity),
            str(self.duration_ms),
            str(self.explicit),
            self.isrc,
            *self.features,
            genre,
        )


def generate_catalogue(
    seed: int, tracks: int = TRACKS_PER_GENRE, artists: int = ARTISTS_PER_GENRE
) -> CatalogueTable:
    """Invent music: per genre so many recordings by so many artists."""
    studio = _Studio(seed, tracks, artists)
    shown: dict[str, list[tuple[float, str, TableRow]]] = {genre: [] for genre in GENRE_PROFILES}
    for genre in GENRE_PROFILES:
        for recording in studio.record(genre):
            for place, under in enumerate(recording.genres):
                order = studio.order(recording.popularity, guest=place > 0)
                shown[under].append((order, recording.id, recording.row(under)))
    rows = [row for genre in shown for _, _, row in sorted(shown[genre])]
    sha256 = hashlib.sha256(to_csv(COLUMNS, rows).encode()).hexdigest()
    return CatalogueTable(COLUMNS, rows, f"seed {seed}", sha256, "synthetic")


class _Studio:
    """Where it is all made; every draw comes from the seed, in one order."""

    def __init__(self, seed: int, tracks: int, artists: int) -> None:
        self._seed, self._tracks, self._n_artists = seed, tracks, artists
        self._numbers = np.random.default_rng(seed)
        self._random = Random(seed)
        self._naming = NameGenerator(self._random)
        self._made = 0
        self._rosters = {genre: self._roster(genre) for genre in GENRE_PROFILES}

    def order(self, popularity: int, *, guest: bool) -> float:
        """Return where a search shows a track: the popular first, guests a little later."""
        return -(popularity + self._random.gauss(0, 5) - (8 if guest else 0))

    def record(self, genre: str) -> Iterator[_Recording]:
        """Make a genre's recordings, each followed by its re-release if there is one."""
        roster = self._rosters[genre]
        weights = 1 / (np.arange(len(roster)) + 3.0) ** _TAIL
        numbers = self._numbers.choice(len(roster), self._tracks, p=weights / weights.sum())
        artists = sorted(numbers.tolist())
        also = [self._shown_under(genre, roster[number]) for number in artists]
        features = synthetic_features.draw_features(
            self._numbers, genre, artists, [more[0] if more else None for more in also]
        )
        albums: dict[tuple[str, int], tuple[str, str]] = {}
        for number, more, drawn in zip(artists, also, features, strict=True):
            recording = self._recording(genre, roster[number], more, albums)
            known = self._random.random() < SHARE_WITH_FEATURES
            recording = replace(recording, features=drawn if known else _NO_FEATURES)
            yield recording
            if self._random.random() < REISSUE_SHARE:
                yield self._reissue(recording)

    def _roster(self, genre: str) -> Sequence[_Artist]:
        mean, spread = GENRE_PROFILES[genre].years
        return [
            _Artist(
                name=self._naming.artist(genre),
                fame=76 - 8.5 * float(np.log(rank)) + self._random.gauss(0, 6),
                year=self._random.gauss(mean, spread),
                crosses=self._random.random() < _CROSSING_ARTISTS,
            )
            for rank in range(1, self._n_artists + 1)
        ]

    def _recording(
        self,
        genre: str,
        artist: _Artist,
        also: tuple[str, ...],
        albums: dict[tuple[str, int], tuple[str, str]],
    ) -> _Recording:
        random, profile = self._random, GENRE_PROFILES[genre]
        year = self._year(artist)
        title = self._naming.title(genre, artist.name)
        names = [artist.name.text]
        if random.random() < profile.featured:
            guest = random.choice(self._rosters[random.choice([genre, *profile.shared])])
            if guest is not artist:
                names.append(guest.name.text)
        credit = f" (feat. {names[1]})" if len(names) > 1 and random.random() < 0.6 else ""
        key = (names[0], year)
        if key not in albums:
            albums[key] = (self._naming.album(genre, artist.name), self._date(year))
        album, date = albums[key]
        if random.random() < 0.25:
            album, date = title + credit, self._date(year)
        number = self._number()
        return _Recording(
            id=ids.id_from_text(f"synthetic|{self._seed}|{number}"),
            title=title + credit,
            artists=tuple(names),
            album=album,
            release_date=date,
            popularity=self._popularity(artist.fame, year),
            duration_ms=int(60_000 * profile.minutes * random.lognormvariate(0, 0.26)),
            explicit=random.random() < profile.explicit,
            isrc=_isrc(artist.name.country, year, number),
            features=_NO_FEATURES,
            genres=(genre, *also),
        )

    def _reissue(self, first: _Recording) -> _Recording:
        """Return the same recording under another id, as labels put it out again."""
        random = self._random
        released = int(first.release_date[:4])
        kind = random.choice(("remastered", "remastered", "single", "compilation"))
        year = random.randint(min(released + 5, _YEARS[1]), _YEARS[1])
        date = first.release_date if kind == "single" else self._date(year)
        suffix = {
            "remastered": f" - Remastered {year}",
            "single": " - Single Version",
            "compilation": "",
        }[kind]
        album = {
            "remastered": f"{first.album} (Remastered)",
            "single": first.title,
            "compilation": f"The Essential {first.artists[0]}",
        }[kind]
        return replace(
            first,
            id=ids.id_from_text(f"synthetic|{self._seed}|{self._number()}"),
            title=first.title + suffix,
            album=album,
            release_date=date,
            popularity=max(0, first.popularity - random.randint(0, 15)),
            duration_ms=first.duration_ms + random.randint(-1_500, 1_500),
        )

    def _shown_under(self, genre: str, artist: _Artist) -> tuple[str, ...]:
        shared: Mapping[str, float] = GENRE_PROFILES[genre].shared
        factor = 0.9 / _CROSSING_ARTISTS if artist.crosses else 0.1 / (1 - _CROSSING_ARTISTS)
        return tuple(
            other for other, share in shared.items() if self._random.random() < share * factor
        )

    def _year(self, artist: _Artist) -> int:
        first, last = _YEARS
        year = round(self._random.gauss(artist.year, _CAREER))
        # Who falls out of the years there are is put anywhere near the end it fell over.
        if year > last:
            return last - int(self._random.expovariate(1 / 6)) % 30
        return year if year >= first else first + int(self._random.expovariate(1 / 6)) % 30

    def _date(self, year: int) -> str:
        random = self._random
        exact = f"{year}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        return exact if random.random() < (0.5 if year < 1970 else 0.9) else str(year)

    def _popularity(self, fame: float, year: int) -> int:
        aged = 0.15 * (_YEARS[1] - year)
        return min(100, max(0, round(self._random.gauss(fame - aged, 9))))

    def _number(self) -> int:
        self._made += 1
        return self._made


def _isrc(country: str, year: int, number: int) -> str:
    return f"{country}G{number // 100_000:02}{year % 100:02}{number % 100_000:05}"
