"""Validation of genre names."""

import pytest

from collector.datasets.parsing.genre_names import InvalidGenreName, validate


@pytest.mark.parametrize("name", ["r&b", "drum & bass", "50's", "シティポップ", "NANA", "n a"])
def test_keeps_names_byte_for_byte(name: str) -> None:
    """A genre is stored and searched as written; surrounding blanks are removed."""
    assert validate(f" {name}\n") == name


@pytest.mark.parametrize("name", ["", "  ", "nan", "NaN", "None", "null", "N/A"])
def test_placeholders_are_no_genres(name: str) -> None:
    """Words for a missing genre never become one."""
    with pytest.raises(InvalidGenreName, match="no genre"):
        validate(name)


@pytest.mark.parametrize("name", ['12" mix', "a\0b", "a\nb", "x" * 101])
def test_an_unsearchable_name_is_refused(name: str) -> None:
    """A name that a search cannot quote is refused with the reason, exit code 2."""
    with pytest.raises(InvalidGenreName) as caught:
        validate(name)
    assert caught.value.exit_code == 2


def test_accents_are_composed():
    """As those of imported genres are, so that both are one genre."""
    assert validate("mu\u0301sica") == "m\xfasica"
