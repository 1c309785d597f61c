"""What a search compares: the words of names, how well they match, and their trigrams."""

import pytest

from genrebase.store.search_terms import MAX_TRIGRAMS, Match, indexed_text, parse, trigrams


@pytest.mark.parametrize(
    ("query", "title", "artists", "match"),
    [
        ("blue moon", "Blue Moon", "Nobody", Match.EXACT),
        ("nobody", "Blue Moon", "Somebody; Nobody", Match.EXACT),
        ("BEYONCE", "Halo", "Beyoncé", Match.EXACT),
        ("dont stop", "Don’t Stop", "Nobody", Match.EXACT),
        ("don't stop!", "Dont Stop", "Nobody", Match.EXACT),
        ("\uff22lue", "Blue (Live)", "Nobody", Match.PREFIX),
        ("blue mo", "Blue Moon", "Nobody", Match.PREFIX),
        ("moon blue", "Blue Moon", "Nobody", Match.WORDS),
        ("nobody moon", "Blue Moon", "Nobody", Match.WORDS),
        ("jay-z", "99 Problems", "Jay Z", Match.EXACT),
        ("u2", "One", "U2", Match.EXACT),
        ("oon body", "Blue Moon", "Nobody", Match.PARTS),
        ("one be", "Be One", "Nobody", Match.WORDS),
        ("one mo", "Moon One", "Nobody", Match.PARTS),
        ("oo", "Blue Moon", "Nobody", None),
        ("moon n", "Blue Moon", "Nobody", None),
        ("moon moon", "Blue Moon", "Nobody", Match.WORDS),
        ("事変", "東京事変", "椎名林檎", Match.WORDS),
        ("東京", "東京事変", "椎名林檎", Match.PREFIX),
        ("!!!", "Yadnus", "!!!", Match.EXACT),
        ("mon nobod", "Blue Moon", "Nobody", None),
        ("moon nobody", "Blue", "Moon Nobody", Match.EXACT),
        ("blue nobody", "Blue", "Nobody", Match.WORDS),
    ],
)
def test_how_well_names_match(query, title, artists, match):
    """Equal names before beginnings, words in any order and parts of words."""
    parsed = parse(query)
    assert parsed is not None
    assert parsed.match(indexed_text(title, artists)) is match


@pytest.mark.parametrize("text", ["", "  ", "\0"])
def test_a_query_without_words(text):
    """There is nothing to search for."""
    assert parse(text) is None


def test_what_matches_has_the_trigrams_that_are_looked_up():
    """So the index never hides a match; a long query looks up a bounded number of them."""
    text = indexed_text("Blue Moon over Kentucky, Again and Again", "Nobody; Jay-Z")
    for words in ("blue moon", "kentuck", "jay-z again over", "u", "over " * 90 + "moon"):
        query = parse(words)
        assert query is not None
        for match in Match:
            patterns = query.patterns(match)
            chosen = trigrams(patterns)
            assert 0 < len(chosen) <= MAX_TRIGRAMS
            assert all(len(one) == 3 for one in chosen)
            if all(pattern in text for pattern in patterns):
                assert all(one in text for one in chosen)
