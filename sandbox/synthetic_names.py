"""Invented titles, albums and artists' names."""

from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

from sandbox import synthetic_words

NON_ENGLISH_SHARE: Final = 0.06
"""Share of artists who write in another language, mostly in another script."""
_NATIVE_TITLE: Final = 0.75
"""Share of their titles that are in that language."""
_GENRE_WORD: Final = 0.3
"""Share of title words that belong to the genre."""
_HOME: Final = ("US", "US", "US", "GB", "GB", "DE", "FR", "SE", "CA", "AU")
_CLASSICAL_FORM: Final = 0.6
"""Share of the classical titles that name a form, a key and a movement."""


@dataclass(frozen=True, slots=True)
class ArtistName:
    """An artist's name and where the artist comes from."""

    text: str
    country: str


@dataclass(slots=True)
class NameGenerator:
    """Gives names; no artist's name twice, no title twice to one artist."""

    random: Random
    _taken: set[str] = field(default_factory=set)

    def artist(self, genre: str) -> ArtistName:
        """Return a new artist's name."""
        country = self.random.choice(_HOME)
        if self.random.random() < NON_ENGLISH_SHARE:
            country = self.random.choice(list(synthetic_words.NON_ENGLISH_WORDS))
        for attempt in count():
            text = (
                self._elsewhere(country)
                if country in synthetic_words.NON_ENGLISH_WORDS
                else self._name(genre)
            )
            if attempt:
                text = f"{text} {self._word()}"
            if text.casefold() not in self._taken:
                self._taken.add(text.casefold())
                return ArtistName(text, country)
        raise AssertionError("count() has no end")

    def title(self, genre: str, artist: ArtistName) -> str:
        """Return a title that is new among the artist's."""
        for part in count(1):
            text = self._title(genre, artist)
            if part > 1:
                text = f"{text}, Pt. {part}"
            key = f"{artist.text}|{text}".casefold()
            if key not in self._taken:
                self._taken.add(key)
                return text
        raise AssertionError("count() has no end")

    def album(self, genre: str, artist: ArtistName) -> str:
        """Return an album's name."""
        return artist.text if self.random.random() < 0.08 else self._title(genre, artist)

    def _title(self, genre: str, artist: ArtistName) -> str:
        random = self.random
        if artist.country in synthetic_words.NON_ENGLISH_WORDS and random.random() < _NATIVE_TITLE:
            return self._elsewhere(artist.country)
        if genre == "classical" and random.random() < _CLASSICAL_FORM:
            key = f"{random.choice(synthetic_words.KEYS)} {random.choice(('Major', 'Minor'))}"
            form = f"{random.choice(synthetic_words.FORMS)} No. {random.randint(1, 41)} in {key}"
            numeral = random.choice(synthetic_words.NUMERALS)
            movement = f"{numeral}. {random.choice(synthetic_words.MOVEMENTS)}"
            return f"{form}, Op. {random.randint(1, 130)}: {movement}"
        own = synthetic_words.GENRE_WORDS[genre]
        picked = [
            random.choice(own if random.random() < _GENRE_WORD else synthetic_words.COMMON_WORDS)
            for _ in range(random.choice((1, 2, 2, 3, 3, 4)))
        ]
        return " ".join(_capital(word) for word in picked)

    def _name(self, genre: str) -> str:
        random = self.random
        pattern = random.choice(synthetic_words.ARTIST_NAME_PATTERNS[genre])
        word = random.choice(
            synthetic_words.GENRE_WORDS[genre]
            if random.random() < 0.5
            else synthetic_words.COMMON_WORDS
        )
        while "{s}" in pattern:
            pattern = pattern.replace("{s}", self._word(), 1)
        return pattern.format(
            w=_capital(word), f=random.choice(synthetic_words.FIRST_NAMES), n=random.randint(1, 99)
        )

    def _elsewhere(self, country: str) -> str:
        blank = "" if country in synthetic_words.WRITTEN_WITHOUT_SPACES else " "
        picked = self.random.choices(
            synthetic_words.NON_ENGLISH_WORDS[country], k=self.random.choice((1, 2, 2, 3))
        )
        return _capital(blank.join(picked))

    def _word(self) -> str:
        syllables = self.random.choices(synthetic_words.SYLLABLES, k=self.random.choice((2, 2, 3)))
        return _capital("".join(syllables))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
