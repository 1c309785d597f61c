import pytest

from collector.curation.genre_names import BadGenreName, check


@pytest.mark.parametrize("name", ["r&b", "drum & bass", "50's", "シティポップ", "NANA", "n a"])
def test_keeps_names_byte_for_byte(name: str) -> None:
    """A genre is stored and asked for as it is written, but for the blanks around."""
    assert check(f" {name}\n") == name


@pytest.mark.parametrize("name", ["", "  ", "nan", "NaN", "None", "null", "N/A"])
def test_nothing_is_no_genre(name: str) -> None:
    """What says that there is no genre never becomes one."""
    with pytest.raises(BadGenreName, match="no genre"):
        check(name)


@pytest.mark.parametrize("name", ['12" mix', "a\0b", "a\nb", "x" * 101])
def test_what_cannot_be_asked_for_is_refused(name: str) -> None:
    """A name that a search cannot quote is refused with the reason, exit code 2."""
    with pytest.raises(BadGenreName) as caught:
        check(name)
    assert caught.value.exit_code == 2
