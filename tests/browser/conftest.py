"""One Chromium, one database and one server for all tests of the pages in a browser."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from sqlalchemy import Engine, String, cast, select, update

from classifier.serving import batch_predict
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.digests.refresh import refresh
from genrebase.progress import no_progress
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.http_server import listen, serve_application
from genrebase.store import tables
from genrebase.store.engine import make_engine, transaction
from tests import factories as make
from tests.synthetic_music import Music
from web.application import Site, application
from web.read_only import make_read_only
from web.security import Access, host_headers
from web.server import LIMITS
from web.sql_queries import SqlQueries

HOSTILE = "<script>alert('x')</script> {{ 7*7 }} \"&amp; \u202egnol" + "x" * 10_000
"""Markup, braces of templates, a right-to-left override and a word without an end."""


DUET = 196
"""A track of two artists with features."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Served:
    """A running server, and the database behind it."""

    url: str
    engine: Engine
    database_url: str


@dataclass
class Tab:
    """A page in the browser, with the messages of its console."""

    page: Page
    messages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._record)
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))

    def _record(self, message: ConsoleMessage) -> None:
        self.messages.append(message.text)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Yield a headless Chromium of the system.

    Playwright's event loop runs in this thread until the end of the module: other tests start
    event loops of their own.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def filled_url(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a database with a trained champion and 60 wrong labels."""
    path = tmp_path_factory.mktemp("browser") / "genrebase.db"
    shutil.copyfile(migrated_sqlite, path)
    url = f"sqlite:///{path}"
    engine = make_engine(url)
    music = Music(genres=("blues", "r&b", "techno <b>"))
    music.fill(engine)
    clock = SystemClock()
    for features in (("audio", "metadata"), ("metadata",)):
        config = TrainingConfig(estimator="logistic", features=features)
        train.run(engine, config, clock, log=lambda _: None)
    batch_predict.run(engine, clock, progress=no_progress)
    with transaction(engine) as connection:
        track = tables.track.c
        for number, song in enumerate(music.songs[:180:3], start=1):
            wrong = (song.genre + 1) % 3 + 1
            where = track.id == song.id
            connection.execute(update(tables.track).where(where).values(genre_id=wrong))
            make.add_sighting(connection, song.id, wrong, source=f"csv:{number % 3}")
        connection.execute(update(tables.track).where(track.id == 1).values(title=HOSTILE))
        make.add_acousticbrainz(connection, DUET, dynamic_complexity=4.1, bpm_first_peak=120.0)
        credit = tables.track_artist.c
        both = tables.artist.c.id.in_(select(credit.artist_id).where(credit.track_id == DUET))
        wide = "The Orchestra with a Long Name " + cast(tables.artist.c.id, String)
        connection.execute(update(tables.artist).where(both).values(name=wide))
        make.add_job_run(connection, "train", "failed", error=HOSTILE, counts={"rows": 7})
        make.add_budget(connection, requests=50)
        make.add_verdict(connection, music.songs[400].id, 1, "Ann")
        assert connection.scalar(select(track.title).where(track.id == 1)) == HOSTILE
    refresh(engine, clock)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def served(filled_url: str) -> Iterator[Served]:
    """Yield a server of the pages in this process."""
    reader, writer = make_engine(filled_url), make_engine(filled_url)
    make_read_only(reader)
    listener = listen(ListenAddress("127.0.0.1", 0))
    port = listener.getsockname()[1]
    access = Access(host_headers(port))
    site = Site(reader, SystemClock(), access, "genrebase.db", writer, sql=SqlQueries(reader))
    with serve_application(listener, application(site), LIMITS, "serve"):
        yield Served(f"http://127.0.0.1:{port}", writer, filled_url)
    site.predictor.close()
    reader.dispose()
    writer.dispose()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Tab]:
    """Yield an empty tab of a new profile."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Tab(context.new_page())
    context.close()


@pytest.fixture(scope="module")
def warm_tab(chromium: Browser) -> Iterator[Tab]:
    """Yield a tab that stays: the process of a new one compiles all scripts again."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Tab(context.new_page())
    context.close()


@pytest.fixture
def clean_tab(warm_tab: Tab) -> Tab:
    """Return that tab without the page and the cookies that an earlier test left."""
    warm_tab.page.goto("about:blank")
    warm_tab.page.context.clear_cookies()
    warm_tab.messages.clear()
    return warm_tab
