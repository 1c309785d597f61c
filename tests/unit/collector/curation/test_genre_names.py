import pytest

from collector.curation.genre_names import InvalidGenreName, validate


@pytest.mark.parametrize("name", ["r&b", "drum & bass", "50's", "シティポップ", "NANA", "n a"])
def test_keeps_names_byte_for_byte(name: str) -> None:
    """A genre is stored and asked for as it is written, but for the blanks around."""
    assert validate(f" {name}\n") == name


@pytest.mark.parametrize("name", ["", "  ", "nan", "NaN", "None", "null", "N/A"])
def test_nothing_is_no_genre(name: str) -> None:
    """What says that there is no genre never becomes one."""
    with pytest.raises(InvalidGenreName, match="no genre"):
        validate(name)


@pytest.mark.parametrize("name", ['12" mix', "a\0b", "a\nb", "x" * 101])
def test_what_cannot_be_asked_for_is_refused(name: str) -> None:
    """A name that a search cannot quote is refused with the reason, exit code 2."""
    with pytest.raises(InvalidGenreName) as caught:
        validate(name)
    assert caught.value.exit_code == 2
