"""Downloads of listed items: what is analysed, what is not and why, bounds, kills, full disks."""

import hashlib
from collections import Counter
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from collector import composition_root
from collector.curation import genres as genre_use
from collector.curation import vocabulary
from collector.downloads.folder import DiskFull, PartialFile
from collector.downloads.recorder import kept_name
from collector.errors import AccessDenied, SourceUnavailable
from collector.settings import CollectorSettings
from collector.sources.internet_archive import InternetArchive
from collector.sources.item_fields import RejectReason
from genrebase.audio.records import AudioAnalysis, UnreadableFile
from genrebase.audio.tags import AudioTags
from genrebase.errors import NothingToDo
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction
from genrebase.store.errors import DatabaseFailure
from tests import archive_server
from tests.archive_server import FAULTS, TEXT, USABLE
from tests.consistency import assert_consistent
from tests.fakes import FakeClock


@pytest.fixture
def archive():
    with archive_server.serving() as server:
        yield server


@contextmanager
def instant_pool(_workers, _digests, stop_requested):
    """Analyse at once: text is not audio, and anything else has its own digest."""

    def submit(file):
        future = Future()
        content = file.path.read_bytes()
        if stop_requested():
            future.set_result(None)
        elif content.startswith(TEXT[:10]):
            future.set_result(UnreadableFile(str(file.path), "it is text"))
        else:
            digest = hashlib.sha256(content).hexdigest()
            future.set_result(AudioAnalysis(digest, 1.1, AudioTags(), None))
        return future

    yield submit


@contextmanager
def lazy_pool(workers, digests, stop_requested):
    """Analyse a file only when its result is needed."""
    with instant_pool(workers, digests, stop_requested) as analyse:

        class Pending:
            def __init__(self, file):
                self.file = file

            def done(self):
                return False

            def result(self):
                return analyse(self.file).result()

        yield Pending


class Listener:
    """Lists the server's items, and runs downloads of them."""

    def __init__(self, engine, archive, folder, **settings):
        self.engine, self.clock, self.folder = engine, FakeClock(), folder
        self.settings = CollectorSettings(
            _env_file=None,
            archive_url=f"{archive.url}/archive",
            sources="internetarchive",
            archive_rate="1000/30s",
            downloads=folder,
            timeout=10,
            **settings,
        )

    def list_items(self, target=100, genres=("ambient",)):
        for name in genres:
            genre_use.add(self.engine, self.clock, name, target)
        composition_root.open_crawl(self.engine, self.settings, self.clock).run()

    def open(self, *, pool=instant_pool, stop=lambda: False, **options):
        made = composition_root.open_downloads(
            self.engine, self.settings, self.clock, stop, **options
        )
        return replace(made, pool=pool) if pool is not None else made

    def run(self, *, pool=instant_pool, max_requests=None, max_bytes=None, **options):
        made = self.open(pool=pool, **options)
        return made.run(max_requests=max_requests, max_bytes=max_bytes)


def rows(engine, query):
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def count(engine, table):
    return rows(engine, select(func.count()).select_from(table))[0][0]


def reasons(engine):
    download = tables.audio_download.c
    failed = select(download.reason).where(download.status == "failed")
    return Counter(reason for (reason,) in rows(engine, failed))


def files_in(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@pytest.fixture
def listener(engine, archive, tmp_path):
    return Listener(engine, archive, tmp_path / "downloads")


def test_every_fault_costs_its_own_file_only(listener, archive, engine):
    """What can be analysed is; each other file has its reason; nothing is left on the disk."""
    archive.add("one", list(FAULTS), ["Ambient", "netlabel"])
    listener.list_items()
    outcome = listener.run()
    assert (outcome.stopped, outcome.items, outcome.analysed) == ("done", 1, len(USABLE))
    assert outcome.failed == {
        "not readable as audio": 1,
        "another size than its source says": 1,
        "another checksum than its source says": 1,
        "redirected more than 4 times": 1,
        "not public, or redirected elsewhere": 1,
        "no longer there": 1,
        "longer than its source says": 1,
        "empty": 1,
    }
    assert reasons(engine)["it is text"] == 1
    assert outcome.subjects_set_aside == {"netlabel": 1}
    assert files_in(listener.folder) == []
    assert rows(engine, select(tables.audio_item.c.status)) == [("done",)]
    assert listener.run().requests == 0
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_a_track_has_its_items_metadata_licence_and_genres(listener, archive, engine):
    """A sighting per subject that is a genre here: one vote, of the release, with the licence."""
    archive.add(
        "one",
        ["none"],
        ["dark-ambient", "Ambient"],
        licence="https://creativecommons.org/licenses/by-nc-nd/3.0/us/",
    )
    listener.list_items(genres=("ambient", "Dark Ambient"))
    listener.run()
    track = tables.track.c
    columns = (track.title, track.artists, track.album, track.release_date, track.duration_ms)
    assert rows(engine, select(*columns, track.origin)) == [
        ("Song 0", "Band", "Album one", "2011-05-06", 1_100, "internetarchive")
    ]
    seen = views.track_genre_sources.c
    query = select(seen.genre, seen.source, seen.rank, seen.votes, seen.level, seen.licence)
    assert sorted(rows(engine, query.add_columns(seen.licence_class))) == [
        (genre, "internetarchive", 0, 1, 1, "cc-by-nc-nd-3.0", "restricted")
        for genre in ("Dark Ambient", "ambient")
    ]
    aliases = select(tables.track_alias.c.source, tables.track_alias.c.source_id)
    [(_, digest), own] = sorted(rows(engine, aliases))
    assert own == ("internetarchive", "one/00 song 0.flac")
    assert len(digest) == 64


def test_genres_that_could_be_collected_are_named(listener, archive, engine):
    """Subjects that a vocabulary has, however they are spelled; other words are only counted."""
    archive.add("one", ["none"], ["ambient", "Drum'n'Bass", "netlabel"])
    listener.list_items()
    vocabulary.replace(engine, "musicbrainz", ["ambient", "drum and bass", "idm"])
    outcome = listener.run()
    assert outcome.subjects_set_aside == {"Drum'n'Bass": 1, "netlabel": 1}
    assert outcome.genres_not_collected == {"Drum'n'Bass": 1}


def test_the_views_show_items_and_files(listener, archive, engine):
    """Each with its licence, its status and the reason; a file with its track."""
    archive.add("one", ["none", "text"], ["ambient"])
    archive.add("two", ["none"], ["ambient"], licence=None)
    listener.list_items(target=1)
    listener.run()
    one = views.audio_items.c
    columns = (one.item_id, one.licence, one.licence_class, one.status, one.files, one.analysed)
    assert sorted(rows(engine, select(*columns, one.failed))) == [
        ("one", "cc-by-4.0", "open", "open", 2, 1, 0),
        ("two", "unknown", "unknown", "waiting", 0, 0, 0),
    ]
    genre_use.set_target(engine, "ambient", 9)
    listener.run()
    file = views.audio_downloads.c
    columns = (file.item_id, file.name, file.status, file.reason, file.track_id, file.licence)
    [(track,), _] = rows(engine, select(tables.track.c.id).order_by(tables.track.c.id))
    assert sorted(rows(engine, select(*columns)))[:2] == [
        ("one", "00 song 0.flac", "done", None, track, "cc-by-4.0"),
        ("one", "01 song 1.flac", "failed", "it is text", None, "cc-by-4.0"),
    ]


def test_only_missing_tracks_are_downloaded(listener, archive, engine):
    """Files are downloaded one by one until the target is met; the rest waits."""
    for number in range(5):
        archive.add(f"item-{number}", ["none"] * 4, ["ambient"])
    listener.list_items(target=6)
    outcome = listener.run()
    assert (outcome.analysed, outcome.items, outcome.waiting) == (6, 2, 4)
    assert count(engine, tables.track) == 6
    assert not listener.open().has_work()
    genre_use.set_target(engine, "ambient", 8)
    assert listener.open().has_work()
    assert listener.run().analysed == 2


def test_items_of_other_licences_wait(engine, archive, tmp_path):
    """They are not requested; a wider setting takes them later."""
    archive.add("free", ["none"], ["ambient"])
    archive.add("closed", ["none"], ["ambient"], licence=None)
    narrow = Listener(engine, archive, tmp_path / "downloads", licence="open")
    narrow.list_items()
    assert narrow.run().analysed == 1
    assert archive.sent("/metadata/closed") == []
    wide = Listener(engine, archive, tmp_path / "downloads")
    assert wide.run().analysed == 1


@pytest.mark.parametrize("subjects", [["techno"], []])
def test_an_item_that_lost_its_genre_is_left_out(listener, archive, subjects):
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    archive.items["one"].subjects = subjects
    outcome = listener.run()
    assert (outcome.analysed, outcome.items_left_out) == (0, {"of another genre": 1})


def test_an_item_that_is_gone_is_left_out(listener, archive):
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    del archive.items["one"]
    assert listener.run().items_left_out == {"no longer there": 1}
    assert listener.run().requests == 0


def test_an_item_without_a_usable_file_is_left_out(engine, archive, tmp_path):
    """A file above the bound is not downloaded; the reason says so."""
    archive.add("one", ["none", "none"], ["ambient"])
    small = Listener(engine, archive, tmp_path / "downloads", file_mb=0.001)
    small.list_items()
    assert small.run().items_left_out == {"no file to use": 1}
    [(reason,)] = rows(engine, select(tables.audio_item.c.reason))
    assert reason == "2 larger than COLLECTOR_FILE_MB"


def test_the_disk_is_never_above_its_bound(engine, archive, tmp_path, monkeypatch):
    """Room is made by recording what was downloaded; partial files count."""
    archive.add("one", ["none"] * 12, ["ambient"])
    size = max(len(file.content) for file in archive.items["one"].files.values())
    bound = int(2.5 * size)
    small = Listener(engine, archive, tmp_path / "downloads", downloads_mb=bound / 1e6)
    small.list_items()
    highest = []
    write = PartialFile.write

    def measured(self, chunk):
        write(self, chunk)
        highest.append(sum(path.stat().st_size for path in files_in(tmp_path / "downloads")))

    monkeypatch.setattr(PartialFile, "write", measured)
    assert small.run(workers=8, pool=lazy_pool).analysed == 12
    assert size < max(highest) <= bound


def test_bytes_of_a_run_and_of_a_day_are_limited(engine, archive, tmp_path):
    """A file is not begun beyond the limit; the next day goes on."""
    archive.add("one", ["none"] * 6, ["ambient"])
    size = max(len(file.content) for file in archive.items["one"].files.values())
    one = Listener(engine, archive, tmp_path / "downloads", daily_mb=3.5 * size / 1e6)
    one.list_items()
    first = one.run(max_bytes=int(1.5 * size))
    assert (first.stopped, first.analysed) == ("limit", 1)
    assert one.run().analysed == 2
    assert not one.open().has_work()
    assert one.run().analysed == 0
    one.clock.advance(25 * 3_600)
    assert one.run().analysed == 3


def test_the_share_that_is_done(listener, archive):
    """It is that of the request limit or of the tracks needed, whichever is greater."""
    archive.add("one", ["none"] * 4, ["ambient"])
    listener.list_items(target=4)
    shares: list[float] = []
    listener.open().run(max_requests=6, advance=lambda so_far: shares.append(so_far.done_share))
    limited = tuple(shares)
    listener.open().run(advance=lambda so_far: shares.append(so_far.done_share))
    assert limited[0] < limited[-1] <= 1
    assert list(limited) == sorted(limited)
    assert shares[len(limited)] < shares[-1] == 1


def test_bytes_of_files_without_a_size_are_limited(engine, archive, tmp_path):
    archive.add("one", ["unsized"] * 3, ["ambient"])
    size = max(len(file.content) for file in archive.items["one"].files.values())
    one = Listener(engine, archive, tmp_path / "downloads")
    one.list_items()
    outcome = one.run(max_bytes=int(1.5 * size))
    assert (outcome.stopped, outcome.analysed) == ("limit", 1)
    assert outcome.received <= 1.5 * size


def test_bytes_of_downloads_that_fail_count(listener, archive, engine):
    """A file without a checksum is deleted after the last break, but it came over the line."""
    archive.add("one", ["broken"], ["ambient"])
    [(name, file)] = archive.items["one"].files.items()
    archive.items["one"].files[name] = replace(file, content=archive_server.sound(5, 60))
    listener.list_items()
    outcome = listener.run()
    assert outcome.items_postponed == {"the source fails": 1}
    assert outcome.received > len(archive.items["one"].files[name].content) / 2
    assert rows(engine, select(tables.audio_download.c.received)) == [(outcome.received,)]
    assert files_in(listener.folder) == []


def test_attempts_of_one_file_stay_within_the_days_bytes(listener, archive, engine):
    """A host that breaks off and ignores Range sends the file again and again."""
    archive.add("one", ["restarts"], ["ambient"])
    [(name, file)] = archive.items["one"].files.items()
    content = archive_server.sound(5, 60)
    archive.items["one"].files[name] = replace(file, content=content)
    listener.list_items()
    bound = int(1.3 * len(content))
    outcome = listener.run(max_bytes=bound)
    assert (outcome.stopped, outcome.analysed) == ("limit", 0)
    assert outcome.items_postponed == {"the source fails": 1}
    assert len(content) / 2 < outcome.received <= bound
    sent = sum(one.sent for one in archive.sent("/node/"))
    assert sent <= bound + 3 * 65_536 + len(content) / 2, "what was on its way when it stopped"
    assert listener.run(max_bytes=bound).requests == 0
    archive.items["one"].files[name] = replace(file, content=content, fault="none")
    listener.clock.advance(2 * 3_600)
    assert listener.run(max_bytes=bound).analysed == 1


def test_complete_files_are_not_deleted_to_make_room_for_themselves(engine, archive, tmp_path):
    """Two files fill the folder when a run is stopped: the next run analyses both as they are."""
    archive.add("one", ["none", "none"], ["ambient"])
    size = max(len(file.content) for file in archive.items["one"].files.values())
    small = Listener(engine, archive, tmp_path / "downloads", downloads_mb=2.1 * size / 1e6)
    small.list_items()

    submitted = []

    @contextmanager
    def stopped_pool(workers, digests, stop_requested):
        def submit(file):
            submitted.append(file)
            future = Future()
            future.done = lambda: False
            future.set_result(None)
            return future

        yield submit

    first = small.run(pool=stopped_pool, workers=4, stop=lambda: len(submitted) == 2)
    assert first.stopped == "interrupted"
    assert len(files_in(small.folder)) == 2
    assert small.run().analysed == 2
    assert set(archive.complete_downloads().values()) == {1}


def test_a_file_that_could_not_be_recorded_is_next_again(listener, archive, monkeypatch):
    """A daemon has one object for all its runs: nothing of a run that failed stays in progress."""
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    opened = listener.open()
    with monkeypatch.context() as patch:
        patch.setattr(
            "collector.catalogue.audio_downloads.record_analysed", raise_database_failure
        )
        with pytest.raises(DatabaseFailure):
            opened.run()
    assert opened.has_work()
    assert opened.run().analysed == 1
    assert set(archive.complete_downloads().values()) == {1}


def raise_database_failure(*_, **__):
    raise DatabaseFailure("the disk of the database is full")


def test_requests_are_limited(listener, archive):
    """Runs of one request each end in the same tracks, with a redirect requested again."""
    archive.add("one", ["none"] * 3, ["ambient"])
    listener.list_items()
    assert listener.run(max_requests=1).stopped == "limit"
    for _ in range(20):
        outcome = listener.run(max_requests=2)
        assert outcome.requests <= 2
    assert set(archive.complete_downloads().values()) == {1}
    assert len(archive.complete_downloads()) == 3


def full_disk_after(monkeypatch, n_writes):
    """Let the disk be full after so many writes."""
    writes = []
    write = PartialFile.write

    def failing(self, chunk):
        writes.append(chunk)
        if len(writes) > n_writes:
            raise self._translated(OSError(28, "No space left on device"))
        write(self, chunk)

    monkeypatch.setattr(PartialFile, "write", failing)


def test_a_full_disk_ends_the_run_and_loses_nothing(listener, archive, engine, monkeypatch):
    """What was downloaded is recorded; the partial file is deleted; the next run goes on."""
    archive.add("one", ["none"] * 5, ["ambient"])
    listener.list_items()
    with monkeypatch.context() as patch:
        full_disk_after(patch, 3)
        outcome = listener.run(workers=4)
    assert outcome.stopped == "disk"
    assert isinstance(outcome.disk_full, DiskFull)
    assert "COLLECTOR_DOWNLOADS" in str(outcome.disk_full)
    assert count(engine, tables.track) == outcome.analysed == 3
    assert files_in(listener.folder) == []
    assert listener.run().analysed == 2
    assert count(engine, tables.track) == 5


def test_files_are_kept_by_request(listener, archive, tmp_path):
    """Below source and item, as they were downloaded; names are safe on every disk."""
    archive.add("one", ["none", "text"], ["ambient"])
    files = archive.items["one"].files
    files["disc 1/a?b.flac"] = files.pop("00 song 0.flac")
    listener.list_items()
    outcome = listener.run(keep=tmp_path / "kept")
    assert outcome.kept == 1
    [kept] = files_in(tmp_path / "kept")
    name = kept_name("disc 1/a?b.flac")
    assert name.startswith("disc 1 - a_b ")
    assert kept.relative_to(tmp_path / "kept").as_posix() == f"internetarchive/one/{name}"
    assert kept.read_bytes() == files["disc 1/a?b.flac"].content


@pytest.mark.parametrize(
    ("function", "result", "reason"),
    [
        ("collector.downloads.recorder.to_track", RejectReason.NO_NAME, "no name"),
        (
            "collector.catalogue.audio_downloads.record_analysed",
            None,
            "its track was removed",
        ),
    ],
)
def test_files_without_a_track_are_not_kept(
    listener, archive, tmp_path, monkeypatch, function, result, reason
):
    """They count as failed, not as kept or analysed."""
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    with monkeypatch.context() as patched:
        patched.setattr(function, lambda *_, **__: result)
        opened = listener.open(keep=tmp_path / "kept")
        outcome = opened.run(max_requests=3)
    assert outcome.failed[reason] >= 1
    assert (outcome.kept, outcome.analysed) == (0, 0)
    assert files_in(tmp_path / "kept") == files_in(listener.folder) == []


class Killed(BaseException):
    """The process died."""


@pytest.mark.parametrize("n_files", [0, 1, 4, 6])
def test_no_file_is_downloaded_twice_after_a_kill(listener, archive, engine, n_files):
    """Killed after so many downloads, before anything of them is recorded."""
    archive.add("one", ["none", "cut", "none"], ["ambient"])
    archive.add("two", ["none", "none", "none"], ["ambient"])
    listener.list_items()

    @contextmanager
    def dying_pool(workers, digests, stop_requested):
        submitted = []

        def submit(file):
            submitted.append(file)
            if len(submitted) > n_files:
                raise Killed
            future = Future()
            future.set_exception(Killed())
            future.done = lambda: False
            return future

        yield submit

    with pytest.raises(Killed):
        listener.run(pool=dying_pool, workers=8)
    assert listener.run().stopped == "done"
    assert count(engine, tables.track) == 6
    assert len(archive.sent("/metadata/")) == 2
    sent = archive.bytes_sent()
    for path, total in sent.items():
        file = archive.file_at(path)
        assert total <= len(file.content) + (1 << 16) * (file.fault == "cut"), path
    assert files_in(listener.folder) == []


def test_a_partial_file_is_continued(listener, archive, engine):
    """A run that stops in the middle of a file requests the rest of it, and only that."""
    archive.add("one", ["none"], ["ambient"])
    [(name, file)] = archive.items["one"].files.items()
    archive.items["one"].files[name] = replace(file, content=archive_server.sound(5, 60))
    listener.list_items()
    writes = []

    def stop():
        writes.append(1)
        return len(writes) > 6

    interrupted = listener.run(stop=stop)
    assert (interrupted.stopped, interrupted.requests) == ("interrupted", 3)
    [partial] = files_in(listener.folder)
    begun = partial.stat().st_size
    assert begun > 0
    outcome = listener.run()
    assert outcome.analysed == 1
    last = archive.sent("/node/")[-1]
    assert (last.status, last.first) == (206, begun)
    [(received,)] = rows(engine, select(tables.audio_download.c.received))
    assert received == len(archive_server.sound(5, 60))


def test_files_that_nothing_waits_for_are_deleted(listener, archive):
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    listener.run()
    folder = files_in_parent(listener)
    (folder / "stale.flac.part").write_bytes(b"x" * 100)
    listener.run()
    assert files_in(listener.folder) == []


def files_in_parent(listener):
    """Return the folder of this database below the one in the settings."""
    (folder,) = Path(listener.folder).iterdir()
    return folder


def test_a_source_that_fails_is_left_alone(listener, archive):
    """Five failures in a row end its part of the run; its items are postponed, not lost."""
    for number in range(8):
        archive.add(f"item-{number}", ["none"], ["ambient"])
    listener.list_items()
    opened = listener.open()
    archive.is_broken = True
    outcome = opened.run()
    assert outcome.items_postponed == {"the source fails": 5}
    assert len(outcome.problems) == 1
    assert outcome.problems[0].startswith("internetarchive: The source responded with status 500")
    archive.is_broken = False
    assert listener.run().analysed == 3
    listener.clock.advance(2 * 3_600)
    assert listener.run().analysed == 5


def test_an_outage_of_months_loses_no_item(listener, archive, engine):
    """After an hour and a day it is requested once a week, until it is there."""
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    opened = listener.open()
    archive.is_broken = True
    for hours in (1, 24, *[7 * 24] * 8):
        assert opened.run().items_postponed == {"the source fails": 1}
        assert opened.run().requests == 0
        listener.clock.advance(hours * 3_600 + 1)
    assert rows(engine, select(tables.audio_item.c.status)) == [("waiting",)]
    archive.is_broken = False
    assert opened.run().analysed == 1


def test_an_item_that_is_refused_for_days_is_left_out(listener, archive, engine, monkeypatch):
    """After the fourth refusal; between them it waits for an hour, a day, a week."""
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    opened = listener.open()

    def refuse(*_):
        raise AccessDenied

    monkeypatch.setattr(InternetArchive, "fetch_files", refuse)
    for hours in (1, 24, 7 * 24, 1):
        assert opened.run().items_postponed == {"the source refuses it": 1}
        assert opened.run().requests == 0
        listener.clock.advance(hours * 3_600 + 1)
    assert opened.run().requests == 0
    assert rows(engine, select(tables.audio_item.c.status)) == [("left_out",)]


def test_one_refusal_after_an_outage_is_not_the_end(listener, archive, engine, monkeypatch):
    """What the outage cost does not count against the item."""
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    opened = listener.open()
    errors = [SourceUnavailable()] * 6 * 9 + [AccessDenied()]

    def fail(*_):
        raise errors.pop(0)

    with monkeypatch.context() as patched:
        patched.setattr(InternetArchive, "fetch_files", fail)
        while errors:
            assert opened.run().items_postponed.total() == 1
            listener.clock.advance(8 * 24 * 3_600)
    assert rows(engine, select(tables.audio_item.c.status)) == [("waiting",)]
    assert opened.run().analysed == 1


def test_a_ban_ends_the_run(listener, archive, engine):
    """Nothing is recorded as failed; the item is due again later."""
    archive.add("one", ["none"], ["ambient"])
    listener.list_items()
    listener.run(max_requests=1)
    downloads = listener.open().sources[0].downloader
    downloads.budget.record_ban(listener.clock.now().timestamp(), 3_600, None)
    outcome = listener.run()
    assert (outcome.stopped, outcome.requests) == ("blocked", 0)
    assert reasons(engine) == {}
    assert not listener.open().has_work()
    listener.clock.advance(2 * 3_600)
    assert listener.run().analysed == 1


def test_nothing_waits_without_items(engine, archive, tmp_path):
    one = Listener(engine, archive, tmp_path / "downloads")
    one.settings = one.settings.model_copy(update={"sources": "spotify"})
    with pytest.raises(NothingToDo, match="collector harvest"):
        one.open()


def test_a_redirect_is_never_followed_elsewhere(listener, archive):
    """The redirect is requested once more, and then the file is given up."""
    archive.add("one", ["elsewhere"], ["ambient"])
    listener.list_items()
    outcome = listener.run()
    assert outcome.failed == {"not public, or redirected elsewhere": 1}
    assert len(archive.sent("/download/")) == 2
    assert archive.sent("/node/") == []
