"""Every kind of 429, from the sandbox over HTTP, with a fake clock."""

from dataclasses import dataclass

import pytest

from collector import composition_root
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.errors import RateLimited
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Rate
from collector.settings import CollectorSettings
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.fakes import FakeClock

TOLD, TRUE = "1000/30s", Rate(5, 30.0)


@dataclass
class Crawl:
    """A harvest that can be stopped and restarted at any moment, and its sandbox."""

    engine: object
    clock: FakeClock
    running: object
    silent: bool = False
    """Whether responses have no usable Retry-After."""

    def restart(self):
        """Harvest as a new process does, with nothing but the database."""
        settings = CollectorSettings(
            spotify_url=self.running.url,
            rate=TOLD,
            spotify_client_id="an-id",
            spotify_client_secret="a-secret",
        )
        source, _ = composition_root.open_source("spotify", self.engine, settings, self.clock)
        displayed = Silent(source) if self.silent else source
        budget = RequestBudget.open(self.engine, source.account)
        return SearchHarvester(self.engine, displayed, budget, self.clock).run()

    @property
    def requests(self):
        return self.running.stats()["apis"]["spotify"]["requests"]

    @property
    def while_banned(self):
        return self.running.stats()["while_banned"]


class Silent:
    """A source whose 429 has no Retry-After, or one that is no number."""

    def __init__(self, source):
        self._source = source

    def __getattr__(self, name):
        return getattr(self._source, name)

    def fetch(self, query):
        try:
            return self._source.fetch(query)
        except RateLimited as error:
            raise RateLimited(None, error.reason) from None


@pytest.fixture
def crawl(sqlite_engine, tmp_path):
    """Return a function that yields a crawl of 12 pages from a sandbox with the given options."""
    path = tmp_path / "catalogue.csv"
    lines = ["track_name,artists,track_genre"]
    lines += [f"Song {n},Band {n},rock" for n in range(120)]
    path.write_text("\n".join(lines) + "\n")
    clock = FakeClock()
    genre_use.add(sqlite_engine, clock, "rock", 10_000)
    servers = []

    def begin(*, silent=False, **behaviour):
        made = SandboxOptions(mode="development", **behaviour)
        server = serve_in_thread(
            SandboxCatalogue(catalogue_file.read_table(path)), made, clock=clock
        )
        servers.append(server)
        return Crawl(sqlite_engine, clock, server.__enter__(), silent)

    yield begin
    for server in servers:
        server.__exit__(None, None, None)


@pytest.mark.parametrize("seconds", [None, 1, 30])
@pytest.mark.parametrize("silent", [False, True])
def test_a_short_ban_is_waited_out(crawl, seconds, silent):
    """A short ban, announced or not, is waited out without a request."""
    one = crawl(rate=TRUE, retry_after=seconds, silent=silent)
    assert one.restart().stopped == "exhausted"
    assert one.while_banned == 0
    assert one.running.stats()["banned"] <= 4


def test_a_long_ban_survives_every_restart(crawl):
    """20,000 s: a run started during the ban makes no request; the next one continues."""
    one = crawl(rate=TRUE, retry_after=20_000)
    first = one.restart()
    assert first.stopped == "blocked"
    until = first.blocked.until
    requested = one.requests
    for _ in range(6):
        assert one.restart().blocked.until == until
        one.clock.advance(3_300)
    assert (one.requests, one.while_banned) == (requested, 0)
    one.clock.advance((until - one.clock.now()).total_seconds())
    while one.restart().stopped == "blocked":
        one.clock.advance(20_001)
    assert one.while_banned == 0


def test_an_exceeded_quota_is_retried_with_backoff(crawl):
    """Without an announced end: one request after ten minutes, then after twice as long."""
    one = crawl(quota=4)
    gaps = []
    for _ in range(4):
        ended = one.restart()
        assert (ended.stopped, ended.blocked.reason) == ("blocked", "QUOTA_EXCEEDED")
        requested = one.requests
        assert one.restart().requests == 0
        assert one.requests == requested
        wait = (ended.blocked.until - one.clock.now()).total_seconds()
        gaps.append(round(wait))
        one.clock.advance(wait + 0.001)
    assert gaps == [600, 1_200, 2_400, 4_800]
    assert requested == 4 + len(gaps)
