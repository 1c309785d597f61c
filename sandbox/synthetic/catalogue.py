"""Synthetic music: ten overlapping genres, re-releases, featured artists, long-tail popularity.

The seed decides everything. The result is the very table that `--write` saves, so a sandbox over
the saved file gives the same responses.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import numpy as np

from genrebase.store.tables import FEATURES
from sandbox import ids
from sandbox.synthetic.features import draw_features
from sandbox.synthetic.genre_profiles import GENRE_PROFILES
from sandbox.synthetic.names import ArtistName, NameGenerator
from sandbox.tracks.catalogue_file import ARTIST_SEPARATOR, CatalogueTable, TableRow, to_csv

TRACKS_PER_GENRE: Final = 5_000
"""Recordings per home genre."""
ARTISTS_PER_GENRE: Final = 700
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
_ZIPF_EXPONENT: Final = 0.8
"""Of Zipf's law: how many more recordings popular artists have than the others."""
_CROSSOVER_ARTISTS: Final = 0.3
"""Share of artists who make nearly all tracks that are listed under a second genre."""
_YEARS: Final = (1950, 2026)
_CAREER_YEARS: Final = 4.0
"""Standard deviation, in years, of an artist's recordings."""
_NO_FEATURES: Final = ("",) * len(FEATURES)


@dataclass(frozen=True, slots=True)
class _SyntheticArtist:
    name: ArtistName
    popularity: float
    """Mean popularity of the artist's tracks."""
    year: float
    is_crossover: bool


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
    """Genres it is listed under; the first is its home genre."""

    def row(self, genre: str) -> TableRow:
        artists = ARTIST_SEPARATOR.join(self.artists)
        texts = (self.id, self.title, artists, self.album, self.release_date)
        values = map(str, (self.popularity, self.duration_ms, self.explicit))
        return (*texts, *values, self.isrc, *self.features, genre)


def generate_catalogue(
    seed: int, tracks: int = TRACKS_PER_GENRE, artists: int = ARTISTS_PER_GENRE
) -> CatalogueTable:
    """Generate `tracks` recordings by `artists` artists per genre."""
    generator = _CatalogueGenerator(seed, tracks, artists)
    listed: dict[str, list[tuple[float, str, TableRow]]] = {genre: [] for genre in GENRE_PROFILES}
    for home in GENRE_PROFILES:
        for recording in generator.recordings(home):
            for genre in recording.genres:
                order = generator.sort_key(recording.popularity, is_home=genre == home)
                listed[genre].append((order, recording.id, recording.row(genre)))
    rows = [row for genre in listed for _, _, row in sorted(listed[genre])]
    sha256 = hashlib.sha256(to_csv(COLUMNS, rows).encode()).hexdigest()
    return CatalogueTable(COLUMNS, rows, f"seed {seed}", sha256, "synthetic")


class _CatalogueGenerator:
    """Generates recordings; every draw comes from the seed, in one order."""

    def __init__(self, seed: int, tracks: int, artists: int) -> None:
        self._seed, self._n_tracks, self._n_artists = seed, tracks, artists
        self._numpy_random = np.random.default_rng(seed)
        self._random = Random(seed)
        self._names = NameGenerator(self._random)
        self._n_recordings = 0
        self._artists = {genre: self._draw_artists(genre) for genre in GENRE_PROFILES}

    def sort_key(self, popularity: int, *, is_home: bool) -> float:
        """Return a track's place in a search: popular ones first, other genres' a little later."""
        return -(popularity + self._random.gauss(0, 5) - (0 if is_home else 8))

    def recordings(self, genre: str) -> Iterator[_Recording]:
        """Yield a genre's recordings, each followed by its re-release if there is one."""
        artists = self._artists[genre]
        weights = 1 / (np.arange(len(artists)) + 3.0) ** _ZIPF_EXPONENT
        drawn = self._numpy_random.choice(len(artists), self._n_tracks, p=weights / weights.sum())
        artist_numbers = sorted(drawn.tolist())
        other_genres = [self._other_genres(genre, artists[number]) for number in artist_numbers]
        features = draw_features(
            self._numpy_random,
            genre,
            artist_numbers,
            [others[0] if others else None for others in other_genres],
        )
        albums: dict[tuple[str, int], tuple[str, str]] = {}
        for number, others, values in zip(artist_numbers, other_genres, features, strict=True):
            recording = self._recording(genre, artists[number], others, albums)
            has_features = self._random.random() < SHARE_WITH_FEATURES
            recording = replace(recording, features=values if has_features else _NO_FEATURES)
            yield recording
            if self._random.random() < REISSUE_SHARE:
                yield self._reissue(recording)

    def _draw_artists(self, genre: str) -> Sequence[_SyntheticArtist]:
        mean, spread = GENRE_PROFILES[genre].years
        return [
            _SyntheticArtist(
                name=self._names.artist(genre),
                popularity=76 - 8.5 * float(np.log(rank)) + self._random.gauss(0, 6),
                year=self._random.gauss(mean, spread),
                is_crossover=self._random.random() < _CROSSOVER_ARTISTS,
            )
            for rank in range(1, self._n_artists + 1)
        ]

    def _recording(
        self,
        genre: str,
        artist: _SyntheticArtist,
        other_genres: tuple[str, ...],
        albums: dict[tuple[str, int], tuple[str, str]],
    ) -> _Recording:
        random, profile = self._random, GENRE_PROFILES[genre]
        year = self._year(artist)
        title = self._names.title(genre, artist.name)
        names = [artist.name.text]
        if random.random() < profile.featured:
            guest = random.choice(self._artists[random.choice([genre, *profile.shared])])
            if guest is not artist:
                names.append(guest.name.text)
        credit = f" (feat. {names[1]})" if len(names) > 1 and random.random() < 0.6 else ""
        key = (names[0], year)
        if key not in albums:
            albums[key] = (self._names.album(genre, artist.name), self._date(year))
        album, date = albums[key]
        if random.random() < 0.25:
            album, date = title + credit, self._date(year)
        number = self._next_number()
        return _Recording(
            id=ids.id_from_text(f"synthetic|{self._seed}|{number}"),
            title=title + credit,
            artists=tuple(names),
            album=album,
            release_date=date,
            popularity=self._popularity(artist.popularity, year),
            duration_ms=int(60_000 * profile.minutes * random.lognormvariate(0, 0.26)),
            explicit=random.random() < profile.explicit,
            isrc=_isrc(artist.name.country, year, number),
            features=_NO_FEATURES,
            genres=(genre, *other_genres),
        )

    def _reissue(self, first: _Recording) -> _Recording:
        """Return the same recording under another id, as labels release it again."""
        random = self._random
        released = int(first.release_date[:4])
        kind = random.choice(("remastered", "remastered", "single", "compilation"))
        year = random.randint(min(released + 5, _YEARS[1]), _YEARS[1])
        date = first.release_date if kind == "single" else self._date(year)
        suffix, album = {
            "remastered": (f" - Remastered {year}", f"{first.album} (Remastered)"),
            "single": (" - Single Version", first.title),
            "compilation": ("", f"The Essential {first.artists[0]}"),
        }[kind]
        return replace(
            first,
            id=ids.id_from_text(f"synthetic|{self._seed}|{self._next_number()}"),
            title=first.title + suffix,
            album=album,
            release_date=date,
            popularity=max(0, first.popularity - random.randint(0, 15)),
            duration_ms=first.duration_ms + random.randint(-1_500, 1_500),
        )

    def _other_genres(self, genre: str, artist: _SyntheticArtist) -> tuple[str, ...]:
        crossover = _CROSSOVER_ARTISTS
        factor = 0.9 / crossover if artist.is_crossover else 0.1 / (1 - crossover)
        return tuple(
            other
            for other, share in GENRE_PROFILES[genre].shared.items()
            if self._random.random() < share * factor
        )

    def _year(self, artist: _SyntheticArtist) -> int:
        first, last = _YEARS
        year = round(self._random.gauss(artist.year, _CAREER_YEARS))
        # A year outside of the range is drawn anew, near the end it exceeds.
        if year > last:
            return last - int(self._random.expovariate(1 / 6)) % 30
        return year if year >= first else first + int(self._random.expovariate(1 / 6)) % 30

    def _date(self, year: int) -> str:
        random = self._random
        exact = f"{year}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        return exact if random.random() < (0.5 if year < 1970 else 0.9) else str(year)

    def _popularity(self, mean: float, year: int) -> int:
        decay = 0.15 * (_YEARS[1] - year)
        return min(100, max(0, round(self._random.gauss(mean - decay, 9))))

    def _next_number(self) -> int:
        self._n_recordings += 1
        return self._n_recordings


def _isrc(country: str, year: int, number: int) -> str:
    return f"{country}G{number // 100_000:02}{year % 100:02}{number % 100_000:05}"
