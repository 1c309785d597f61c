"""Playlists of the sandbox."""

from sandbox.tracks import playlists
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from sandbox.tracks.playlists import NonTrackItem

COLUMNS = ("track_name", "artists", "genre")


def songs(n, genre="rock"):
    return [(f"{genre} {number}", "Band", genre) for number in range(n)]


def made(rows, columns=COLUMNS):
    return playlists.make_playlists(
        SandboxCatalogue(CatalogueTable(columns, rows, "a test", "0" * 64))
    )


def test_each_genre_has_an_own_playlist_and_another_users():
    """Without playlists in the table two are generated, which share no row."""
    result = made([*songs(60), *songs(3, "jazz")])
    assert [(one.genre, one.is_own, len(one.entries)) for one in result.values()] == [
        ("rock", True, 31),
        ("rock", False, 31),
        ("jazz", True, 2),
        ("jazz", False, 1),
    ]
    ours, theirs, *_ = result.values()
    assert not set(ours.entries) & set(theirs.entries) - set(NonTrackItem)


def test_playlists_also_hold_other_items():
    """Long playlists hold an episode, a local file and a removed item."""
    entries = next(iter(made(songs(160)).values())).entries
    assert [
        (at, entry) for at, entry in enumerate(entries) if isinstance(entry, NonTrackItem)
    ] == [
        (25, NonTrackItem.EPISODE),
        (51, NonTrackItem.LOCAL),
        (77, NonTrackItem.GONE),
    ]


def test_playlists_of_the_table_are_kept():
    """Rows of one playlist id are a playlist, in the order of the table."""
    rows = [("A", "Band", "rock", "p1", "One"), ("B", "Band", "jazz", "p2", "Two")]
    rows += [("C", "Band", "rock", "p1", "One"), ("D", "Band", "rock", "", "")]
    result = made(rows, (*COLUMNS, "playlist_id", "playlist_name"))
    assert {key: (one.name, one.genre, one.entries) for key, one in result.items()} == {
        "p1": ("One", "rock", (0, 2)),
        "p2": ("Two", "jazz", (1,)),
    }


def test_the_snapshot_id_identifies_a_version():
    """The same tracks, the same snapshot; one more, another."""
    first, again, longer = (next(iter(made(songs(n)).values())) for n in (60, 60, 62))
    assert first.id == again.id == longer.id
    assert first.snapshot_id == again.snapshot_id != longer.snapshot_id
