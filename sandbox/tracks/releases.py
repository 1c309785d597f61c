"""The catalogue as an archive's items: the tracks of one artist's album are one item."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final

from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.track_columns import SandboxTrack

_CC: Final = "http://creativecommons.org/licenses/"
LICENCES: Final = (
    f"{_CC}by/4.0/",
    f"{_CC}by-sa/3.0/",
    f"{_CC}by-nc/3.0/us/",
    f"{_CC}by-nc-sa/3.0/de/",
    f"{_CC}by-nc-nd/3.0/",
    "https://creativecommons.org/publicdomain/zero/1.0/",
    None,
)
"""Licences of items; None: the field is missing."""
_WORDS: Final = ("netlabel", "electronic music", "free download", "mp3", "Berlin", "2009")
"""Subjects that are no genres."""
_MAX_SLUG: Final = 60


@dataclass(frozen=True, slots=True)
class SandboxRelease:
    """An item: its tracks are in the order of the catalogue."""

    identifier: str
    title: str
    artist: str
    date: str
    subjects: tuple[str, ...]
    licence_url: str | None
    tracks: tuple[SandboxTrack, ...]


class SandboxReleases:
    """The items of a catalogue; grouped at first use."""

    def __init__(self, catalogue: SandboxCatalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def by_identifier(self) -> Mapping[str, SandboxRelease]:
        """All items, in the order in which a search lists them: by identifier."""
        albums: dict[str, list[SandboxTrack]] = {}
        genres: dict[str, dict[str, None]] = {}
        known: set[str] = set()
        for genre in self._catalogue.genres:
            for number in self._catalogue.rows_of_genre(genre):
                track = self._catalogue.track_at(number)
                genres.setdefault(track.album_id, {}).setdefault(genre)
                if track.id not in known:
                    known.add(track.id)
                    albums.setdefault(track.album_id, []).append(track)
        releases = [_release(tracks, tuple(genres[key])) for key, tracks in albums.items()]
        return {one.identifier: one for one in sorted(releases, key=lambda one: one.identifier)}


def _release(tracks: list[SandboxTrack], genres: tuple[str, ...]) -> SandboxRelease:
    first = tracks[0]
    random = Random(f"release {first.album_id}")
    subjects = [_spelled(genre, random) for genre in genres]
    subjects += random.sample(_WORDS, random.randint(1, 3))
    random.shuffle(subjects)
    artist = first.artists[0]
    digest = hashlib.sha256(first.album_id.encode()).hexdigest()[:6]
    return SandboxRelease(
        identifier=f"{_slug(artist)}-{_slug(first.album)}".strip("-")[:_MAX_SLUG] + f"-{digest}",
        title=first.album or first.title,
        artist=artist,
        date=first.release_date,
        subjects=tuple(subjects),
        licence_url=random.choice(LICENCES),
        tracks=tuple(tracks),
    )


def _spelled(genre: str, random: Random) -> str:
    """Return a genre as some uploader spells it."""
    return random.choice((genre, genre, genre.title(), genre.replace("-", " ")))


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "x"
