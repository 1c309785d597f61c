"""Compressed files and members of archives, opened any number of times."""

import bz2
import gzip
import lzma
import zipfile

import pyarrow as pa
import pytest

from collector.datasets import reader
from collector.datasets.formats import byte_source
from collector.datasets.formats.table import DamagedFile, NotADataset

TEXT = "name,artist\n" + "Blue,Café\n" * 5_000


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


COMPRESSORS = {"gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_text_is_read_by_its_content(tmp_path, kind):
    """The suffix does not matter, and each pass has every row."""
    path = tmp_path / "data.csv"
    path.write_bytes(COMPRESSORS[kind](TEXT.encode()))
    with reader.open_dataset(path) as dataset:
        assert list(dataset.header) == ["name", "artist"]
        for _ in range(2):
            assert [list(row) for row in dataset.rows()] == [["Blue", "Café"]] * 5_000


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_truncated_stream_is_damaged(tmp_path, kind):
    """Rows before the end of the file are yielded, then the error has the remedy."""
    random = "".join(f"{number * 7919 % 99991},{number}\n" for number in range(120_000))
    path = tmp_path / "data.csv"
    data = COMPRESSORS[kind](f"a,b\n{random}".encode())
    path.write_bytes(data[: len(data) * 3 // 4])
    with reader.open_dataset(path) as dataset:
        rows = dataset.rows()
        assert list(next(rows)) == ["0", "0"]
        with pytest.raises(DamagedFile, match="get the whole file"):
            list(rows)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_file_that_expands_out_of_proportion_is_refused(tmp_path, kind, monkeypatch):
    """A bomb is not read to its end; a table of the usual ratio passes (above)."""
    monkeypatch.setattr(byte_source, "_FREE_BYTES", 1 << 16)
    path = tmp_path / "bomb.csv"
    path.write_bytes(COMPRESSORS[kind](b"a,b\n" + b"1,2\n" * 400_000))
    with (
        pytest.raises(NotADataset, match="expands to more than 200 times"),
        reader.open_dataset(path) as dataset,
    ):
        list(dataset.rows())


def test_a_member_of_an_archive_is_bounded_too(tmp_path, monkeypatch):
    """Its own compression counts."""
    monkeypatch.setattr(byte_source, "_FREE_BYTES", 1 << 16)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"a,b\n" + b"1,2\n" * 400_000)
    with (
        pytest.raises(NotADataset, match="expands"),
        reader.open_dataset(path) as dataset,
    ):
        list(dataset.rows())
