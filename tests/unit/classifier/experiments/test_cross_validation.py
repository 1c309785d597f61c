"""Any two folds can be held out, by the rule that fixes the sides in the database."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data import regimes
from classifier.experiments import cross_validation
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD, assign_side
from tests.music import Music

FOLDS = st.integers(0, 9)
MUSIC = Music(artists=90, songs_each=6, guests=0.3)


@given(st.lists(st.tuples(FOLDS, st.lists(FOLDS, max_size=4)), max_size=30))
def test_rotation_0_is_the_rule_of_the_database(tracks):
    """Holding out folds 9 and 8 puts every track on the side that is stored with it."""
    numbers = np.arange(100, 100 + len(tracks))[::-1]
    owners = [number for number, (_, folds) in zip(numbers, tracks, strict=True) for _ in folds]
    found = cross_validation.assign_splits(
        numbers,
        np.array([fold for fold, _ in tracks], dtype=np.int64),
        np.array([*owners, 7], dtype=np.int64),
        np.array([*(fold for _, folds in tracks for fold in folds), 3], dtype=np.int64),
        test=TEST_FOLD,
        validation=VALIDATION_FOLD,
    )
    assert found.tolist() == [assign_side(fold, folds) for fold, folds in tracks]


@pytest.mark.parametrize("turn", [1, 4, 9])
def test_a_rotation_only_renames_folds(turn: int):
    """Holding out two other folds is the same rule with the folds renumbered."""
    test, validation = cross_validation.held_out_folds(turn)
    turned = cross_validation.with_held_out_folds(
        MUSIC.snapshot(), test=test, validation=validation
    )
    credit = turned.credits.groupby("track_id")["fold"]
    for row in turned.tracks.itertuples():
        folds = [(fold - turn) % 10 for fold in credit.get_group(row.track_id)]
        assert row.side == assign_side((row.track_fold - turn) % 10, folds)
    assert turned.tracks["side"].dtype == MUSIC.snapshot().tracks["side"].dtype


def test_over_all_rotations_every_artist_is_new_once():
    """A track whose artists share a fold is a new artist's in one rotation, and once validates."""
    counts = {"test_new": 0, "validation_new": 0}
    one_fold = MUSIC.snapshot().credits.groupby("track_id")["fold"].nunique().eq(1).sum()
    for turn in range(cross_validation.N_FOLDS):
        test, validation = cross_validation.held_out_folds(turn)
        assert test != validation
        turned = cross_validation.with_held_out_folds(
            MUSIC.snapshot(), test=test, validation=validation
        )
        for name in counts:
            counts[name] += int((turned.tracks["side"] == name).sum())
    assert counts == {"test_new": one_fold, "validation_new": one_fold}


def test_no_artist_of_the_new_test_is_learned_from():
    """In every rotation the artists of the new-artist test have no track to learn from."""
    for turn in range(cross_validation.N_FOLDS):
        test, validation = cross_validation.held_out_folds(turn)
        turned = cross_validation.with_held_out_folds(
            MUSIC.snapshot(), test=test, validation=validation
        )
        tracks, credit = turned.tracks, turned.credits
        learned = tracks.loc[tracks["side"] == "train", "track_id"].to_numpy(dtype=np.int64)
        tested = tracks.loc[tracks["side"] == "test_new", "track_id"].to_numpy(dtype=np.int64)
        owners, artists = credit["track_id"].to_numpy(), credit["artist_id"].to_numpy()
        assert len(learned)
        assert not regimes.has_seen_artist(tested, owners, artists, learned).any()


def test_nothing_of_the_test_fold_is_chosen_by():
    """Without the test fold no track is left of an artist, a guest or a name in it."""
    found = cross_validation.without_test_fold(MUSIC.snapshot())
    credit = found.credits[found.credits["track_id"].isin(found.tracks["track_id"])]
    assert len(found.tracks)
    assert TEST_FOLD not in set(credit["fold"])
    assert TEST_FOLD not in set(found.tracks["track_fold"])
