"""Normalised names and hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrebase.store import names

TEXTS = st.text(max_size=40)


@pytest.mark.parametrize(
    ("name", "fold"),
    [("Gen Hoshino", 4), ("The Beatles", 9), ("Beyoncé", 2), ("Björk", 7), ("AC/DC", 8)],
)
def test_folds_are_frozen(name: str, fold: int):
    """These folds never change: every published metric depends on them."""
    assert names.hash_fold(name) == fold
    assert names.hash_fold(f"  {name.upper()} ") == fold


@given(TEXTS)
def test_normalising_twice_changes_nothing(text: str):
    """A normalised text is its own normal form."""
    once = names.normalise(text)
    assert names.normalise(once) == once


@given(TEXTS)
def test_normalising_a_title_twice_changes_nothing(text: str):
    """A normalised title is its own normal form."""
    once = names.normalise_title(text)
    assert names.normalise_title(once) == once


@given(TEXTS)
def test_every_name_has_a_fold(text: str):
    """A fold is one of ten, and depends on the normalised name only."""
    assert 0 <= names.hash_fold(text) < names.N_FOLDS
    assert names.hash_fold(names.normalise(text)) == names.hash_fold(text)


@given(TEXTS, TEXTS)
def test_a_name_has_one_separator(title: str, artist: str):
    """For any title and artist the key has exactly two parts."""
    key = names.name_key(title, artist)
    assert key.count(names.SEPARATOR) == 1
    assert names.track_identity(key, 1) == key
    assert names.track_identity(key, 2) == f"{key}|2"


@given(TEXTS)
def test_unstorable_characters_are_removed(text: str):
    """NUL and lone surrogates never reach a database."""
    cleaned = names.clean(f"\0{text}\ud800")
    assert "\0" not in cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    "title",
    [
        "Song (feat. Somebody)",
        "Song [feat. Somebody & Others]",
        "Song feat. Somebody",
        "Song ft. Somebody",
        "Song (with Somebody)",
        "Song - Remastered 2011",
        "Song - 2011 Remaster",
        "Song (Remastered)",
        "Song - Single Version",
        "Song (Album Version)",
        "Song - Mono",
        "  SONG ",
        "Song (feat. Somebody) - Remastered 2011",
    ],
)
def test_credits_and_reissue_notes_are_stripped(title: str):
    """Guests, remasters and versions of a release are the same recording."""
    assert names.normalise_title(title) == "song"


@pytest.mark.parametrize(
    "title",
    [
        "Song - Live",
        "Song (Live at Home)",
        "Song (Remix)",
        "Song - Acoustic",
        "Song (Instrumental)",
        "Song, Pt. 2",
        "Song (Part Two)",
        "Söng",
        "歌",
        "Song 2",
    ],
)
def test_other_recordings_stay_distinct(title: str):
    """Live, remix, acoustic, instrumental, parts, accents and scripts distinguish recordings."""
    assert names.normalise_title(title) == names.normalise(title)
    assert names.normalise_title(title) != "song"


@pytest.mark.parametrize("title", ["NA", "null", "None", "nan", "(feat. Somebody)", "Mono"])
def test_any_text_is_a_title(title: str):
    """No title is read as missing, and none is stripped to nothing."""
    assert names.normalise_title(title) == names.normalise(title)


def test_accents_and_width():
    """Compatible forms are equal; accents are distinct, also in decomposed form."""
    assert names.normalise("Ｂｅｙｏｎｃｅ\u0301") == names.normalise("Beyoncé")
    assert names.normalise("Beyonce") != names.normalise("Beyoncé")


def test_plain_punctuation() -> None:
    """Typographic apostrophes, quotation marks and hyphens become typewriter ones; dashes stay."""
    assert (
        names.plain_punctuation("Don’t “Stop” ‘n’ a‐ha 7″ – …")
        == "Don't \"Stop\" 'n' a-ha 7\" – …"
    )
    assert names.plain_punctuation("Don't") == "Don't"
