"""Internet Archive's items: fields of any form, one file per track."""

from collections import Counter

import pytest

from collector.errors import InvalidResponse, UnusableResponse
from collector.records import ListedItem
from collector.sources import archive_items
from collector.sources.archive_files import (
    NOT_PUBLIC,
    TOO_LARGE,
    TOO_MANY,
    UNUSABLE_NAME,
    choose_files,
)
from collector.sources.item_fields import RejectReason

LISTED = {
    "identifier": "mono001",
    "title": "First Light",
    "creator": ["Lichtung", "Another"],
    "date": "2009-03-01T00:00:00Z",
    "subject": "ambient; Drone; ambient",
    "licenseurl": "http://creativecommons.org/licenses/by-nc-sa/3.0/de/",
}
LARGE = 10_000_000


def file(name, size=1_000_000, source="original", **more):
    return {"name": name, "size": str(size), "source": source, "md5": "0" * 32, **more}


def chosen(*files, max_bytes=LARGE):
    passed_over = Counter()
    names = [one.name for one in choose_files(files, max_bytes, passed_over)]
    return names, dict(passed_over)


def test_an_item_of_a_search():
    """A date with a time, several creators and subjects in one text are read."""
    assert archive_items.parse_listed_item(LISTED, 2026) == ListedItem(
        "mono001",
        "First Light",
        "Lichtung",
        "2009-03-01",
        ("ambient", "Drone"),
        "cc-by-nc-sa-3.0",
    )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, RejectReason.NOTHING),
        ("mono001", RejectReason.NO_OBJECT),
        ({}, RejectReason.NO_ID),
        ({"identifier": "../etc"}, RejectReason.NO_ID),
        ({"identifier": ["mono001"]}, RejectReason.NO_ID),
        ({"identifier": "a" * 101}, RejectReason.NO_ID),
    ],
)
def test_what_is_no_item(document, reason):
    assert archive_items.parse_listed_item(document, 2026) is reason


@pytest.mark.parametrize("value", [None, 7, {}, [], [None], "", "\ud800", "x" * 50_000])
def test_no_field_breaks_an_item(value):
    """A field of any form is read or left out."""
    document = {"identifier": "a", **dict.fromkeys(("title", "creator", "date", "subject"), value)}
    item = archive_items.parse_listed_item({**document, "licenseurl": value}, 2026)
    assert isinstance(item, ListedItem)
    assert (item.release_date, item.licence) == (None, "unknown")


@pytest.mark.parametrize("creator", ["Various Artists", "various", "V/A", "N/A"])
def test_various_artists_are_nobody(creator):
    item = archive_items.parse_listed_item({**LISTED, "creator": creator}, 2026)
    assert item.artist is None


def test_an_item_with_its_files():
    document = {
        "metadata": LISTED,
        "files": [
            file("01.mp3", 5_000, title="Dawn", artist="Lichtung", format="VBR MP3"),
            file("cover.jpg"),
            file("mono001_meta.xml", source="metadata"),
        ],
    }
    item = archive_items.parse_item_files(document, "mono001", 2026, LARGE)
    assert item.item.title == "First Light"
    [dawn] = item.files
    assert (dawn.name, dawn.size, dawn.md5) == ("01.mp3", 5_000, "0" * 32)
    assert (dawn.title, dawn.artist) == ("Dawn", "Lichtung")


@pytest.mark.parametrize("document", [{}, {"is_dark": True}, {"files": []}])
def test_an_item_that_is_gone(document):
    with pytest.raises(UnusableResponse, match="no longer there"):
        archive_items.parse_item_files(document, "mono001", 2026, LARGE)


@pytest.mark.parametrize(
    "document", [None, [], {"metadata": {}}, {"metadata": {"identifier": "other"}, "files": []}]
)
def test_a_response_that_is_no_item(document):
    with pytest.raises(InvalidResponse):
        archive_items.parse_item_files(document, "mono001", 2026, LARGE)


def test_one_file_is_chosen_per_track():
    """Copies by the archive are of the same track, whatever they are called."""
    assert chosen(
        file("01 a.flac", 900, format="Flac"),
        file("01 a.mp3", 300, "derivative", original="01 a.flac", format="VBR MP3"),
        file("01 a_64kb.mp3", 100, "derivative", original="01 a.flac", format="64Kbps MP3"),
        file("01 a.ogg", 200, "derivative", original="01 a.flac", format="Ogg Vorbis"),
        file("02 b.ogg", 200),
        file("02 b_vbr.mp3", 300, "derivative", format="VBR MP3"),
        file("disc 2/01 a.wav", 900),
    ) == (["01 a.mp3", "02 b_vbr.mp3", "disc 2/01 a.wav"], {})


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ((file("a.flac", 5), file("a.ogg", 9)), "a.ogg"),
        ((file("a.flac", 5), file("a.wav", 4)), "a.flac"),
        ((file("a_64kb.mp3", 1, format="64Kbps MP3"), file("a.wav", 9)), "a.wav"),
        ((file("a.mp3", 9), file("a_vbr.mp3", 5, "derivative", format="VBR MP3")), "a_vbr.mp3"),
        ((file("a.m4a", 1), file("a.aiff", 5)), "a.aiff"),
        ((file("a.mp3", LARGE + 1), file("a.ogg", LARGE)), "a.ogg"),
        ((file("a.mp3", 3), {"name": "a_vbr.mp3"}), "a.mp3"),
    ],
)
def test_the_order_of_preference(files, name):
    """MP3, Ogg, FLAC, others; the smallest of equals; low quality last; too large never."""
    assert chosen(*files)[0] == [name]


def test_why_a_track_has_no_file():
    assert chosen(
        file("a.mp3", private="true"),
        file("b.mp3", LARGE + 1),
        file("c\n.mp3"),
        file("d" * 1_001 + ".mp3"),
        file("e.txt"),
        {"name": 7},
        None,
    ) == ([], {NOT_PUBLIC: 1, TOO_LARGE: 1, UNUSABLE_NAME: 2})


def test_an_item_of_thousands_is_bounded():
    names, passed_over = chosen(*(file(f"{number}.mp3") for number in range(600)))
    assert (len(names), passed_over) == (500, {TOO_MANY: 100})


@pytest.mark.parametrize("size", [None, "", "-5", "1e3", "٣", True, 1.5, 2**60, "9" * 30])
def test_an_unreadable_size_is_unknown(size):
    [only] = choose_files([{"name": "a.mp3", "size": size, "md5": "no"}], LARGE, Counter())
    assert (only.size, only.md5) == (None, None)


def test_a_name_is_chosen_once():
    """Two entries of one name are one file; what is no name of an original is none."""
    files = [
        {"name": "a.flac", "source": "original"},
        {"name": "b.flac", "source": "original"},
        {"name": "song.mp3", "source": "derivative", "original": "a.flac"},
        {"name": "song.mp3", "source": "derivative", "original": "b.flac"},
        {"name": "c.mp3", "source": "derivative", "original": ["a.flac"]},
    ]
    names = [one.name for one in choose_files(files, LARGE, Counter())]
    assert names == ["a.flac", "song.mp3", "c.mp3"]
