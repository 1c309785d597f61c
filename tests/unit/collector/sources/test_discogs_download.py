"""The download of Discogs' dump, over HTTP against scripted responses."""

import hashlib
from datetime import date

import pytest

from collector.errors import Blocked, NotFound, StopRequested, UnusableResponse
from collector.http.rate_limiter import RequestBudget
from collector.settings import CollectorSettings
from collector.sources.discogs_download import DiscogsDownloader, discogs_account
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, serving

TODAY = date(2026, 1, 3)
CONTENT = b"a dump" * 1_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "discogs_20260101_releases.xml.gz"
CHECKSUMS = ScriptedResponse(
    body=f"{'0' * 64} discogs_20260101_artists.xml.gz\n{SHA256} {NAME}\n".encode()
)
MISSING = ScriptedResponse(404)


@pytest.fixture
def server():
    with serving() as script:
        yield script


@pytest.fixture
def downloader(engine, server):
    return make(engine, server)


def make(engine, server, stop_requested=lambda: False):
    settings = CollectorSettings(_env_file=None, discogs_url=server.url, contact="a@b.org")
    clock = FakeClock()
    budget = RequestBudget.open(engine, discogs_account(settings))
    return DiscogsDownloader(settings, budget, clock, stop_requested)


def test_downloads_the_newest_complete_month(downloader, server, tmp_path):
    """The file is what the list of checksums says; every request names who sends it."""
    server.respond("/", CHECKSUMS, ScriptedResponse(body=CONTENT))
    newest = downloader.find_newest(TODAY)
    sizes = []
    downloader.download(newest, tmp_path / "part", sizes.append)
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert sizes[-1] == len(CONTENT)
    assert server.received == [
        "/?download=data%2F2026%2Fdiscogs_20260101_CHECKSUM.txt",
        f"/?download=data%2F2026%2F{NAME}",
    ]
    assert all("( a@b.org )" in agent for agent in server.user_agents)


@pytest.mark.parametrize("early", [MISSING, ScriptedResponse(403), ScriptedResponse(body=b"")])
def test_a_month_without_checksums_is_not_complete(downloader, server, early):
    """The month before is taken, across the turn of the year."""
    server.respond("/", early, CHECKSUMS)
    assert downloader.find_newest(TODAY).path == "data/2025"


def test_no_complete_month_is_an_error(downloader, server):
    """After three months nothing else is requested."""
    server.respond("/", MISSING)
    with pytest.raises(NotFound, match="no complete dump"):
        downloader.find_newest(TODAY)
    assert len(server.received) == 3


def test_a_refusal_of_every_month_is_named(downloader, server):
    """Such as that of an address: trying later would not help."""
    server.respond("/", ScriptedResponse(302, headers={"Location": "http://example.org/"}))
    with pytest.raises(NotFound, match=r"no complete dump .* \(The file is redirected to"):
        downloader.find_newest(TODAY)


def test_a_download_that_breaks_off_starts_again(downloader, server, tmp_path):
    """Nothing of the first part is kept."""
    whole = ScriptedResponse(body=CONTENT)
    server.respond("/", CHECKSUMS, ScriptedResponse(body=CONTENT, cut=True), whole)
    newest = downloader.find_newest(TODAY)
    downloader.download(newest, tmp_path / "part", lambda _: None)
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_file_with_another_checksum_is_refused(downloader, server, tmp_path):
    """The sentence says what to do."""
    server.respond("/", CHECKSUMS, ScriptedResponse(body=CONTENT[:-1]))
    newest = downloader.find_newest(TODAY)
    with pytest.raises(UnusableResponse, match="SHA-256"):
        downloader.download(newest, tmp_path / "part", lambda _: None)


def test_one_redirect_is_followed(downloader, server):
    """A second one would lead round in circles, and costs requests of few."""
    server.respond("/", ScriptedResponse(302, headers={"Location": "/moved"}))
    server.respond("/moved", CHECKSUMS)
    assert downloader.find_newest(TODAY).name == NAME
    assert [address.partition("?")[0] for address in server.received] == ["/", "/moved"]


def test_a_second_redirect_is_refused(downloader, server):
    """It is no month without a dump: earlier ones are not requested."""
    server.respond("/", ScriptedResponse(302, headers={"Location": "/moved"}))
    server.respond("/moved", ScriptedResponse(302, headers={"Location": "/"}))
    with pytest.raises(UnusableResponse, match="redirects twice"):
        downloader.find_newest(TODAY)
    assert len(server.received) == 2


def test_a_ban_of_an_hour_ends_the_download(downloader, server):
    """No request follows the refusal."""
    server.respond("/", ScriptedResponse(429, headers={"Retry-After": "3574"}))
    with pytest.raises(Blocked):
        downloader.find_newest(TODAY)
    assert len(server.received) == 1


def test_a_stop_ends_the_download(engine, server, tmp_path):
    """The file is not read to its end."""
    stopping = make(engine, server, lambda: True)
    server.respond("/", CHECKSUMS, ScriptedResponse(body=CONTENT))
    newest = stopping.find_newest(TODAY)
    with pytest.raises(StopRequested):
        stopping.download(newest, tmp_path / "part", lambda _: None)
