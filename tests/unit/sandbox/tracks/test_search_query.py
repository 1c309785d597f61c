"""Parsing of search queries."""

import pytest

from sandbox.tracks import search_query
from sandbox.tracks.search_query import EMPTY_YEAR_RANGE, SearchQuery


@pytest.mark.parametrize("genre", ["r&b", "drum & bass", "50's", "演歌", "a:b", "+"])
def test_a_quoted_genre_is_taken_literally(genre):
    """Any text between the quotes is the genre."""
    assert search_query.parse_query(f'genre:"{genre}"') == SearchQuery(genre=genre)


def test_all_fields_in_any_order():
    """Every field is parsed, quoted or not, with or without blanks around it."""
    parsed = search_query.parse_query(
        'track:"One More"  year:1990-1999 isrc:USX1 artist:Abba album:"x y" Genre:edm'
    )
    assert parsed == SearchQuery(
        genre="edm", years=(1990, 1999), artist="Abba", track="One More", album="x y", isrc="USX1"
    )


def test_one_year_is_a_range_of_one():
    """A single year is the first and the last."""
    assert search_query.parse_query("year:1994").years == (1994, 1994)


@pytest.mark.parametrize("text", ["year:nineties", "year:199", "year:1990-", 'year:"1990 1991"'])
def test_an_invalid_year_matches_no_row(text):
    """An invalid year becomes an empty range."""
    assert search_query.parse_query(text).years == EMPTY_YEAR_RANGE


def test_words_without_a_field():
    """Free words and quoted phrases are kept apart; an unquoted value ends at the blank."""
    assert search_query.parse_query('genre:hip hop "so long"') == SearchQuery(
        genre="hip", words=("hop", "so long")
    )


@pytest.mark.parametrize("text", ["", "   ", '""', "genre:", 'genre:""'])
def test_empty_values_make_an_empty_query(text):
    """Empty values are ignored."""
    parsed = search_query.parse_query(text)
    assert parsed.is_empty or parsed == SearchQuery(words=("genre:",))


def test_missing_closing_quote_ends_with_the_text():
    """A quote that is never closed reaches to the end."""
    assert search_query.parse_query('genre:"drum & bass') == SearchQuery(genre="drum & bass")
