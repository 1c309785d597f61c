"""Names of downloaded tracks: from the archive's fields, tags, or the file's name."""

import hashlib

import pytest

from collector.downloads.recorder import kept_name
from collector.downloads.track_metadata import to_track
from collector.records import ArtistCredit, ListedItem, RemoteFile
from collector.sources.item_fields import MAX_ARTISTS, RejectReason
from genrebase.audio.records import AudioAnalysis
from genrebase.audio.tags import AudioTags

ITEM = ListedItem("mono001", "First Light", "Lichtung", "2009-03-01", ("ambient",), "cc0")
TAGS = AudioTags("Tagged", ("Tag Artist",), "Tag Album", "1999", (), "GBAAA0000001")


def track(file, item=ITEM, tags=None, seconds=61.5):
    analysis = AudioAnalysis("d" * 64, seconds, tags or AudioTags(), None)
    return to_track("internetarchive", item, file, analysis, 2026)


def credited(made):
    return [credit.name for credit in made.artists]


def test_the_archives_fields_come_first():
    made = track(RemoteFile("01.mp3", title="Dawn", artist="Ann; Bob; Ann"), tags=TAGS)
    assert (made.title, credited(made), made.album) == ("Dawn", ["Ann", "Bob"], "First Light")
    assert (made.source_id, made.duration_ms) == ("mono001/01.mp3", 61_500)
    assert (made.release_date, made.release_year) == ("2009-03-01", 2009)
    assert (made.isrc, made.licence) == ("GBAAA0000001", "cc0")


def test_tags_come_next():
    bare = ListedItem("x", None, "Lichtung", None, (), "unknown")
    made = track(RemoteFile("01.mp3"), bare, TAGS)
    assert (made.title, credited(made), made.album) == ("Tagged", ["Tag Artist"], "Tag Album")
    assert made.release_date == "1999"


def test_the_items_artist_stands_for_a_file_without_one():
    made = track(RemoteFile("disc 1/03 - Night_Train.mp3"))
    assert (made.title, credited(made)) == ("Night_Train", ["Lichtung"])
    assert made.match_by_name


@pytest.mark.parametrize("various", ["Various Artists", "V/A", None, "  "])
def test_nobody_is_no_artist(various):
    """The track is identified by its id alone; a name with a dash names an artist."""
    item = ListedItem("x", "Compilation", None, None, (), "cc0")
    made = track(RemoteFile("01.mp3", title="Dawn", artist=various), item)
    assert made.artists == (ArtistCredit(""),)
    assert not made.match_by_name
    named = track(RemoteFile("Ann - Dawn.mp3", artist=various), item)
    assert (named.title, credited(named)) == ("Dawn", ["Ann"])


def test_long_names_are_cut():
    made = track(RemoteFile("01.mp3", title="x" * 1_000, artist="y" * 1_000))
    assert (len(made.title), len(credited(made)[0])) == (400, 400)


def test_a_list_of_artists_has_an_end():
    """As with every source: a longer one is rejected, wherever it comes from."""
    many = [f"Artist {number}" for number in range(MAX_ARTISTS + 1)]
    file = RemoteFile("01.mp3", title="Dawn")
    some = track(RemoteFile("01.mp3", title="Dawn", artist=";".join(many[1:])))
    assert len(some.artists) == MAX_ARTISTS
    for made in (
        track(RemoteFile("01.mp3", title="Dawn", artist=";".join(many))),
        track(file, tags=AudioTags(artists=tuple(many))),
    ):
        assert made is RejectReason.TOO_MANY_ARTISTS


def test_a_track_without_any_name_is_rejected():
    item = ListedItem("x", None, None, None, (), "cc0")
    assert track(RemoteFile("-.mp3", title="N/A"), item) is RejectReason.NO_NAME


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("01 Dawn.mp3", "01 Dawn.mp3"),
        ("disc 1/01 Dawn.mp3", "disc 1 - 01 Dawn #.mp3"),
        ("../../etc/passwd", "- .. - etc - passwd #"),
        ('a<b>:"|?*\\.ogg', "a_b_______ #.ogg"),
        ("...", "file #"),
        ("夜" * 100 + ".flac", "夜" * 62 + " #.flac"),
        ("x" * 500 + "." + "y" * 500, "x" * 191 + " #"),
    ],
)
def test_kept_files_have_safe_names(name, kept):
    """No folder, no reserved character, 200 bytes at most; a changed name ends with a hash."""
    made = kept_name(name)
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    assert made.replace(digest, "#") == kept
    assert len(made.encode()) <= 200


def test_no_two_files_of_an_item_are_kept_under_one_name():
    """Names that differ in what is replaced, removed or cut only."""
    names = ["a/b.mp3", "a - b.mp3", "a:b.mp3", "a?b.mp3", "a_b.mp3", " a_b.mp3", "x" * 300]
    names += ["x" * 301, "...", "..", "a/b.ogg"]
    assert len({kept_name(name) for name in names}) == len(names)
