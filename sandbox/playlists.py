"""The playlists of a catalogue: the table's own, or two invented for each genre.

Among the tracks stand what a playlist may hold besides: an item that is gone, an episode, a file
of somebody's own. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sandbox import ids
from sandbox.catalogue import SandboxCatalogue

OWN_USER: Final = "sandbox"
"""The user the app belongs to: in development mode only their playlists can be read."""
_OTHERS: Final = "somebody"
_LONGEST: Final = 120
"""Tracks in an invented playlist, at most."""
_ODD_EVERY: Final = 25
"""Tracks between two items that are none."""


class NonTrackItem(StrEnum):
    """What is no track."""

    GONE = "gone"
    EPISODE = "episode"
    LOCAL = "local"


PlaylistEntry = int | NonTrackItem
"""The number of a row, or something else."""


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
    """Another one where anything in it differs."""

    @property
    def is_own(self) -> bool:
        """Whether it belongs to the app's own user."""
        return self.owner == OWN_USER


def make_playlists(catalogue: SandboxCatalogue) -> Mapping[str, SandboxPlaylist]:
    """Return the playlists by their ids."""
    found = _in_table(catalogue) or _invented(catalogue)
    return {playlist.id: playlist for playlist in found}


def _in_table(catalogue: SandboxCatalogue) -> list[SandboxPlaylist]:
    """Return the table's playlists; half of them are our own, whoever made them in life."""
    return [
        _playlist(catalogue, id_, name, OWN_USER if ids.year_from_id(id_) % 2 else _OTHERS, rows)
        for id_, (name, rows) in catalogue.playlists.items()
    ]


def _invented(catalogue: SandboxCatalogue) -> Iterator[SandboxPlaylist]:
    for genre in catalogue.genres:
        rows = catalogue.rows_of_genre(genre)
        for owner, first in ((OWN_USER, 0), (_OTHERS, 1)):
            name = f"{genre} by {owner}"
            kept = rows[first::2][:_LONGEST]
            if kept:
                yield _playlist(catalogue, ids.id_from_text(f"playlist|{name}"), name, owner, kept)


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
    odd = tuple(NonTrackItem)
    for number, row in enumerate(rows, start=1):
        yield row
        if number % _ODD_EVERY == 0:
            yield odd[number // _ODD_EVERY % len(odd)]
