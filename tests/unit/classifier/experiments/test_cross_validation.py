"""Any two folds can be held out, by the rule that splits the database."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data import regimes
from classifier.experiments import cross_validation
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD, assign_side
from tests.synthetic_music import Music

FOLDS = st.integers(0, 9)
MUSIC = Music(artists=90, songs_each=6, guests=0.3)


@given(st.lists(st.tuples(FOLDS, st.lists(FOLDS, max_size=4)), max_size=30))
def test_rotation_0_is_the_rule_of_the_database(tracks):
    """Holding out folds 9 and 8 puts every track on the side that is stored with it."""
    ids = np.arange(100, 100 + len(tracks))[::-1]
    credit_tracks = [number for number, (_, folds) in zip(ids, tracks, strict=True) for _ in folds]
    sides = cross_validation.assign_splits(
        ids,
        np.array([fold for fold, _ in tracks], dtype=np.int64),
        np.array([*credit_tracks, 7], dtype=np.int64),
        np.array([*(fold for _, folds in tracks for fold in folds), 3], dtype=np.int64),
        test=TEST_FOLD,
        validation=VALIDATION_FOLD,
    )
    assert sides.tolist() == [assign_side(fold, folds) for fold, folds in tracks]


@pytest.mark.parametrize("rotation", [1, 4, 9])
def test_a_rotation_only_renames_folds(rotation: int):
    """Holding out two other folds is the same rule with the folds renumbered."""
    test, validation = cross_validation.held_out_folds(rotation)
    rotated = cross_validation.with_held_out_folds(
        MUSIC.snapshot(), test=test, validation=validation
    )
    credit = rotated.credits.groupby("track_id")["fold"]
    for row in rotated.tracks.itertuples():
        folds = [(fold - rotation) % 10 for fold in credit.get_group(row.track_id)]
        assert row.side == assign_side((row.track_fold - rotation) % 10, folds)
    assert rotated.tracks["side"].dtype == MUSIC.snapshot().tracks["side"].dtype


def test_over_all_rotations_every_artist_is_unseen_once():
    """A track whose artists share a fold is once in the unseen-artist test and validation."""
    counts = {"test_new": 0, "validation_new": 0}
    one_fold = MUSIC.snapshot().credits.groupby("track_id")["fold"].nunique().eq(1).sum()
    for rotation in range(cross_validation.N_FOLDS):
        test, validation = cross_validation.held_out_folds(rotation)
        assert test != validation
        rotated = cross_validation.with_held_out_folds(
            MUSIC.snapshot(), test=test, validation=validation
        )
        for name in counts:
            counts[name] += int((rotated.tracks["side"] == name).sum())
    assert counts == {"test_new": one_fold, "validation_new": one_fold}


def test_unseen_artists_have_no_training_track():
    """In every rotation the artists of the unseen-artist test have no training track."""
    for rotation in range(cross_validation.N_FOLDS):
        test, validation = cross_validation.held_out_folds(rotation)
        rotated = cross_validation.with_held_out_folds(
            MUSIC.snapshot(), test=test, validation=validation
        )
        tracks, credit = rotated.tracks, rotated.credits
        learned = tracks.loc[tracks["side"] == "train", "track_id"].to_numpy(dtype=np.int64)
        tested = tracks.loc[tracks["side"] == "test_new", "track_id"].to_numpy(dtype=np.int64)
        assert len(learned)
        assert not regimes.has_seen_artist(tested, credit, learned).any()


def test_the_test_fold_can_be_dropped():
    """No track is left of an artist, a guest or a name in the test fold."""
    remaining = cross_validation.without_test_fold(MUSIC.snapshot())
    credit = remaining.credits[remaining.credits["track_id"].isin(remaining.tracks["track_id"])]
    assert len(remaining.tracks)
    assert TEST_FOLD not in set(credit["fold"])
    assert TEST_FOLD not in set(remaining.tracks["track_fold"])
