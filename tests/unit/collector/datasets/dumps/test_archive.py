"""Streaming the members of archives."""

import bz2
import gzip
import io
import os
import stat
import sys
import tarfile
import threading

import pytest

from collector.datasets import reader
from collector.datasets.dumps import archive
from collector.datasets.dumps.archive import DamagedDump, DumpArchive


def make(path, members, mode="w:bz2"):
    with tarfile.open(path, mode) as made:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return path


def contents(path):
    with DumpArchive(path).members() as members:
        return {name: content.read() for name, content in members}


MEMBERS = {"TIMESTAMP": b"now", "mbdump/artist": os.urandom(3_000_000), "empty": b""}


@pytest.mark.parametrize("mode", ["w", "w:bz2", "w:gz", "w:xz"])
def test_members_are_read_in_order(tmp_path, mode):
    """Whatever compresses the archive."""
    path = make(tmp_path / "dump", MEMBERS, mode)
    assert archive.is_tar(path)
    dump = DumpArchive(path)
    with dump.members() as members:
        assert [(name, content.read()) for name, content in members] == list(MEMBERS.items())
        assert dump.progress() == 1


def test_members_may_be_passed_over(tmp_path):
    """The next one begins where it should."""
    path = make(tmp_path / "dump", {**MEMBERS, "last": b"last"})
    with DumpArchive(path).members() as members:
        names = [(name, content.read(2)) for name, content in members]
    assert names[-1] == ("last", b"la")


def test_an_archive_of_several_streams_is_one(tmp_path):
    """Parallel compressors write many."""
    plain = make(tmp_path / "plain", MEMBERS, "w").read_bytes()
    path = tmp_path / "dump"
    path.write_bytes(bz2.compress(plain[:1_000_000]) + bz2.compress(plain[1_000_000:]))
    assert contents(path) == MEMBERS


@pytest.mark.parametrize("part", [0.2, 0.5, 0.999])
def test_an_archive_that_breaks_off_is_damaged(tmp_path, part):
    """And no thread is left behind."""
    path = make(tmp_path / "dump", MEMBERS)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(DamagedDump, match="get the whole file"):
        contents(path)
    assert not [one for one in threading.enumerate() if one.name == "read-ahead"]


def test_reading_may_end_early(tmp_path):
    """The thread that reads ahead ends, too."""
    path = make(tmp_path / "dump", {"a": b"a", "b": bytes(50_000_000)})
    with DumpArchive(path).members() as members:
        assert next(members)[0] == "a"
    assert not [one for one in threading.enumerate() if one.name == "read-ahead"]


@pytest.fixture
def lbzip2(tmp_path, monkeypatch):
    """A program of that name, which leaves a note when it runs."""
    program = tmp_path / "bin" / "lbzip2"
    program.parent.mkdir()
    note = tmp_path / "ran"
    program.write_text(
        f"#!{sys.executable}\n"
        "import bz2, shutil, sys\n"
        f"open({str(note)!r}, 'w').close()\n"
        "assert sys.argv[1:] == ['-dc']\n"
        "shutil.copyfileobj(bz2.open(sys.stdin.buffer), sys.stdout.buffer)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(program.parent))
    return note


def test_a_parallel_program_decompresses_where_there_is_one(tmp_path, lbzip2):
    """Its output is the same, and so is its progress."""
    path = make(tmp_path / "dump", MEMBERS)
    dump = DumpArchive(path)
    with dump.members() as members:
        assert {name: content.read() for name, content in members} == MEMBERS
        assert dump.progress() == 1
    assert lbzip2.exists()


def test_a_program_that_fails_is_a_damaged_file(tmp_path, lbzip2):
    """Its output was not whole."""
    path = make(tmp_path / "dump", MEMBERS)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DamagedDump):
        contents(path)
    assert lbzip2.exists()


def test_other_files_are_no_archives(tmp_path):
    """Compressed or not."""
    (tmp_path / "table.csv").write_text("title,artist\n")
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(b"title,artist\n"))
    assert not archive.is_tar(tmp_path / "table.csv")
    assert not archive.is_tar(tmp_path / "table.csv.gz")
    assert not archive.is_tar(tmp_path / "absent")


@pytest.mark.parametrize("name", ["sha256sums", "SHA256SUMS"])
def test_published_checksums_are_found_beside_the_file(tmp_path, name):
    """In the form of `sha256sum`, also of binary files."""
    path = make(tmp_path / "dump", MEMBERS)
    assert archive.published_sha256(path) is None
    digest = reader.fingerprint(path)
    (tmp_path / name).write_text(f"{'0' * 64}  other\n{digest.upper()} *dump\n")
    assert archive.published_sha256(path) == digest
