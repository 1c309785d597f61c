"""Discogs' dump of releases."""

import io

import pytest

from collector.records import ArtistCredit, GenreVote, Level, SourceTrack
from collector.sources import discogs_items
from collector.sources.item_fields import RejectReason

RELEASE = """<release id="7"><artists><artist><id>1</id><name>Persuader, The</name></artist>
<artist><id>5</id><name>Heiko Laux (2)</name><anv>Laux</anv></artist></artists>
<title>Stockholm &amp; more</title><genres><genre>Electronic</genre><genre>Techno</genre></genres>
<styles><style>Deep House</style><style>techno</style></styles><released>1999-03-00</released>
<tracklist>
<track><position></position><title>Side one</title><duration></duration></track>
<track><position>A</position><title>Östermalm</title><duration>4:45</duration></track>
<track><position>B1</position><title>Long
night&#13;</title><duration>1:00:01</duration>
<artists><artist><id>9</id><name>Guest</name></artist></artists></track>
<track><position>B1</position><title>Again</title><duration>?</duration></track>
<track><position></position><title>Suite</title><duration></duration><sub_tracks>
<track><position>C.a</position><title>First part</title><duration>0:30</duration></track>
</sub_tracks></track></tracklist></release>
""".encode()


def parse(record=RELEASE):
    return discogs_items.parse_record(record, last_year=2026)


def test_a_release_gives_its_tracks():
    """Headings are none; a position that is there twice, or missing, is numbered."""
    tracks = parse().tracks
    assert [one.source_id for one in tracks] == ["7#A", "7#B1", "7#@4", "7#C.a"]
    assert [one.title for one in tracks] == ["Östermalm", "Long night", "Again", "First part"]
    assert [one.duration_ms for one in tracks] == [285_000, 3_601_000, None, 30_000]
    assert {(one.album, one.release_date, one.release_year) for one in tracks} == {
        ("Stockholm & more", "1999-03", 1999)
    }


def test_credits_are_the_tracks_or_those_of_the_release():
    """The number after a name and the sorted article are not of the name."""
    own, other = (track.artists for track in parse().tracks[:2])
    assert own == (ArtistCredit("The Persuader", "1"), ArtistCredit("Heiko Laux", "5"))
    assert other == (ArtistCredit("Guest", "9"),)


def test_styles_come_before_genres():
    """Each genre once, at its place in the release, about the release."""
    assert parse().votes == (
        (GenreVote("Deep House", 1, Level.RELEASE), 0),
        (GenreVote("techno", 1, Level.RELEASE), 1),
        (GenreVote("Electronic", 1, Level.RELEASE), 2),
    )


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"</release>", b"</releas>", RejectReason.DAMAGED),
        (b"&amp;", b"&nbsp;", RejectReason.DAMAGED),
        (b'id="7"', b'id="x"', RejectReason.NO_ID),
        (b'id="7"', b"", RejectReason.NO_ID),
    ],
)
def test_a_record_that_is_no_release_is_rejected(before, after, reason):
    """It is one rejected record, whatever is in it."""
    assert parse(RELEASE.replace(before, after)) == reason


def test_tracks_of_various_artists_need_artists_of_their_own():
    """`Various` is nobody."""
    credited = RELEASE[RELEASE.index(b"<artists>") : RELEASE.index(b"<title>")]
    various = b"<artists><artist><id>194</id><name>Various</name></artist></artists>"
    tracks = parse(RELEASE.replace(credited, various)).tracks
    assert tracks.count(RejectReason.NO_ARTIST) == 3
    assert [one.title for one in tracks if isinstance(one, SourceTrack)] == ["Long night"]


@pytest.mark.parametrize("root", [b"<releases>\n", b"<releases>", b'<releases count="2">\n'])
def test_records_are_read_one_by_one(root):
    """A record begins at the start of a line; a damaged one does not end the dump."""
    other = RELEASE.replace(b'id="7"', b'id="8"')
    broken = b'<release id="9"><title>\x01</title></release>\n'
    dump = root + RELEASE + broken + other.rstrip() + b"\n</releases>\n"
    assert discogs_items.is_releases(dump)
    records = list(discogs_items.read_records(io.BytesIO(dump)))
    assert len(records) == 3
    releases = [parse(record) for record in records]
    assert [len(one.tracks) for one in (releases[0], releases[2])] == [4, 4]
    assert releases[1] == RejectReason.DAMAGED


def test_the_dump_of_a_sandbox_names_its_catalogue():
    """Made-up tracks must not join real ones."""
    dump = b'<releases sandbox="0a1b">\n' + RELEASE
    assert discogs_items.is_releases(dump)
    assert discogs_items.sandbox_checksum(dump) == "0a1b"
    assert discogs_items.sandbox_checksum(b"<releases>\n" + RELEASE) is None
    assert len(list(discogs_items.read_records(io.BytesIO(dump)))) == 1


def test_a_line_without_an_end_is_bounded(monkeypatch):
    """It is read in pieces; a piece that looks like the beginning of a record is none."""
    monkeypatch.setattr(discogs_items, "_MAX_RECORD", 5_000)
    monkeypatch.setattr(discogs_items, "_MAX_PIECE", 100)
    begin = b'<release id="1"><title>'
    endless = begin.ljust(100, b"x") + b'<release id="2">'.ljust(100, b"x") * 10_000
    stream = Pieces(b"<releases>\n" + endless + b"\n" + RELEASE)
    records = list(discogs_items.read_records(stream))
    assert [len(record) <= 5_000 for record in records] == [True, True]
    assert parse(records[0]) == RejectReason.DAMAGED
    assert parse(records[1]) == parse(RELEASE)
    assert stream.longest <= 100


class Pieces(io.BytesIO):
    """Notes the longest piece that is read at once."""

    longest = 0

    def __next__(self):
        raise AssertionError("a whole line")

    def readline(self, size=-1, /):
        piece = super().readline(size)
        self.longest = max(self.longest, len(piece))
        return piece


def test_a_record_without_an_end_is_bounded(monkeypatch):
    """It is cut, and rejected; the dump goes on with the next record."""
    monkeypatch.setattr(discogs_items, "_MAX_RECORD", 5_000)
    endless = b'<release id="1"><title>' + b"la la\n" * 10_000
    records = list(discogs_items.read_records(io.BytesIO(b"<releases>\n" + endless + RELEASE)))
    assert [len(record) < 6_000 for record in records] == [True, True]
    assert parse(records[0]) == RejectReason.DAMAGED
