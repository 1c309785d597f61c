"""Harvests from the sandbox's MusicBrainz, also killed ones, and an oracle to compare them with.

The catalogue has genres whose names contain one another's words: a search for `rock` returns
`indie rock`, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import Engine, select

from collector.catalogue import genres as stored_genres
from collector.composition_root import open_source
from collector.crawl.harvest_loop import HarvestOutcome
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Rate
from collector.settings import CollectorSettings
from collector.sources.musicbrainz_items import Recording, parse_recording
from collector.sources.musicbrainz_search import MusicBrainzSearch
from genrebase.runtime.clock import Clock
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from sandbox.api.musicbrainz_api import TIE_SHIFT
from sandbox.api.musicbrainz_objects import RecordingObjects
from sandbox.application import SandboxOptions
from sandbox.middleware.faults import FaultPlan
from sandbox.server import RunningSandbox, serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from sandbox.tracks.recording_search import RecordingSearch
from sandbox.tracks.recordings import RecordingCatalogue
from tests.crash_harvests import ProcessKilled

GENRES = (
    *("rock", "indie rock", "punk rock", "progressive rock", "post-rock"),
    *("hip hop", "underground hip hop", "r&b", "soul", "ambient"),
    *("house", "deep house", "tech house", "acid house", "techno"),
    *("drum & bass", "jazz", "free jazz", "metal", "black metal"),
)
CROWD = ("tribal house", "ghetto house", "funky house", "latin house")
"""Genres that nobody collects: a search for `house` has more results than it returns."""
FAULT_SHARE = 0.1
CONTACT = "somebody@example.org"
ONE_A_SECOND = Rate(1, 1.0)
_COLUMNS = (
    *("track_id", "track_name", "artists", "album_name", "release_date", "isrc", "duration_ms"),
    "genre",
)


def make_catalogue(
    per_genre: int, collected: Sequence[str] = GENRES, crowd: Mapping[str, int] | None = None
) -> SandboxCatalogue:
    """Return so many tracks of each genre; a fifth of them are also of the next genre."""
    rows = []
    numbers = count()
    wanted = {**dict.fromkeys(collected, per_genre), **(crowd or {})}
    for at, (genre, tracks) in enumerate(wanted.items()):
        for number in range(tracks):
            own = next(numbers)
            cells = (
                f"{own:022}",
                f"Song {own}",
                f"Artist {own % 997}",
                f"Album {own % 4_001}",
                f"{1950 + own * 7 % 70}-0{1 + own % 9}-11",
                f"GBAAA{own:07}",
                str(150_000 + own % 1_000 * 90),
            )
            rows.append((*cells, genre))
            if number % 5 == 0 and genre in collected:
                rows.append((*cells, collected[(at + 1) % len(collected)]))
    return SandboxCatalogue(CatalogueTable(_COLUMNS, rows, "music.csv", "0" * 64))


@contextmanager
def served(
    catalogue: SandboxCatalogue, clock: Clock | None = None, faults: float = FAULT_SHARE
) -> Iterator[RunningSandbox]:
    """Serve a catalogue, one request in any second; `clock` measures them."""
    options = SandboxOptions(
        musicbrainz_rate=ONE_A_SECOND, faults=FaultPlan(faults, slow_seconds=0.01)
    )
    with serve_in_thread(catalogue, options, clock=clock) as running:
        yield running


def settings_for(url: str) -> CollectorSettings:
    return CollectorSettings(
        _env_file=None, sources="musicbrainz", contact=CONTACT, sandbox_url=url, timeout=20.0
    )


def prepare(engine: Engine, clock: Clock, target: int, collected: Sequence[str] = GENRES) -> None:
    for name in collected:
        genres.add(engine, clock, name, target)


@dataclass
class Kill:
    """Kills a process at its Nth request or commit, before or after it."""

    moment: int
    passed: int = 0
    is_dead: bool = False

    def at(self) -> None:
        if self.passed == self.moment:
            self.is_dead = True
        if self.is_dead:
            raise ProcessKilled
        self.passed += 1

    def watch(self, engine: Engine) -> None:
        """Also count the commits of a process's own engine, each before and after."""
        commit = engine.dialect.do_commit

        def watched(connection: Any) -> None:
            self.at()
            commit(connection)
            self.at()

        engine.dialect.do_commit = watched  # type: ignore[method-assign]  # this engine's own dialect


class _KilledSearch(MusicBrainzSearch):
    """A search whose process dies as `kill` says."""

    kill: Kill | None = None

    def fetch(self, query: Any) -> Any:
        if self.kill is None:
            return super().fetch(query)
        self.kill.at()
        page = super().fetch(query)
        self.kill.at()
        return page


def harvest(
    engine: Engine,
    url: str,
    clock: Clock,
    *,
    kill: Kill | None = None,
    process: int = 0,
    max_results: int | None = None,
) -> HarvestOutcome:
    """Harvest as `collector harvest` does; `max_results` makes searches return fewer rows."""
    settings = settings_for(url)
    open_source("musicbrainz", engine, settings, clock)  # the checks of a harvest
    source = _KilledSearch(settings, clock)
    source.kill = kill
    if max_results is not None:
        source.max_results = max_results  # type: ignore[misc]  # a small one takes fewer requests
    budget = RequestBudget.open(engine, source.account)
    current = ProcessIdentity.current()
    owner = str(ProcessIdentity(current.host, current.pid, f"process {process}"))
    if kill is not None:
        kill.watch(engine)
    return SearchHarvester(engine, source, budget, clock, owner=owner).run()


def tracks_per_genre(engine: Engine) -> dict[str, int]:
    """Return how many tracks count for each genre."""
    with read_transaction(engine) as connection:
        return {one.name: one.tracks for one in stored_genres.list_genres(connection)}


def requests_made(engine: Engine) -> int:
    """Return the requests that were counted, retries and refused ones included."""
    with read_transaction(engine) as connection:
        row = tables.source_budget.c
        query = select(row.requests).where(row.source == "musicbrainz")
        return connection.scalar(query) or 0


def pages_recorded(engine: Engine) -> int:
    """Return the pages that were recorded."""
    with read_transaction(engine) as connection:
        return sum(connection.scalars(select(tables.shard.c.requests)))


def oracle(catalogue: SandboxCatalogue, target: int, collected: Sequence[str] = GENRES) -> int:
    """Return how many pages of the unrestricted searches fill every genre, read in the best order.

    The oracle has read all of them before. It takes the page with the most tracks that are still
    missing, whatever pages come before it, until none is missing: close to the minimum, not it.
    """
    genre_of: dict[str, str] = {}
    recordings = RecordingCatalogue(catalogue)
    search, objects = RecordingSearch(recordings, TIE_SHIFT), RecordingObjects(recordings)
    pages = [
        page for genre in collected for page in _pages(search, objects, genre, collected, genre_of)
    ]
    missing = dict.fromkeys(collected, target)
    seen: set[str] = set()
    for requests in count():
        if not any(missing.values()):
            return requests
        page = max(pages, key=lambda one: _gain(one - seen, genre_of, missing))
        if not _gain(page - seen, genre_of, missing):
            raise ValueError(f"no page has what is missing: {missing}")
        for key in page - seen:
            missing[genre_of[key]] = max(0, missing[genre_of[key]] - 1)
        seen |= page
        pages.remove(page)
    raise AssertionError


def _pages(
    search: RecordingSearch,
    objects: RecordingObjects,
    genre: str,
    collected: Sequence[str],
    genre_of: dict[str, str],
) -> Iterator[frozenset[str]]:
    """Yield the tracks of each page of a genre that have its tag; note what each counts for."""
    query = f'tag:"{genre}" AND video:false'
    for offset in range(0, MusicBrainzSearch.max_results, 100):
        tracks = set()
        hits = search.page(query, offset, 100).recordings
        for recording, score in hits:
            parsed = parse_recording(objects.hit(recording, score), 2030)
            if isinstance(parsed, Recording):
                votes = {one.name: one.votes for one in parsed.genres if one.name in collected}
                if genre in votes:
                    tracks.add(parsed.track.name_key)
                    genre_of[parsed.track.name_key] = max(votes, key=lambda name: votes[name])
        if not hits:
            return
        yield frozenset(tracks)


def _gain(new: frozenset[str], genre_of: Mapping[str, str], missing: Mapping[str, int]) -> int:
    left = dict(missing)
    gain = 0
    for key in new:
        if left[genre_of[key]] > 0:
            left[genre_of[key]] -= 1
            gain += 1
    return gain
