"""The host of Discogs' dumps as the sandbox serves it, over real HTTP."""

import gzip
import hashlib
import io
import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
import requests

from collector.rate_limits import Rate
from collector.records import SourceTrack
from collector.sources import discogs_items
from genrebase.store import names
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.fakes import FakeClock
from tests.recording_catalogues import COLUMNS, rows_of_tracks
from tests.sandbox_client import SandboxStarter


def make_catalogue():
    """Albums of one artist, and one of various."""
    rows = [list(row) for row in rows_of_tracks(1_500)]
    for row in rows:
        row[3] = f"Album {int(row[0]) // 8}"
        if int(row[0]) >= 40:
            row[2] = f"The Artist {int(row[0]) // 8}"
    return SandboxCatalogue(CatalogueTable(COLUMNS, rows, "albums.csv", "0" * 64))


CATALOGUE = make_catalogue()
CLOCK = FakeClock()
LATE = f"{CLOCK.now():%Y%m}01"
FIRST_OF_MONTH = CLOCK.now().replace(day=1)
MONTHS = [f"{FIRST_OF_MONTH - timedelta(days=days):%Y%m}01" for days in (1, 40)]


class Host:
    """Sends requests to `/discogs/`."""

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def get(self, name=None, method="GET", **headers):
        path = None if name is None else f"data/{name[8:12]}/{name}"
        return requests.request(
            method,
            f"{self.sandbox.url}/discogs/",
            params={"download": path},
            headers={"Accept-Encoding": "identity", **headers},
            timeout=10,
        )

    def dump(self, month):
        return self.get(f"discogs_{month}_releases.xml.gz")


@pytest.fixture(scope="module")
def host():
    with SandboxStarter() as started:
        yield Host(started(CLOCK, CATALOGUE).sandbox)


@pytest.fixture(scope="module")
def xml(host):
    return gzip.decompress(host.dump(MONTHS[0]).content).decode()


def test_a_complete_month_has_a_list_of_checksums(host):
    """SHA-256, one blank, the name."""
    text = host.get(f"discogs_{MONTHS[0]}_CHECKSUM.txt").text
    digest, name = re.fullmatch(r"([0-9a-f]{64}) (\S+)\n", text).groups()
    assert name == f"discogs_{MONTHS[0]}_releases.xml.gz"
    assert hashlib.sha256(host.get(name).content).hexdigest() == digest


def test_the_present_month_is_late(host):
    """Its list of checksums is missing; its dump is not complete."""
    assert host.get(f"discogs_{LATE}_CHECKSUM.txt").status_code == 404
    with pytest.raises(EOFError):
        gzip.decompress(host.dump(LATE).content)
    assert LATE in host.get().text
    assert f"{LATE}_CHECKSUM" not in host.get().text
    assert host.get("discogs_20080301_CHECKSUM.txt").status_code == 404
    assert host.get("discogs_20080301_passwords.txt").status_code == 404


def test_there_is_no_range_and_no_length(host):
    """A part of a file cannot be had, nor its size."""
    name = f"discogs_{MONTHS[0]}_releases.xml.gz"
    assert host.get(name, Range="bytes=10-20").status_code == 200
    assert len(host.get(name, Range="bytes=10-20").content) > 1_000
    head = host.get(name, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert "content-length" not in head.headers
    assert "accept-ranges" not in head.headers


def test_records_begin_lines(xml):
    """Without a declaration; line feeds inside of texts are raw, carriage returns escaped."""
    assert re.match(r'<releases sandbox="\w+">\n<release ', xml)
    assert xml.endswith("</release>\n</releases>\n")
    root = ET.fromstring(xml)
    assert len(re.findall(r"^<release ", xml, re.MULTILINE)) == len(root)
    assert [release.get("id") for release in root] == [str(n + 1) for n in range(len(root))]
    assert "&#13;\n" in xml
    assert "\r" not in xml
    assert any("\n" in title.text for title in root.iter("title"))
    fields = {"artists", "title", "labels", "genres", "styles", "released", "tracklist"}
    assert fields <= {child.tag for child in root[0]}


def test_tracks_have_durations_or_none(xml):
    """M:SS in two thirds; headings have neither position nor duration; some have parts."""
    tracks = ET.fromstring(xml).findall("release/tracklist/track")
    durations = [track.findtext("duration") for track in tracks]
    assert {bool(re.fullmatch(r"\d{1,2}:[0-5]\d", text)) for text in durations if text} == {True}
    assert sum(map(bool, durations)) / len(tracks) == pytest.approx(0.67, abs=0.05)
    headings = [track for track in tracks if not track.findtext("position")]
    assert any(track.find("sub_tracks") is not None for track in headings)
    assert any(track.find("sub_tracks") is None for track in headings)


def test_the_tracks_are_those_of_the_catalogue(xml):
    """All of them, with a style for each genre of their release, read by the collector."""
    stream = io.BytesIO(xml.encode())
    records = discogs_items.read_records(stream)
    releases = [discogs_items.parse_record(record, 2100) for record in records]
    found = [track for release in releases for track in release.tracks]
    assert all(isinstance(track, SourceTrack) for track in found)
    tracks = [CATALOGUE.track_at(number) for number in range(CATALOGUE.n_rows)]
    keys = {names.name_key(track.title, track.artists[0]) for track in tracks}
    assert {track.name_key for track in found} == keys
    styles = {vote.name.lower() for release in releases for vote, _ in release.votes}
    assert {*CATALOGUE.genres} <= styles
    assert {"rock", "hip hop", "funk / soul"} <= styles


def test_an_older_month_lacks_the_newest_releases(host, xml):
    """The others are the same."""
    older = gzip.decompress(host.dump(MONTHS[1]).content).decode()
    assert xml.startswith(older.removesuffix("</releases>\n"))
    assert len(older) < len(xml)
    assert host.dump(MONTHS[1]).content == host.dump(MONTHS[1]).content


def test_a_download_can_break_off(serving):
    """The first ones, as often as the option says."""
    host = Host(serving(CLOCK, CATALOGUE, discogs_breaks=1).sandbox)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        host.dump(MONTHS[0])
    assert host.dump(MONTHS[0]).content.startswith(b"\x1f\x8b")


def test_the_ban_lasts_an_hour(serving):
    """After 15 calls in 6 minutes, for the whole host."""
    clock = FakeClock()
    client = serving(clock, CATALOGUE, discogs_rate=Rate(15, 360.0))
    host = Host(client.sandbox)
    assert {host.get().status_code for _ in range(15)} == {200}
    refused = host.get(f"discogs_{MONTHS[0]}_CHECKSUM.txt")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3574")
    assert refused.json() == {"message": "You are making requests too quickly."}
    clock.advance(3_573)
    assert host.get().status_code == 429
    clock.advance(1)
    assert host.get().status_code == 200
    assert client.sandbox.stats()["apis"]["discogs"]["banned"] == 2
