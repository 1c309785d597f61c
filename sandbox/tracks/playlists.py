"""The playlists of a catalogue: the table's own, or two synthetic ones per genre. Pure.

They also contain the other items of real playlists: a removed track, an episode, a local file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sandbox import ids
from sandbox.tracks.catalogue import SandboxCatalogue

OWN_USER: Final = "sandbox"
"""The user the app belongs to: in development mode only their playlists can be read."""
_OTHER_USER: Final = "somebody"
_MAX_TRACKS: Final = 120
"""Per synthetic playlist."""
_NON_TRACK_INTERVAL: Final = 25
"""Tracks between two items that are not tracks."""


class NonTrackItem(StrEnum):
    """A playlist item that is not a track."""

    GONE = "gone"
    EPISODE = "episode"
    LOCAL = "local"


PlaylistEntry = int | NonTrackItem
"""The number of a row, or another item."""


@dataclass(frozen=True, slots=True)
class SandboxPlaylist:
    """A playlist."""

    id: str
    name: str
    owner: str
    genre: str
    """Of its first track."""
    entries: Sequence[PlaylistEntry]
    snapshot_id: str
    """Version: differs wherever the tracks differ."""

    @property
    def is_own(self) -> bool:
        """Whether it belongs to the app's own user."""
        return self.owner == OWN_USER


def make_playlists(catalogue: SandboxCatalogue) -> Mapping[str, SandboxPlaylist]:
    playlists = _table_playlists(catalogue) or _synthetic_playlists(catalogue)
    return {playlist.id: playlist for playlist in playlists}


def _table_playlists(catalogue: SandboxCatalogue) -> list[SandboxPlaylist]:
    """Return the table's playlists; half of them are assigned to the app's own user."""
    return [
        _playlist(
            catalogue, id_, name, OWN_USER if ids.year_from_id(id_) % 2 else _OTHER_USER, rows
        )
        for id_, (name, rows) in catalogue.playlists.items()
    ]


def _synthetic_playlists(catalogue: SandboxCatalogue) -> Iterator[SandboxPlaylist]:
    for genre in catalogue.genres:
        for first, owner in enumerate((OWN_USER, _OTHER_USER)):
            name = f"{genre} by {owner}"
            rows = catalogue.rows_of_genre(genre)[first::2][:_MAX_TRACKS]
            if rows:
                id_ = ids.id_from_text(f"playlist|{name}")
                yield _playlist(catalogue, id_, name, owner, rows)


def _playlist(
    catalogue: SandboxCatalogue, id_: str, name: str, owner: str, rows: Sequence[int]
) -> SandboxPlaylist:
    tracks = [catalogue.id_at(row) for row in rows]
    return SandboxPlaylist(
        id=id_,
        name=name,
        owner=owner,
        genre=catalogue.genre_at(rows[0]),
        entries=tuple(_entries(rows)),
        snapshot_id=ids.id_from_text("snapshot|" + "|".join(tracks)),
    )


def _entries(rows: Sequence[int]) -> Iterator[PlaylistEntry]:
    kinds = tuple(NonTrackItem)
    for number, row in enumerate(rows, start=1):
        yield row
        if number % _NON_TRACK_INTERVAL == 0:
            yield kinds[number // _NON_TRACK_INTERVAL % len(kinds)]
