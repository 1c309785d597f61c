"""Every command that requests something, against a server that means harm, in this process."""

import io
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import Engine, func, select

from collector import composition_root
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres
from collector.enrichment.features import FeatureEnricher
from collector.imports.ids import TrackAdder, spotify_tracks
from collector.run_outcome import RunOutcome
from collector.settings import CollectorSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime import logging as log_setup
from genrebase.runtime.control_characters import escape_control_characters
from genrebase.runtime.jobs import job_run
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock
from tests.hostile_modes import ENDLESS, SEARCH, SHAPES, TOKENS, TRANSPORT, Mode
from tests.hostile_server import (
    CLIENT_SECRET,
    IDS,
    MBIDS,
    OTHER_IDS,
    TOKEN_PATH,
    TOKEN_START,
    HostileServer,
    serving,
)

MAX_REQUESTS: Final = 6
MAX_SLOW_REQUESTS: Final = 2
SLOW_SECONDS: Final = 0.2
"""Timeout where a request ends by it."""
PATIENT_SECONDS: Final = 120.0
"""Timeout where it does not, however busy the machine is."""
MAX_MEMORY: Final = 700 << 20
"""Bytes that a mode may add to the process: 16 MiB of JSON, as objects."""
MAX_LOG: Final = 100_000
"""Characters that a run may log at DEBUG."""
LATER: Final = timedelta(days=400)
"""When every ban has ended, and everything is requested again."""
GENRE: Final = "rock"

Run = Callable[[Engine, CollectorSettings, FakeClock, int], RunOutcome]


def _harvest(
    engine: Engine,
    settings: CollectorSettings,
    clock: FakeClock,
    max_requests: int,
    source_name: str = "spotify",
) -> RunOutcome:
    source, budget = composition_root.open_source(source_name, engine, settings, clock)
    return SearchHarvester(engine, source, budget, clock).run(max_requests=max_requests)


def _enrich(
    engine: Engine, settings: CollectorSettings, clock: FakeClock, max_requests: int
) -> RunOutcome:
    providers = composition_root.open_providers(engine, settings, clock)
    return FeatureEnricher(engine, clock, providers, no_other_worker=lambda: True).run(
        max_requests=max_requests
    )


def _analyse(
    engine: Engine, settings: CollectorSettings, clock: FakeClock, max_requests: int
) -> RunOutcome:
    return composition_root.open_analyser(engine, settings, clock).run(max_requests=max_requests)


def _add(
    engine: Engine, settings: CollectorSettings, clock: FakeClock, _max_requests: int
) -> RunOutcome:
    _, budget = composition_root.open_source("spotify", engine, settings, clock)
    return TrackAdder(engine, spotify_tracks(settings, clock), budget, clock).run(OTHER_IDS)


@dataclass(frozen=True)
class Target:
    """What is attacked."""

    run: Run
    prefixes: tuple[str, ...]
    """Of the paths that the server responds to in its mode."""
    needs_tracks: bool = False


TARGETS: Final = {
    "start": Target(_harvest, ("/__sandbox__",)),
    "token": Target(_harvest, (TOKEN_PATH,)),
    "harvest": Target(_harvest, ("/v1/search",)),
    "musicbrainz": Target(partial(_harvest, source_name="musicbrainz"), ("/ws/2/",)),
    "enrich": Target(_enrich, ("/v1/audio-features", "/reccobeats"), needs_tracks=True),
    "analyse": Target(_analyse, ("/v1/audio-analysis",), needs_tracks=True),
    "add": Target(_add, ("/v1/tracks",)),
}
CONTENT: Final = (SHAPES, *SEARCH, *ENDLESS)
"""Modes with pages that move the cursor of a search."""
BUDGETED: Final = ("/v1", "/reccobeats", "/ws")


def _cases() -> Iterator[Any]:
    """Yield every mode against each target; the suite has some, `make soak` all of them.

    The suite has each mode against one of the targets, in turn: all share the session that bounds
    every response. The modes of a target's own documents are in the suite for every target.
    """
    for place, target in enumerate(TARGETS):
        modes = TRANSPORT if target == "start" else (*TRANSPORT, SHAPES)
        for number, mode in enumerate(modes):
            is_short = mode is SHAPES or number % len(TARGETS) == place
            marks = () if is_short else pytest.mark.soak
            yield pytest.param(target, mode, id=f"{target}-{mode.name}", marks=marks)
    for mode in TOKENS:
        yield pytest.param("token", mode, id=f"token-{mode.name}")
    for mode in (*SEARCH, *ENDLESS):
        yield pytest.param("harvest", mode, id=f"harvest-{mode.name}")


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def databases(
    server: HostileServer, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, Path]:
    """Databases with a genre: without and with its tracks."""
    folder, paths = tmp_path_factory.mktemp("hostile"), {}
    for has_tracks in (False, True):
        paths[has_tracks] = folder / f"{has_tracks}.db"
        shutil.copyfile(migrated_sqlite, paths[has_tracks])
        engine, clock = make_engine(f"sqlite:///{paths[has_tracks]}"), FakeClock()
        genres.add(engine, clock, GENRE, 10_000)
        if has_tracks:
            server.behave()
            _harvest(engine, _settings(server.url, PATIENT_SECONDS), clock, 99)
        engine.dispose()
    return paths


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return what is logged, from DEBUG up."""
    written, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers, root.level
    log_setup.configure("DEBUG", stream=written, human=False)
    yield written
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(("attacked", "mode"), list(_cases()))
def test_nothing_is_lost_and_everything_is_bounded(
    attacked: str,
    mode: Mode,
    server: HostileServer,
    databases: dict[bool, Path],
    log: io.StringIO,
    tmp_path: Path,
) -> None:
    """Requests, memory and log are bounded, no secret is shown, and the run is made up for."""
    target = TARGETS[attacked]
    path = tmp_path / "genrebase.db"
    shutil.copyfile(databases[target.needs_tracks], path)
    engine, clock = make_engine(f"sqlite:///{path}"), FakeClock()
    before = _requests_of_budget(engine)
    server.received.clear()
    server.misbehave(mode.behaviour, *target.prefixes)
    settings = _settings(server.url, SLOW_SECONDS if mode.slow else PATIENT_SECONDS)
    limit = MAX_SLOW_REQUESTS if mode.slow else MAX_REQUESTS
    with _limited_memory():
        shown = _attack(target, engine, settings, clock, limit)
    received = sum(server.count(prefix) for prefix in BUDGETED)
    budgeted = _requests_of_budget(engine) - before
    assert received <= budgeted
    assert server.count(TOKEN_PATH) <= budgeted
    assert budgeted <= limit or attacked == "add"
    assert len(server.received) > 0
    shown += log.getvalue()
    assert len(shown) <= MAX_LOG
    _assert_no_secrets(shown, path)
    server.behave()
    for visit in (1, 2) if mode in CONTENT else (1,):  # what was skipped is read again
        later = FakeClock(NOON + visit * LATER)
        target.run(engine, _settings(server.url, PATIENT_SECONDS), later, 10_000)
    _assert_complete(engine, attacked)
    engine.dispose()


@pytest.mark.parametrize("mode", [pytest.param(mode, id=mode.name) for mode in ENDLESS])
def test_a_source_without_end_costs_few_requests(
    mode: Mode, server: HostileServer, databases: dict[bool, Path], tmp_path: Path
) -> None:
    """Without a limit, a run ends by itself: the target is reached, or the searches are closed."""
    path = tmp_path / "genrebase.db"
    shutil.copyfile(databases[False], path)
    engine, clock = make_engine(f"sqlite:///{path}"), FakeClock()
    genres.set_target(engine, GENRE, 500)
    server.received.clear()
    server.misbehave(mode.behaviour, "/v1/search")
    outcome = _harvest(engine, _settings(server.url, PATIENT_SECONDS), clock, 1_000)
    assert outcome.stopped in {"target", "exhausted"}
    assert server.count("/v1/search") <= 20
    engine.dispose()


def _attack(
    target: Target, engine: Engine, settings: CollectorSettings, clock: FakeClock, limit: int
) -> str:
    """Run against the server; return what the outcome shows, or the error."""
    try:
        with job_run(engine, clock, "attacked") as run:
            outcome = target.run(engine, settings, clock, limit)
            outcome.write_to(run)
    except GenrebaseError as error:
        return str(error)
    return f"{outcome.facts()} {outcome.blocked}"


class _limited_memory:  # noqa: N801 - a context manager
    """Check that the block does not take more memory than a mode may."""

    def __enter__(self) -> None:
        if sys.platform == "linux":
            Path("/proc/self/clear_refs").write_text("5")  # sets the peak to the present size
            self._before = _memory("VmRSS")

    def __exit__(self, *_: object) -> None:
        if sys.platform == "linux":
            assert _memory("VmHWM") - self._before <= MAX_MEMORY


def _memory(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) << 10


def _settings(url: str, timeout: float) -> CollectorSettings:
    return CollectorSettings(
        _env_file=None,
        spotify_client_id="an-id",
        spotify_client_secret=SecretStr(CLIENT_SECRET),
        spotify_url=url,
        rate="100000/30s",
        reccobeats_rate="100000/30s",
        musicbrainz_url=url,
        musicbrainz_rate="100000/30s",
        timeout=timeout,
    )


def _requests_of_budget(engine: Engine) -> int:
    with read_transaction(engine) as connection:
        return int(connection.scalar(select(func.sum(tables.source_budget.c.requests))) or 0)


def _assert_no_secrets(shown: str, database: Path) -> None:
    for secret in (CLIENT_SECRET, TOKEN_START):
        assert secret not in shown
        for file in database.parent.glob(f"{database.name}*"):
            assert secret.encode() not in file.read_bytes(), file.name
    assert escape_control_characters(shown) == shown


def _assert_complete(engine: Engine, attacked: str) -> None:
    """Check that the database is consistent, and has everything once."""
    wanted = {"add": OTHER_IDS, "musicbrainz": MBIDS}.get(attacked, IDS)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        aliases = select(tables.track_alias.c.source_id, tables.track_alias.c.track_id)
        stored = {row.source_id: row.track_id for row in connection.execute(aliases)}
        assert set(wanted) <= stored.keys()
        assert len({stored[one] for one in wanted}) == len(wanted)
        assert connection.scalar(select(func.count()).select_from(tables.track)) == len(
            set(stored.values())
        )
        titles = connection.scalars(select(tables.track.c.title)).all()
        assert not any("\x00" in title for title in titles)
        if attacked in {"enrich", "analyse"}:
            table = {"enrich": tables.audio_features, "analyse": tables.sound_summary}[attacked]
            described = connection.scalars(select(table.c.track_id)).all()
            assert sorted(described) == sorted(stored[one] for one in wanted)
