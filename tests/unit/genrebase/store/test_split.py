"""The hash split of artists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrebase.store import tables
from genrebase.store.split import assign_side

FOLD = st.integers(0, 9)


@pytest.mark.parametrize(
    ("track", "artists", "expected"),
    [
        (0, [9], "test_new"),
        (9, [9, 9], "test_new"),
        (9, [8], "validation_new"),
        (0, [8, 9], "none"),
        (0, [9, 1], "none"),
        (0, [8, 1], "none"),
        (9, [1, 2], "test_seen"),
        (8, [1], "validation_seen"),
        (7, [0], "train"),
        (0, [], "none"),
    ],
)
def test_sides(track: int, artists: list[int], expected: str):
    """The artists' folds decide first, the track's own fold where none of them is held out."""
    assert assign_side(track, artists) == expected


@given(FOLD, st.lists(FOLD, min_size=1), FOLD)
def test_a_further_artist_never_moves_a_track_to_another_side(
    track: int, artists: list[int], more: int
):
    """A later credit leaves a track on its side, or takes it out of the split."""
    before, after = assign_side(track, artists), assign_side(track, [*artists, more])
    assert after in {before, "none"} or before == "none"
    assert after in tables.SIDES


@given(FOLD, st.lists(FOLD))
def test_no_held_out_artist_has_a_training_track(track: int, artists: list[int]):
    """Training tracks credit no artist of folds 8 and 9."""
    if assign_side(track, artists) == "train":
        assert not {8, 9} & set(artists)
