"""Recognise a tar archive of tables, compressed or not, and unpack it into a temporary folder."""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.formats.table import NotADataset
from genrebase.errors import as_clause
from genrebase.new_file import naming_the_full_file

_TAR: Final = (257, b"ustar")
"""Offset and mark of a tar archive."""


def is_tar(head: bytes) -> bool:
    """Return whether the first bytes, decompressed, are those of a tar archive."""
    return head[_TAR[0] :].startswith(_TAR[1])


@contextmanager
def unpacked(source: ByteSource) -> Iterator[Mapping[str, Path]]:
    """Yield the regular files of an archive by their names in it.

    They are written under numbers, so that no name of the archive leads out of the folder; links
    and sparse files are left out. Raises `NotADataset` or `DamagedFile`.
    """
    with tempfile.TemporaryDirectory(prefix="genrebase-") as folder:
        files: dict[str, Path] = {}
        try:
            with source.open() as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is None or member.issparse():
                        continue
                    file = Path(folder, str(len(files)))
                    with naming_the_full_file(file), file.open("wb") as copy:
                        shutil.copyfileobj(content, copy)
                    files[PurePosixPath(member.name).as_posix()] = file
        except tarfile.TarError as error:
            raise NotADataset(
                f"{source.name} is a tar archive that cannot be read: {as_clause(error)}."
            ) from error
        yield files
