"""Labels by keyboard: one key decides and advances; undo; nothing is lost with the server."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import Engine, select

from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.http_server import listen
from genrebase.store import tables
from genrebase.store.engine import read_transaction

ROOT = Path(__file__).resolve().parents[2]
KEYS = "12s"


def labels(engine: Engine) -> set[tuple[int, str]]:
    verdict = tables.verdict.c
    with read_transaction(engine) as connection:
        rows = connection.execute(select(verdict.track_id, verdict.labelled_by)).all()
    return {(row.track_id, row.labelled_by) for row in rows}


def start(page, url: str, name: str) -> None:
    page.goto(f"{url}/disputes")
    with page.expect_navigation():  # keys have no effect until the page's script has run
        page.click("text=Label them one by one")
    page.fill("#by", name)
    page.evaluate("document.activeElement.blur()")


def press(page, key: str) -> str:
    """Press a key, wait for the next page, and return the track of the page before."""
    track = re.search(r"/tracks/(\d+)", page.url)[1]
    with page.expect_navigation():
        page.keyboard.press(key)
    return int(track)


def test_twenty_disputes_in_twenty_keys_and_back(served, clean_tab):
    page, before = clean_tab.page, labels(served.engine)
    start(page, served.url, "Zoé")
    first = page.url
    tracks = [press(page, KEYS[number % 3]) for number in range(20)]
    assert len(set(tracks[:19])) == 19  # the twentieth is drawn at random from all tracks
    labelled = {(track, "Zoé") for number, track in enumerate(tracks) if KEYS[number % 3] != "s"}
    assert labels(served.engine) - before == labelled
    for _ in range(20):
        press(page, "u")
    assert labels(served.engine) == before
    assert page.url.partition("?")[0] == first.partition("?")[0]
    assert page.locator("[data-key=u]").count() == 0
    assert clean_tab.messages == []


def test_the_twentieth_track_is_labelled_blind(served, clean_tab):
    page = clean_tab.page
    start(page, served.url, "Eve")
    for _ in range(19):
        press(page, "s")
    assert "blind=1" in page.url
    assert page.get_by_text("Prediction", exact=True).count() == 0
    track = press(page, "1")
    assert (track, "Eve") in labels(served.engine)
    assert "blind=1" not in page.url
    press(page, "u")
    assert "blind=1" in page.url
    assert (track, "Eve") not in labels(served.engine)
    assert clean_tab.messages == []


def test_two_browsers_never_get_the_same_track(served, chromium):
    contexts = [chromium.new_context() for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page, name in zip(pages, ("Bo", "Cy"), strict=True):
        start(page, served.url, name)
    tracks = []
    for _ in range(5):
        tracks += [press(page, "s") for page in pages]
        assert pages[0].url.partition("?")[0] != pages[1].url.partition("?")[0]
    assert len(set(tracks[::2])) == len(set(tracks[1::2])) == 5
    for context in contexts:
        context.close()


@contextmanager
def running(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run `genrebase serve` until the block ends; it is listening when the block starts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "genrebase", "serve", "--port", str(port)],
        env={"PYTHONPATH": str(ROOT), "STORE_URL": url, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"Serving" in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.processes
@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by SIGKILL")
def test_a_killed_server_loses_no_label_and_repeats_none(served, clean_tab):
    free = listen(ListenAddress("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    page, before = clean_tab.page, labels(served.engine)
    with running(served.database_url, port) as process:
        start(page, f"http://127.0.0.1:{port}", "Di")
        tracks = [press(page, "1") for _ in range(2)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(served.database_url, port):
        tracks += [press(page, "2") for _ in range(3)]
    assert len(set(tracks)) == 5
    assert labels(served.engine) - before == {(track, "Di") for track in tracks}


def test_a_key_before_the_name_is_finished_by_enter_in_the_name(served, clean_tab):
    """The key is not typed into the field; Enter without a key before it stores nothing."""
    page, before = clean_tab.page, labels(served.engine)
    page.goto(f"{served.url}/disputes")
    with page.expect_navigation():
        page.click("text=Label them one by one")
    page.fill("#by", "Kim")
    with page.expect_navigation():
        page.press("#by", "Enter")
    assert "choose a genre" in page.inner_text("#problem")
    assert labels(served.engine) == before
    page.fill("#by", "")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("2")
    assert page.evaluate("document.activeElement.id") == "by"
    assert page.locator("#by").input_value() == ""
    genre = page.locator("[data-key='2']").get_attribute("value")
    page.keyboard.type("Kim")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert {name for _, name in labels(served.engine) - before} == {"Kim"}
    assert page.locator("p", has_text="Latest:").inner_text().endswith(genre)
    press(page, "u")
    assert labels(served.engine) == before


def test_a_song_is_found_sql_is_run_and_a_training_requested(served, clean_tab):
    """By the field of every page, page after page; by the button of the jobs."""
    page = clean_tab.page
    page.goto(served.url)
    page.keyboard.press("/")
    page.keyboard.type("song")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    first = page.locator("main td a").all_inner_texts()
    with page.expect_navigation():
        page.click("text=Further tracks")
    following = page.locator("main td a").all_inner_texts()
    assert len(first) == len(following) == 50
    assert not set(first) & set(following)
    page.goto(f"{served.url}/sql")
    page.fill("#sql-q", "SELECT 6 * 7 AS product")
    with page.expect_navigation():
        page.press("#sql-q", "Control+Enter")
    assert page.get_by_role("cell", name="42").count() == 1
    page.goto(f"{served.url}/jobs")
    with page.expect_navigation():
        page.click("text=Train now")
    assert page.get_by_text("waits", exact=True).count() == 1
    assert clean_tab.messages == []


def test_tracks_are_shown_while_words_are_typed(served, clean_tab):
    """Arrows choose one, Enter opens it, Escape closes the list; axe finds nothing."""
    page = clean_tab.page
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(served.url)
        page.focus("#q")
        page.keyboard.type("song 1")
        page.wait_for_selector("#hits li")
        assert page.locator("#hits li").count() == 8
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
        assert page.locator("#q").get_attribute("aria-activedescendant") == "hit-0"
        result = Axe().run(page, options={"resultTypes": ["violations"]})
        assert [one["id"] for one in result.response["violations"]] == []
        track = page.locator("#hits li").first.get_attribute("data-track")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url == f"{served.url}/tracks/{track}"
    page.focus("#q")
    page.keyboard.type("script")
    page.wait_for_selector("#hits li")
    assert "<script>" in page.locator("#hits li").first.inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#hits").is_hidden()
    assert clean_tab.messages == []
