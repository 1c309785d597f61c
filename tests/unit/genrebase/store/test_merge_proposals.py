"""Proposals of genres that may be one."""

import pytest

from genrebase.store.merge_proposals import MIN_EVIDENCE, mapping, propose

SIZES = {"songwriter": 1000, "singer-songwriter": 1000, "rock": 900, "alt-rock": 300, "jazz": 500}


def test_genres_with_the_same_tracks_are_one() -> None:
    """Whatever a model or people say."""
    (one,) = propose(SIZES, {("singer-songwriter", "songwriter"): 1000}, {}, {})
    assert (one.keep, one.merge, one.evidence) == ("singer-songwriter", "songwriter", 1.0)
    assert one.sentence() == "songwriter and singer-songwriter: every track is under both"


def test_confusions_alone_are_not_enough() -> None:
    """A model that has no feature to tell jazz from rock does not make them one."""
    pair = {("jazz", "rock"): 100}
    exchanged = {("jazz", "rock"): 400, ("rock", "jazz"): 400, ("rock", "rock"): 1}
    assert propose(SIZES, pair, exchanged, {}) == []
    assert propose(SIZES, {}, exchanged, {}) == []


def test_overlap_and_confusion_together_are() -> None:
    """The smaller genre is merged into the larger one; the sentence has both."""
    pair = {("alt-rock", "rock"): 720}
    sizes = {"alt-rock": 900, "rock": 950}
    confusions = {("rock", "alt-rock"): 50, ("alt-rock", "rock"): 50, ("rock", "rock"): 60}
    assert propose(sizes, pair, {}, {}) == []
    (one,) = propose(sizes, pair, confusions, {})
    assert (one.keep, one.merge) == ("rock", "alt-rock")
    assert one.evidence > MIN_EVIDENCE
    assert "the champion predicts the other for 100 of 160 test tracks" in one.sentence()


@pytest.mark.parametrize(("verdicts", "proposed"), [(3, 0), (60, 1)])
def test_verdicts_count_by_their_number(verdicts: int, proposed: int) -> None:
    """Three people's verdicts are chance, sixty are not."""
    named = {("rock", "alt-rock"): verdicts}
    proposals = propose(SIZES, {}, {}, named)
    assert len(proposals) == proposed
    assert propose(SIZES, {}, {}, {("rock", "rock"): 500, **named}) == []


def test_a_mapping_has_every_genre_and_joins_what_is_connected() -> None:
    """The genre that the strongest proposal keeps is kept for all."""
    sizes = {"a": 100, "b": 90, "c": 80, "d": 10}
    proposals = propose(sizes, {("a", "b"): 90, ("b", "c"): 80}, {}, {})
    assert [(one.keep, one.merge) for one in proposals] == [("a", "b"), ("b", "c")]
    assert mapping(sizes, proposals) == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert mapping(sizes, []) == {genre: genre for genre in sizes}


def test_genres_that_are_gone_are_not_proposed() -> None:
    """A digest may name a genre that was removed since."""
    assert propose({"a": 10}, {("a", "b"): 10}, {}, {("a", "b"): 100}) == []
