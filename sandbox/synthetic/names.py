"""Random generator of unique artist names, track titles and album names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

from sandbox.synthetic import words

NON_ENGLISH_SHARE: Final = 0.06
"""Share of artists who write in another language, most of them in another script."""
_NATIVE_TITLE_SHARE: Final = 0.75
"""Share of their titles that are in that language."""
_GENRE_WORD_SHARE: Final = 0.3
"""Share of title words that belong to the genre."""
_COUNTRIES: Final = ("US", "US", "US", "GB", "GB", "DE", "FR", "SE", "CA", "AU")
_CLASSICAL_FORM_SHARE: Final = 0.6
"""Share of classical titles that name a form, a key and a movement."""


@dataclass(frozen=True, slots=True)
class ArtistName:
    """An artist's name and country of origin."""

    text: str
    country: str


@dataclass(slots=True)
class NameGenerator:
    """Draws names; no artist name is drawn twice, and no title twice for one artist."""

    random: Random
    _taken: set[str] = field(default_factory=set)

    def artist(self, genre: str) -> ArtistName:
        country = self.random.choice(_COUNTRIES)
        if self.random.random() < NON_ENGLISH_SHARE:
            country = self.random.choice(list(words.NON_ENGLISH_WORDS))

        def draw(attempt: int) -> str:
            native = country in words.NON_ENGLISH_WORDS
            text = self._native_words(country) if native else self._name(genre)
            return f"{text} {self._made_up_word()}" if attempt else text

        return ArtistName(self._draw_unique(draw), country)

    def title(self, genre: str, artist: ArtistName) -> str:
        """Return a title that the artist does not have yet."""

        def draw(attempt: int) -> str:
            text = self._title(genre, artist)
            return f"{text}, Pt. {attempt + 1}" if attempt else text

        return self._draw_unique(draw, f"{artist.text}|")

    def album(self, genre: str, artist: ArtistName) -> str:
        return artist.text if self.random.random() < 0.08 else self._title(genre, artist)

    def _draw_unique(self, draw: Callable[[int], str], prefix: str = "") -> str:
        """Call `draw` with 0, 1, 2, … until `prefix` + its text was not drawn before."""
        for attempt in count():
            text = draw(attempt)
            key = f"{prefix}{text}".casefold()
            if key not in self._taken:
                self._taken.add(key)
                return text
        raise AssertionError("count() has no end")

    def _title(self, genre: str, artist: ArtistName) -> str:
        random = self.random
        if artist.country in words.NON_ENGLISH_WORDS and random.random() < _NATIVE_TITLE_SHARE:
            return self._native_words(artist.country)
        if genre == "classical" and random.random() < _CLASSICAL_FORM_SHARE:
            key = f"{random.choice(words.KEYS)} {random.choice(('Major', 'Minor'))}"
            form = f"{random.choice(words.FORMS)} No. {random.randint(1, 41)} in {key}"
            movement = f"{random.choice(words.NUMERALS)}. {random.choice(words.MOVEMENTS)}"
            return f"{form}, Op. {random.randint(1, 130)}: {movement}"
        genre_words = words.GENRE_WORDS[genre]
        title_words = [
            random.choice(
                genre_words if random.random() < _GENRE_WORD_SHARE else words.COMMON_WORDS
            )
            for _ in range(random.choice((1, 2, 2, 3, 3, 4)))
        ]
        return " ".join(_capitalise(word) for word in title_words)

    def _name(self, genre: str) -> str:
        random = self.random
        pattern = random.choice(words.ARTIST_NAME_PATTERNS[genre])
        source = words.GENRE_WORDS[genre] if random.random() < 0.5 else words.COMMON_WORDS
        word = random.choice(source)
        while "{s}" in pattern:
            pattern = pattern.replace("{s}", self._made_up_word(), 1)
        return pattern.format(
            w=_capitalise(word), f=random.choice(words.FIRST_NAMES), n=random.randint(1, 99)
        )

    def _native_words(self, country: str) -> str:
        separator = "" if country in words.WRITTEN_WITHOUT_SPACES else " "
        n_words = self.random.choice((1, 2, 2, 3))
        chosen = self.random.choices(words.NON_ENGLISH_WORDS[country], k=n_words)
        return _capitalise(separator.join(chosen))

    def _made_up_word(self) -> str:
        syllables = self.random.choices(words.SYLLABLES, k=self.random.choice((2, 2, 3)))
        return _capitalise("".join(syllables))


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
