"""Validation and comparison of genre names."""

import pytest

from collector.datasets.parsing.genre_names import comparison_key, validate
from genrebase.errors import UserError


@pytest.mark.parametrize("name", ["r&b", "drum & bass", "50's", "シティポップ", "NANA", "n a"])
def test_keeps_names_byte_for_byte(name: str) -> None:
    """A genre is stored and searched as written; surrounding blanks are removed."""
    assert validate(f" {name}\n") == name


@pytest.mark.parametrize("name", ["", "  ", "nan", "NaN", "None", "null", "N/A"])
def test_placeholders_are_no_genres(name: str) -> None:
    """Words for a missing genre never become one."""
    with pytest.raises(UserError, match="no genre"):
        validate(name)


@pytest.mark.parametrize("name", ['12" mix', "a\0b", "a\nb", "x" * 101])
def test_an_unsearchable_name_is_refused(name: str) -> None:
    """A name that a search cannot quote is refused with the reason, exit code 2."""
    with pytest.raises(UserError, match=r"no genre|cannot be searched for") as caught:
        validate(name)
    assert caught.value.exit_code == 2


def test_accents_are_composed():
    """As those of imported genres are, so that both are one genre."""
    assert validate("mu\u0301sica") == "m\xfasica"


@pytest.mark.parametrize("other", ["MúSICA", "mu\u0301 sica", "ｍúsica"])
def test_names_that_differ_by_case_blanks_or_unicode_are_compared_alike(other):
    """They are different genres, and listed together."""
    assert comparison_key(other) == comparison_key("música")
    assert comparison_key("musica") != comparison_key("música")


def test_names_that_differ_by_hyphens_are_compared_equal():
    assert len({comparison_key(name) for name in ("Hip-Hop", "hip hop", "HipHop")}) == 1
