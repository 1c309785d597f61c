"""Messages inside of other messages."""

import pytest

from genrebase.errors import as_clause


@pytest.mark.parametrize(
    ("message", "clause"),
    [
        ("the file is empty", "the file is empty"),
        ("No magic bytes. This is no Parquet file.", "No magic bytes. This is no Parquet file"),
        ("Broken...\n", "Broken"),
        (ValueError("no row."), "no row"),
        (None, "None"),
    ],
)
def test_a_message_of_a_library_becomes_the_end_of_a_sentence(message, clause):
    """One full stop follows, whether the library writes one or not."""
    assert f"{as_clause(message)}." == f"{clause}."
