"""The order of a crawl's sources, and what ends it."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from collector.crawl.harvest_loop import HarvestOutcome
from collector.crawl.stages import CrawlStages
from collector.errors import Blocked, SourceUnavailable
from collector.records import RecordResult
from genrebase.runtime import jobs
from tests.fakes import FakeClock


@dataclass
class Stage:
    """A stage that ends in a given way."""

    account: str
    stopped: str = "exhausted"
    banned_until: float | None = None
    unknown: tuple[str, ...] = ()
    fails: bool = False
    new: int = 0
    limits: list[int | None] = field(default_factory=list)
    requests_made: int = 0

    @property
    def budget(self):
        return SimpleNamespace(source=self.account, requests_made=self.requests_made)

    @property
    def source(self):
        return SimpleNamespace(subject_kind="genre")

    def run(self, genres, *, max_requests=None, advance):
        self.limits.append(max_requests)
        self.requests_made += 3
        if self.fails:
            raise SourceUnavailable
        outcome = HarvestOutcome(stopped=self.stopped, unknown_genres=list(self.unknown))
        outcome.requests = 3
        outcome.recorded = RecordResult(tracks_new=self.new)
        if self.banned_until is not None:
            outcome.stopped = "blocked"
            outcome.blocked = Blocked(self.account, self.banned_until)
        return outcome


def crawl(*stages, **more):
    return CrawlStages(None, FakeClock(), stages).run(**more)


def test_a_ban_ends_the_stages_of_its_account_only():
    """Other sources are read; the stages of the banned account make no request."""
    playlists, search = Stage("spotify", banned_until=50.0), Stage("spotify")
    open_source = Stage("musicbrainz", "target")
    outcome = crawl(playlists, search, open_source)
    assert (search.limits, open_source.limits) == ([], [None])
    assert (outcome.stopped, outcome.blocked, outcome.requests) == ("target", None, 6)


def test_a_crawl_is_blocked_until_the_first_ban_ends():
    """Where tracks are missing and sources are banned, the crawl can go on after the first."""
    outcome = crawl(
        Stage("one", banned_until=90.0), Stage("two", banned_until=50.0), Stage("three")
    )
    assert outcome.stopped == "blocked"
    assert outcome.blocked.source == "two"


@pytest.mark.parametrize("stopped", ["limit", "interrupted"])
def test_a_limit_or_a_stop_ends_the_crawl(stopped):
    """No request is made to the sources after it."""
    after = Stage("two")
    assert crawl(Stage("one", stopped), after).stopped == stopped
    assert after.limits == []


def test_the_request_limit_is_for_all_sources_together():
    """Each source gets what is left."""
    first, second = Stage("one"), Stage("two")
    crawl(first, second, max_requests=10)
    assert (first.limits, second.limits) == ([10], [7])


def test_a_genre_is_unknown_where_no_source_has_it():
    """A genre that one of two sources has is not unknown."""
    outcome = crawl(Stage("one", unknown=("rock", "wave")), Stage("two", unknown=("rock", "jazz")))
    assert outcome.unknown_genres == ["rock"]


def test_a_failure_ends_the_stages_of_its_account_only():
    """Other sources are read with the requests that are left."""
    playlists, search = Stage("spotify", fails=True), Stage("spotify")
    open_source = Stage("musicbrainz", "target")
    outcome = crawl(playlists, search, open_source, max_requests=10)
    assert (search.limits, open_source.limits) == ([], [7])
    assert (outcome.stopped, outcome.requests) == ("target", 6)


def test_a_failure_is_in_the_outcome_where_tracks_are_missing():
    """After the other sources have been read, with their counts."""
    before, after = Stage("one", new=5), Stage("three", new=2)
    outcome = crawl(before, Stage("two", fails=True), after)
    assert isinstance(outcome.failure, SourceUnavailable)
    assert (outcome.requests, outcome.recorded.tracks_new) == (9, 7)


def test_the_row_of_a_run_that_failed_counts_what_worked(sqlite_engine):
    """It has the error, too."""
    outcome = crawl(Stage("one", fails=True), Stage("two", new=5))
    clock = FakeClock()
    with pytest.raises(SourceUnavailable), jobs.job_run(sqlite_engine, clock, "harvest") as run:
        outcome.write_to(run)
    row = jobs.last_run(sqlite_engine, "harvest")
    assert (row.outcome, row.error) == ("failed", str(SourceUnavailable()))
    assert (row.counts["requests"], row.counts["tracks_new"]) == (6, 5)


def test_a_failure_does_not_count_where_nothing_is_missing():
    """The others had it all."""
    assert crawl(Stage("one", fails=True), Stage("two", "target")).failure is None
