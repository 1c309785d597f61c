"""The folder of downloads: bounded files, partial ones, full disks."""

import hashlib
from pathlib import Path

import pytest

from collector.downloads.folder import (
    DiskFull,
    DownloadFolder,
    FileTooLong,
    folder_for,
)
from collector.errors import StopRequested
from genrebase.errors import UserError

KEY = ("internetarchive", "one", "disc 1/a.MP3")


@pytest.fixture
def folder(tmp_path):
    return DownloadFolder(tmp_path / "downloads", 1_000)


def write(folder, content, key=KEY, *, max_size=1_000):
    file = folder.file(*key)
    file.max_size = max_size
    with file:
        file.write(content)
        return file


def test_a_file_is_partial_until_it_is_complete(folder):
    """Its name is a hash with the suffix, the same in every run."""
    file = folder.file(*KEY)
    file.max_size = 10
    with file:
        file.write(b"abc")
        assert not file.path.exists()
        assert file.digest() == hashlib.md5(b"abc").hexdigest()
        file.complete()
    assert folder.file(*KEY).path.read_bytes() == b"abc"
    assert file.path.suffix == ".mp3"
    assert folder.used() == 3


def test_a_partial_file_is_continued(folder):
    write(folder, b"abc")
    file = folder.file(*KEY)
    file.max_size = 6
    with file:
        assert (file.size, file.received) == (3, 3)
        file.write(b"def")
        assert (file.size, file.received) == (6, 6)
        file.restart()
        assert (file.size, file.received) == (0, 6)


def test_a_file_is_never_longer_than_allowed(folder):
    """Nothing of the chunk that is too long is written."""
    with pytest.raises(FileTooLong):
        write(folder, b"abcdef", max_size=5)
    assert folder.used() == 0


def test_a_stop_leaves_what_there_is(folder):
    write(folder, b"abc")
    file = folder.file(*KEY)
    file.max_size, file.stop_requested = 10, lambda: True
    with file, pytest.raises(StopRequested):
        file.write(b"def")
    assert folder.used() == 3


class FullDisk:
    """A file on a disk that takes some bytes more."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, chunk):
        if not self.room:
            raise OSError(28, "No space left on device")
        written = min(self.room, len(chunk))
        self.room -= written
        return self.file.write(chunk[:written])

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_full_disk_takes_the_partial_file_with_it(folder):
    """The space may be needed for the database; the message says what to do."""
    file = folder.file(*KEY)
    file.max_size = 100
    with file:
        file._file = FullDisk(file._file, 4)
        with pytest.raises(DiskFull, match=r"COLLECTOR_DOWNLOADS.*run it again"):
            file.write(b"abcdef")
        assert file.received == 4
    assert folder.used() == 0


def test_other_files_are_deleted(folder):
    """Those of another key, complete or not; folders stay."""
    write(folder, b"abc")
    write(folder, b"abc", ("internetarchive", "one", "b.mp3"))
    complete = folder.file("internetarchive", "two", "c.mp3").path
    complete.write_bytes(b"abc")
    (complete.parent / "folder").mkdir()
    assert folder.delete_others([KEY]) == 2
    assert folder.used() == 3
    assert (complete.parent / "folder").is_dir()


def test_every_database_has_a_folder(tmp_path):
    one, other = (folder_for(tmp_path, name) for name in ("sqlite:///a", "sqlite:///b"))
    assert one != other
    assert one.parent == tmp_path
    assert folder_for(None, "x").is_relative_to(Path.home())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="COLLECTOR_DOWNLOADS"):
        DownloadFolder(tmp_path / "file" / "downloads", 10)
