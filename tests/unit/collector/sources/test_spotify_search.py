"""The source of Spotify searches."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sources.item_fields import RejectReason
from collector.sources.spotify_search import add_years, genre_query, parse_page

LIMIT = 3


def item(letter: str, **more: Any) -> dict[str, Any]:
    return {"id": letter * 22, "name": letter, "artists": [{"name": letter}], **more}


@pytest.mark.parametrize(
    "genre", ["rock", "r&b", "drum & bass", "50's", "シティポップ", "a+b/c?d=e%20"]
)
def test_quotes_the_genre_unchanged(genre: str) -> None:
    """Any genre is quoted unchanged."""
    assert genre_query(genre) == f'genre:"{genre}"'


@pytest.mark.parametrize(
    ("years", "query"),
    [
        ((0, 9999), 'genre:"r&b"'),
        ((1994, 1994), 'genre:"r&b" year:1994'),
        ((1990, 1999), 'genre:"r&b" year:1990-1999'),
    ],
)
def test_restricts_to_years(years: tuple[int, int], query: str) -> None:
    """All years add no filter, one year itself, several years a range."""
    assert add_years(genre_query("r&b"), *years) == query


def test_keeps_positions_and_reject_reasons() -> None:
    """Every item has its position, rejected ones included."""
    page = parse_page([item("a"), None, item("c")], LIMIT, 2027)
    assert [(result.track.title, result.position) for result in page.items] == [("a", 0), ("c", 2)]
    assert (page.received, page.reject_reasons, page.is_empty) == (3, ("nothing there",), False)


def test_an_extra_repetition_has_no_position() -> None:
    """A full page with an item repeated in addition moves the cursor by a full page."""
    page = parse_page([item("a"), item("b"), item("a"), item("c")], LIMIT, 2027)
    assert [(result.track.title, result.position) for result in page.items] == [
        ("a", 0),
        ("b", 1),
        ("c", 2),
    ]
    assert page.received == LIMIT


def test_a_repetition_within_the_page_has_a_position() -> None:
    """An item that the source lists twice has two positions."""
    page = parse_page([item("a"), item("a"), item("b")], LIMIT, 2027)
    assert [result.position for result in page.items] == [0, 1, 2]


def test_more_items_than_were_requested_are_rejected() -> None:
    """A page takes no longer to record than its limit allows, and a track no more artists."""
    page = parse_page([item(letter) for letter in "abcde"], LIMIT, 2027)
    assert [one.track.title for one in page.items] == ["a", "b", "c"]
    assert page.received == LIMIT
    assert page.reject_reasons == (RejectReason.NOT_REQUESTED,) * 2
    crowd = [{"name": f"A{number}"} for number in range(501)]
    assert parse_page([item("a", artists=crowd)], LIMIT, 2027).reject_reasons == (
        RejectReason.TOO_MANY_ARTISTS,
    )
    assert parse_page([item("a", artists=crowd[:500])], LIMIT, 2027).reject_reasons == ()


def test_only_an_empty_page_is_the_end() -> None:
    """A page with rejected items only is not the end."""
    assert parse_page([], LIMIT, 2027).is_empty
    assert not parse_page([None], LIMIT, 2027).is_empty


@given(st.lists(st.sampled_from([item("a"), item("b"), None, 7, item("c", id=None)])))
def test_positions_add_up(items: list[Any]) -> None:
    """Tracks and rejected items add up to the positions of the page."""
    page = parse_page(items, LIMIT, 2027)
    extra = page.reject_reasons.count(RejectReason.NOT_REQUESTED)
    assert len(page.items) + len(page.reject_reasons) - extra == page.received <= LIMIT
    assert [result.position for result in page.items] == sorted(
        {result.position for result in page.items}
    )
    assert (page.received == 0) == (not items)
