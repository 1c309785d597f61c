"""Discogs' dump of releases, small: XML with its quirks, gzipped. Pure.

The tracks of one album are a release, with the genres and styles of all of them.
"""

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.track_columns import SandboxTrack

_GENRES: Final = {
    "Hip Hop": ("rap", "hip", "hop", "trap"),
    "Blues": ("blues",),
    "Jazz": ("jazz", "bop", "swing"),
    "Classical": ("classical", "opera", "baroque"),
    "Funk / Soul": ("funk", "soul", "r&b", "disco", "gospel"),
    "Reggae": ("reggae", "ska", "dub"),
    "Folk, World, & Country": ("folk", "country", "bluegrass"),
    "Latin": ("latin", "salsa", "samba", "tango"),
    "Rock": ("rock", "metal", "punk", "grunge", "indie", "goth"),
    "Electronic": ("techno", "house", "electronic", "electro", "trance", "ambient", "dubstep"),
}
"""Discogs' genres, and words in the names of those that belong to them; all others are Pop."""
_OTHER_GENRE: Final = "Pop"
MAX_RELEASES: Final = 10_000
_VARIOUS: Final = (194, "Various")
_DURATION_SHARE: Final = 0.67
"""Share of the tracks with a duration."""
_FORMATS: Final = ("Vinyl", "CD", "File", "Cassette")
_COUNTRIES: Final = ("US", "UK", "Germany", "Japan", "Europe")
_JOINS: Final = ("Feat.", "&", ",", "With")
_FIRST_ARTIST_ID: Final = 1_000
_NEWEST_SHARE: Final = 0.05
"""Share of the releases that are missing a month earlier."""


@dataclass(frozen=True, slots=True)
class DiscogsRelease:
    """A release."""

    id: int
    tracks: tuple[SandboxTrack, ...]
    genres: tuple[str, ...]
    """As the catalogue names them."""


class DiscogsReleases:
    """The releases of a catalogue, in order of their ids; made at the first request for them."""

    def __init__(self, catalogue: SandboxCatalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def releases(self) -> Sequence[DiscogsRelease]:
        rows: dict[str, list[int]] = {}
        for number in range(self._catalogue.n_rows):
            rows.setdefault(self._catalogue.album_id_at(number), []).append(number)
        albums = sorted(rows)[:MAX_RELEASES]
        return [self._release(number, rows[album]) for number, album in enumerate(albums, 1)]

    def dump(self, months_ago: int) -> bytes:
        """Return the gzipped dump of a month; those before the last one lack newer releases."""
        earlier = max(0, months_ago - 1)
        n_releases = round(len(self.releases) * (1 - _NEWEST_SHARE) ** earlier)
        stream = io.BytesIO()
        with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as file:
            mark = quoteattr(self._catalogue.table.sha256)
            file.write(f"<releases sandbox={mark}>\n".encode())  # no declaration
            for release in self.releases[:n_releases]:
                file.write(self._record(release).encode())
            file.write(b"</releases>\n")
        return stream.getvalue()

    def _release(self, release_id: int, rows: Sequence[int]) -> DiscogsRelease:
        first_rows = {self._catalogue.id_at(row): row for row in reversed(rows)}
        tracks = [self._catalogue.track_at(row) for row in sorted(first_rows.values())]
        genres = dict.fromkeys(genre for row in rows for genre in self._catalogue.genres_at(row))
        return DiscogsRelease(release_id, tuple(tracks), tuple(genres))

    @cached_property
    def _artist_ids(self) -> dict[str, int]:
        names = {name for one in self.releases for track in one.tracks for name in track.artists}
        return {name: number for number, name in enumerate(sorted(names), _FIRST_ARTIST_ID)}

    def _record(self, release: DiscogsRelease) -> str:
        random = Random(f"discogs {release.tracks[0].album_id}")
        first = release.tracks[0]
        primary = {track.artists[0] for track in release.tracks}
        artists = [_VARIOUS] if len(primary) > 1 else self._numbered(first.artists[:1])
        genres = dict.fromkeys(map(_genre, release.genres))
        return "".join(
            (
                f'<release id="{release.id}">',
                _credits(artists, random),
                f"<title>{escape(first.album or first.title)}</title>",
                f'<labels><label name="Not On Label" catno="none" id="{release.id}"/></labels>',
                "<extraartists/>",
                f'<formats><format name="{random.choice(_FORMATS)}" qty="1" text=""/></formats>',
                _list("genres", "genre", genres),
                _list("styles", "style", [genre.title() for genre in release.genres]),
                f"<country>{random.choice(_COUNTRIES)}</country>",
                f"<released>{_released(first.release_date)}</released>",
                _notes(random),
                "<data_quality>Correct</data_quality>",
                self._tracklist(release, artists == [_VARIOUS], random),
                _identifiers(first, random),
                _master(release, random),
                "<videos/><companies/></release>\n",
            )
        )

    def _tracklist(
        self,
        release: DiscogsRelease,
        is_compilation: bool,
        random: Random,
    ) -> str:
        parts = ["<tracklist>"]
        has_headings = random.random() < 0.05
        is_vinyl = random.random() < 0.4
        tracks = []
        for number, track in enumerate(release.tracks):
            side, place = divmod(number, 6)
            position = f"{chr(65 + side % 26)}{place + 1}" if is_vinyl else str(number + 1)
            own = is_compilation or len(track.artists) > 1
            artists = self._numbered(track.artists) if own else []
            tracks.append(_track(track, position, artists, random))
        if len(tracks) > 3 and random.random() < 0.05:  # two parts of a medley
            medley = f"<sub_tracks>{''.join(tracks[-2:])}</sub_tracks>"
            parts_of = f"<track><position></position><title>Medley</title>{medley}"
            tracks[-2:] = [f"{parts_of}<duration></duration></track>"]
        if has_headings:
            heading = "<track><position></position><title>Part 1</title><duration></duration>"
            parts.append(f"{heading}</track>")
        return "".join((*parts, *tracks, "</tracklist>"))

    def _numbered(self, names: Sequence[str]) -> list[tuple[int, str]]:
        return [(self._artist_ids[name], name) for name in names]


def _track(
    track: SandboxTrack, position: str, artists: Sequence[tuple[int, str]], random: Random
) -> str:
    title = escape(track.title)
    if random.random() < 0.01:
        title = title.replace(" ", "\n", 1)
    duration = ""
    if track.duration_ms and random.random() < _DURATION_SHARE:
        minutes, seconds = divmod(round(track.duration_ms / 1_000), 60)
        hours, minutes = divmod(minutes, 60)
        duration = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return (
        f"<track><position>{position}</position><title>{title}</title>"
        f"<duration>{duration}</duration>{_credits(artists, random) if artists else ''}</track>"
    )


def _credits(artists: Sequence[tuple[int, str]], random: Random) -> str:
    elements = []
    for number, (artist_id, name) in enumerate(artists, 1):
        join = random.choice(_JOINS) if number < len(artists) else ""
        elements.append(
            f"<artist><id>{artist_id}</id><name>{escape(_artist_name(artist_id, name))}</name>"
            f"<anv></anv><join>{escape(join)}</join></artist>"
        )
    return f"<artists>{''.join(elements)}</artists>"


def _artist_name(artist_id: int, name: str) -> str:
    """Return a name as old records sort it, or with the number of a second artist of that name."""
    if name.startswith("The ") and artist_id % 3 == 0:
        return f"{name[4:]}, The"
    return f"{name} (2)" if artist_id % 20 == 1 else name


def _list(name: str, item: str, texts: Iterator[str] | Sequence[str] | dict[str, None]) -> str:
    items = "".join(f"<{item}>{escape(text)}</{item}>" for text in texts)
    return f"<{name}>{items}</{name}>"


def _genre(name: str) -> str:
    words = name.lower().replace("-", " ").split()
    return next(
        (genre for genre, keys in _GENRES.items() if not {*keys}.isdisjoint(words)), _OTHER_GENRE
    )


def _released(date: str) -> str:
    return f"{date}-00" if len(date) == len("YYYY-MM") else date


def _notes(random: Random) -> str:
    """Return notes, often with raw line feeds; a carriage return is an escape."""
    if random.random() < 0.6:
        return ""
    return "<notes>Recorded &amp; mixed at home.&#13;\n&lt;release notes&gt; follow.\n</notes>"


def _identifiers(track: SandboxTrack, random: Random) -> str:
    if not track.isrc or random.random() >= 0.01:
        return "<identifiers/>"
    value = quoteattr(track.isrc)
    return f'<identifiers><identifier type="ISRC" description="" value={value}/></identifiers>'


def _master(release: DiscogsRelease, random: Random) -> str:
    if random.random() < 0.5:
        return "<master_id>0</master_id>"
    return f'<master_id is_main_release="true">{release.id}</master_id>'
