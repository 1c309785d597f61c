"""Dumps of MusicBrainz that are refused: half ones, damaged ones, those of other versions."""

import io
import shutil
import tarfile

import pytest

from benchmarks.synthetic_dumps import MusicBrainzDump
from collector.datasets.dumps.archive import DamagedDump
from collector.datasets.formats.table import NotADataset
from collector.imports.dump_staging import DumpOptions
from collector.imports.dumps import importer
from genrebase.errors import UserError
from tests.dump_contents import contents
from tests.integration.test_import_musicbrainz_dump import (
    RECORDINGS,
    collect,
    expected_sightings,
    run,
)


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """The two archives of a small dump."""
    return MusicBrainzDump(RECORDINGS).write(tmp_path_factory.mktemp("dump"))


@pytest.fixture
def collecting(engine):
    """A database that collects some genres."""
    collect(engine)
    return engine


@pytest.mark.parametrize("only", [0, 1])
def test_half_a_dump_is_refused(collecting, dump, tmp_path, only):
    """The message names both files."""
    with pytest.raises(UserError, match=r"mbdump\.tar\.bz2 mbdump-derived\.tar\.bz2"):
        run(collecting, [dump[only]], tmp_path)


def test_parts_of_different_dumps_are_refused(collecting, dump, tmp_path):
    """Their ids do not belong together."""
    other = rewritten(dump[0], tmp_path / "mbdump.tar.bz2", {"TIMESTAMP": b"2020-01-01"})
    with pytest.raises(UserError, match="different dumps"):
        run(collecting, [other, dump[1]], tmp_path)


def test_another_schema_is_refused(collecting, dump, tmp_path):
    """Its columns are others."""
    other = rewritten(dump[0], tmp_path / "mbdump.tar.bz2", {"SCHEMA_SEQUENCE": b"32\n"})
    with pytest.raises(NotADataset, match="schema 32; this version reads schema 31"):
        run(collecting, [other, dump[1]], tmp_path)


def test_a_dump_that_breaks_off_leaves_nothing_behind(collecting, dump, tmp_path):
    """No row of the broken file is imported, also when the whole one is."""
    broken = tmp_path / "mbdump.tar.bz2"
    data = dump[0].read_bytes()
    broken.write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedDump, match="Nothing of it is imported"):
        run(collecting, [broken, dump[1]], tmp_path)
    assert contents(collecting)["tracks"] == []
    broken.write_bytes(data)
    assert run(collecting, [broken, dump[1]], tmp_path).tracks_new == len(expected_sightings())


def test_a_wrong_checksum_is_refused(collecting, dump, tmp_path):
    """A list of checksums beside the file is believed."""
    for path in dump:
        shutil.copyfile(path, tmp_path / path.name)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  mbdump.tar.bz2\n")
    with pytest.raises(NotADataset, match="download it again"):
        run(collecting, [tmp_path / path.name for path in dump], tmp_path)


def test_only_dumps_are_imported_together(dump, tmp_path):
    """Other files are named."""
    table = tmp_path / "tracks.csv"
    table.write_text("title,artist\nSong,Band\n")
    assert importer([table], DumpOptions()) is None
    with pytest.raises(UserError, match=r"No part of a dump: tracks\.csv"):
        importer([*dump, table], DumpOptions())


def rewritten(path, target, texts):
    """Copy an archive with other notes."""
    with tarfile.open(path) as source, tarfile.open(target, "w:bz2") as archive:
        for info in source:
            data = texts.get(info.name, source.extractfile(info).read())
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target
