"""The orders of disputed labels."""

from web.dispute_orders import BY_ROW, LEARNS_MOST, ORDERS, learns_most


def dispute(track_id, artists, claim="rock", genre="pop", probability=0.9, claimed=0.05):
    return {
        "track_id": track_id,
        "artists": artists,
        "claim": claim,
        "genre": genre,
        "probability": probability,
        "claim_probability": claimed,
    }


def order(disputes, pairs=None, judged=()):
    return [row["track_id"] for row in learns_most(disputes, pairs or {}, judged)]


def test_a_label_that_says_something_about_many_tracks_comes_first():
    """The probability of a wrong claim, times the tracks with the same claim and prediction."""
    many = dispute(1, "A", genre="jazz", claimed=0.4)
    few = dispute(2, "B", genre="pop", claimed=0.0)
    assert order([few, many], {("rock", "jazz"): 100, ("rock", "pop"): 50}) == [1, 2]
    assert order([few, many], {("rock", "jazz"): 80, ("rock", "pop"): 50}) == [2, 1]


def test_a_claim_outside_the_five_most_probable_is_wrong():
    rows = [dispute(1, "A", claimed=0.01), dispute(2, "B", claimed=None)]
    assert order(rows) == [2, 1]


def test_artists_take_turns():
    """Each artist's best dispute comes before any artist's second one."""
    rows = [dispute(number, "A; Guest", claimed=number / 100) for number in range(3)]
    rows += [dispute(10, "B", claimed=0.4), dispute(11, "B", claimed=0.3)]
    assert order(rows) == [0, 11, 1, 10, 2]


def test_an_artist_with_a_label_has_had_a_turn():
    rows = [dispute(1, "A", claimed=0.0), dispute(2, "B", claimed=0.4), dispute(3, "B")]
    assert order(rows, judged={"A"}) == [3, 1, 2]


def test_equal_disputes_are_ordered_by_their_id():
    rows = [dispute(number, f"artist {number}") for number in (3, 1, 2)]
    assert order(rows) == [1, 2, 3]
    assert order([]) == []


def test_every_order_is_offered():
    assert set(ORDERS) == {*BY_ROW, LEARNS_MOST}
