"""Colours are bound to names."""

from classifier.reports.plots.palette import COLOURS, genre_styles

TEN = ("blues", "classical", "electronic", "funk", "jazz", "metal", "r&b", "rap", "rock", "techno")


def test_ten_genres_have_ten_colours() -> None:
    """And ten markers."""
    styles = genre_styles(TEN)
    assert len({style.colour for style in styles.values()}) == 10
    assert len({style.marker for style in styles.values()}) == 10


def test_no_two_genres_look_alike() -> None:
    """Forty differ by colour and line, also where names share a first choice."""
    styles = genre_styles(f"genre {number}" for number in range(40))
    assert len({(style.colour, str(style.line)) for style in styles.values()}) == 40
    many = genre_styles(f"genre {number}" for number in range(114))
    assert len({(style.colour, str(style.line), style.marker) for style in many.values()}) == 114


def test_the_order_of_the_names_does_not_matter() -> None:
    """Nor does naming one twice."""
    assert genre_styles(reversed((*TEN, *TEN))) == genre_styles(TEN)
    assert genre_styles(()) == {}


def test_most_colours_stay_when_a_genre_is_added() -> None:
    """Only genres that share a colour with the new one can change."""
    before, after = genre_styles(TEN[:6]), genre_styles(TEN)
    unchanged = sum(after[genre] == style for genre, style in before.items())
    assert unchanged >= 4
    assert {style.colour for style in before.values()} <= set(COLOURS)
