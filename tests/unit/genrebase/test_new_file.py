"""Output files are created exclusively."""

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
