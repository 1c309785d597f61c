"""Output files are created exclusively."""

import errno
import os
from pathlib import Path

import pytest

from genrebase import new_file
from genrebase.errors import UserError


def test_create_atomically_writes_a_whole_file_or_none(tmp_path: Path) -> None:
    """A failure leaves nothing; a file that was created meanwhile is kept."""
    file = tmp_path / "a.csv"
    with pytest.raises(ZeroDivisionError), new_file.create_atomically(file) as place:
        place.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(UserError, match="exists already"),
        new_file.create_atomically(file) as place,
    ):
        place.write_text("ours")
        file.write_text("theirs")
    assert file.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [file]


def test_an_existing_file_is_refused(tmp_path: Path) -> None:
    """Text, CSV and binary files; the existing content is kept."""
    file = tmp_path / "a.txt"
    file.write_text("theirs")
    with pytest.raises(UserError, match="exists already"):
        new_file.create_text(file)
    with pytest.raises(UserError, match="exists already"):
        new_file.create_binary(file, b"ours")
    with pytest.raises(UserError, match="exists already"), new_file.create_csv(file, ("a",)):
        pass
    assert file.read_text() == "theirs"


def test_a_full_disk_is_blamed_on_the_file_that_was_written(tmp_path: Path) -> None:
    """The system's error has no name; the temporary file means nothing to the user."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for number, create in enumerate(
        (
            new_file.create_atomically,
            lambda file: new_file.create_csv(file, ("a",)),
            new_file.naming_the_full_file,
        )
    ):
        file = tmp_path / f"{number}.csv"
        with pytest.raises(OSError, match="No space") as caught, create(file):
            raise OSError(*full.args)
        assert caught.value.filename == str(file)
    with pytest.raises(OSError, match="denied") as caught, new_file.naming_the_full_file(tmp_path):
        raise OSError(errno.EACCES, "denied")
    assert caught.value.filename is None
