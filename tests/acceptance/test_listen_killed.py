"""`collector listen` as processes: killed, stopped, on a full disk, and started again."""

import json
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from genrebase.store import tables, views
from genrebase.store.engine import make_engine, read_transaction
from tests import archive_server
from tests.archive_server import FAULTS, USABLE
from tests.consistency import assert_consistent

LICENCES = (
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by-nc-sa/3.0/de/",
    "http://creativecommons.org/licenses/by-nc-nd/3.0/",
    None,
)
FILE_LIMIT = 30_000
"""Bytes above which a file of the process cannot grow, in place of a full disk."""


@pytest.fixture
def archive():
    with archive_server.serving() as server:
        yield server


@pytest.fixture
def environment(archive, database_url, tmp_path, monkeypatch):
    values = {
        "STORE_URL": database_url,
        "GENREBASE_LOG_LEVEL": "INFO",
        "COLLECTOR_SOURCES": "internetarchive",
        "COLLECTOR_ARCHIVE_URL": f"{archive.url}/archive",
        "COLLECTOR_ARCHIVE_RATE": "3000/30s",
        "COLLECTOR_DOWNLOADS": str(tmp_path / "downloads"),
        "COLLECTOR_DOWNLOADS_MB": "0.2",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def collector(*arguments):
    command = [sys.executable, "-m", "collector", *arguments]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def listen(*arguments, **options):
    # without -B, a limit of file sizes would cut bytecode files off
    command = [sys.executable, "-B", "-m", "collector", "listen", "--json", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **{**pipes, **options})


def list_items(target):
    assert collector("genres", "add", "ambient", "--target", str(target)).returncode == 0
    assert collector("harvest").returncode == 0


def add_items(archive, n_items, faults_of):
    for number in range(n_items):
        licence = LICENCES[number % len(LICENCES)]
        archive.add(f"item-{number:02}", faults_of(number), ["ambient", "web"], licence=licence)


def count(database_url, table, *conditions):
    engine = make_engine(database_url)
    with read_transaction(engine) as connection:
        stored = connection.scalar(select(func.count()).select_from(table).where(*conditions))
    engine.dispose()
    return stored


def assert_nothing_was_sent_twice(archive):
    """Bytes were sent again only where a connection broke, or a file was not as described."""
    for path, sent in archive.bytes_sent().items():
        file = archive.file_at(path)
        again = {"size": 2, "md5": 2, "long": 3, "cut": 2}.get(file.fault, 1)
        assert sent <= again * (len(file.content) + 5_000), (path, sent)
    for path, times in archive.complete_downloads().items():
        assert times <= (2 if archive.file_at(path).fault in {"md5", "size", "long"} else 1), path
    metadata = [one.path for one in archive.sent("/metadata/")]
    assert len(metadata) == len(set(metadata))


def kill_during_work(process, after):
    """Send SIGKILL once so many files are recorded, in the middle of the next ones."""
    recorded = 0
    for line in process.stderr:
        recorded += "file recorded" in line
        if recorded >= after:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("environment")
def test_a_killed_run_downloads_no_file_again(archive, database_url, tmp_path):
    """After SIGKILL the next run goes on; every usable file is one track with features."""
    add_items(archive, 4, lambda number: ["none", "cut", "text"] if number else ["none"] * 3)
    list_items(100)
    with listen("--workers", "1") as process:
        kill_during_work(process, 2)
    finished = count(database_url, tables.track)
    assert 0 < finished < 9
    with listen("--workers", "2") as process:
        out, err = process.communicate()
    document = json.loads(out)
    assert (process.returncode, document["stopped"]) == (0, "done"), err
    assert document["failed"] == {"not readable as audio": 3}
    for table in (tables.track, tables.descriptor, tables.sound_summary, tables.audio_features):
        assert count(database_url, table) == 9
    assert_nothing_was_sent_twice(archive)
    assert [path for path in (tmp_path / "downloads").rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file sizes")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("environment")
def test_a_full_disk_ends_the_run_with_a_sentence(archive, database_url, tmp_path):
    """The files before it are recorded; with space, the next run does the rest."""
    add_items(archive, 3, lambda _: ["none"])
    files = archive.items["item-01"].files
    (name,) = files
    files[name].content = archive_server.sound(99, 6.0)
    assert len(files[name].content) > FILE_LIMIT
    list_items(100)

    def limit_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # else it would end the process
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

    with listen("--workers", "1", preexec_fn=limit_files) as process:
        out, err = process.communicate()
    document = json.loads(out.splitlines()[0])
    assert (process.returncode, document["stopped"]) == (1, "disk")
    assert "COLLECTOR_DOWNLOADS" in err
    assert "Traceback" not in err
    assert document["analysed"] == count(database_url, tables.track) == 1
    assert [path for path in (tmp_path / "downloads").rglob("*") if path.is_file()] == []
    with listen("--workers", "1") as process:
        document = json.loads(process.communicate()[0])
    assert (document["stopped"], document["analysed"]) == ("done", 2)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.usefixtures("environment")
def test_sixty_items_despite_faults_and_kills(archive, database_url, tmp_path):
    """60 items of every fault, five kills: all that can be analysed is, within the disk bound."""
    add_items(archive, 60, lambda number: ["none", FAULTS[number % len(FAULTS)]])
    list_items(1_000)
    usable = sum(
        file.fault in USABLE for item in archive.items.values() for file in item.files.values()
    )
    with watching(tmp_path / "downloads") as sizes:
        for number in range(5):
            with listen("--workers", "2") as process:
                kill_during_work(process, 7 + number)
            assert count(database_url, tables.track) >= 7 * (number + 1)
        with listen("--workers", "2", stderr=subprocess.DEVNULL) as process:
            document = json.loads(process.communicate()[0])
    assert document["stopped"] == "done"
    for table in (tables.track, tables.descriptor, tables.sound_summary, tables.audio_features):
        assert count(database_url, table) == usable
    failed = tables.audio_download.c.status == "failed"
    assert count(database_url, tables.audio_download, failed) == 120 - usable
    assert 0 < max(sizes) <= 200_000
    assert_nothing_was_sent_twice(archive)
    engine = make_engine(database_url)
    with read_transaction(engine) as connection:
        seen = views.track_genre_sources.c
        licences = dict(
            map(
                tuple,
                connection.execute(select(seen.licence, func.count()).group_by(seen.licence)),
            )
        )
        assert_consistent(connection)
    engine.dispose()
    assert licences.keys() == {"cc-by-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-nd-3.0", "unknown"}
    assert sum(licences.values()) == usable


@contextmanager
def watching(folder: Path) -> Iterator[list[int]]:
    """Measure the files of a folder every few milliseconds; yield the sizes."""
    sizes, ended = [], threading.Event()

    def measure():
        while not ended.wait(0.005):
            sizes.append(size_of(folder))

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; one that vanishes meanwhile has none."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("environment")
def test_a_signal_ends_a_download_that_brings_nothing(archive, database_url, monkeypatch):
    """It need not wait for the deadline of the file."""
    monkeypatch.setenv("COLLECTOR_TIMEOUT", "300")
    archive.add("one", ["silent"], ["ambient"])
    list_items(10)
    process = listen("--workers", "1")
    assert archive.fell_silent.wait(60)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert count(database_url, tables.audio_download, tables.audio_download.c.status == "waiting")
