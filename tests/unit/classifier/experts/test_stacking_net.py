"""The stacking network and trees."""

import numpy as np
import pandas as pd

from classifier.estimators.blend import Blend
from classifier.experts import stacking_inputs, stacking_trees
from classifier.experts.naive_bayes_text import count_ngrams
from classifier.experts.stacking_net import StackingExpert
from classifier.experts.stacking_trees import StackingTrees

GROUPS = ("audio", "metadata")
SIZE, PER_ARTIST = 600, 10


def world() -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """All are seen in both genres; the more popular a track, the higher it ranks in rap."""
    random = np.random.default_rng(1)
    popularity = random.integers(0, 100, SIZE)
    frame = pd.DataFrame(
        {
            "track_id": range(SIZE),
            "title": [f"t{random.integers(1 << 40):x}" for _ in range(SIZE)],
            "artists": np.repeat([f"a{place}" for place in range(SIZE // PER_ARTIST)], PER_ARTIST),
            "album": None,
            "popularity": popularity.astype(float),
        }
    )
    rap = 1_000 - 10 * popularity
    rock = np.full(SIZE, 500)
    seen = pd.DataFrame(
        {
            "track_id": np.tile(frame["track_id"], 2),
            "genre": np.repeat(["rap", "rock"], SIZE),
            "best_rank": np.concatenate([rap, rock]),
        }
    )
    return frame, np.where(rap < rock, "rap", "rock"), seen


def test_trees_predict_the_genre_a_track_ranks_higher_in() -> None:
    """History scores both genres alike; ranks and popularity together decide."""
    frame, labels, seen = world()
    rows = np.arange(SIZE) % PER_ARTIST < 8
    expert = StackingExpert(GROUPS, n_rounds=30).fit(frame[rows], labels[rows], seen)
    predictions = dict(zip(expert.score_names, expert.predict_scores(frame[~rows]), strict=True))
    genres = np.array(["rap", "rock"])
    right = genres[predictions["joint_trees"].argmax(axis=1)] == labels[~rows]
    assert right.mean() > 0.9


def test_with_many_genres_there_are_no_trees() -> None:
    """Above the limit there are networks only."""
    frame, _, _ = world()
    maximum = np.array([f"genre {place % stacking_trees.MAX_GENRES:02}" for place in range(SIZE)])
    more = np.array(
        [f"genre {place % (stacking_trees.MAX_GENRES + 1):02}" for place in range(SIZE)]
    )
    for labels, speaks in ((maximum, True), (more, False)):
        expert = StackingExpert(GROUPS, n_networks=1, n_rounds=1).fit(frame, labels)
        assert ("joint_trees" in expert.score_names) is speaks
        assert len(expert.predict_scores(frame)) == len(expert.score_names)


def test_trees_are_trained_on_a_bounded_number_of_tracks() -> None:
    """So their training time is bounded; the sample depends on the seed."""
    frame, labels, seen = world()
    counts = count_ngrams(frame)
    output = (
        stacking_inputs.out_of_fold_by_artist(frame, counts, labels),
        stacking_inputs.out_of_fold_by_name(frame, counts, labels, seen),
    )

    def grown(maximum: int, seed: int = 0) -> StackingTrees:
        trees = StackingTrees(GROUPS, n_rounds=3, max_tracks=maximum, random_state=seed)
        return trees.fit(frame, labels, *output)

    assert [trees[0].nodes[0]["count"] for trees in grown(100).unseen_model_._predictors] == [
        100
    ] * 3
    assert [trees[0].nodes[0]["count"] for trees in grown(SIZE).unseen_model_._predictors] == [
        SIZE
    ] * 3
    one, two, other = (grown(100, seed).predict_scores(frame, output[1]) for seed in (0, 0, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_tracks_own_sightings_are_ignored() -> None:
    """Predictions of held-out tracks do not depend on them."""
    frame, labels, seen = world()
    rows = np.arange(SIZE) % PER_ARTIST < 8
    reported = seen[seen["track_id"].isin(frame["track_id"][rows])]
    model = Blend(("audio", "metadata", "text", "history"), n_networks=1, n_rounds=5)
    alone = model.fit(frame[rows], labels[rows], None, reported).predict_proba(frame[~rows])
    predictions = model.fit(frame[rows], labels[rows], None, seen).predict_proba(frame[~rows])
    assert np.array_equal(alone, predictions)


def test_only_unseen_artists_are_no_error() -> None:
    """Artists of one track each: only the trees for unseen artists are fitted."""
    frame, labels, seen = world()
    frame["artists"] = [f"only {place}" for place in range(SIZE)]
    expert = StackingExpert(GROUPS, n_networks=1, n_rounds=5).fit(frame, labels, seen)
    assert expert.trees_ is not None
    assert expert.trees_.seen_model_ is None
    assert np.isfinite(expert.predict_scores(frame)).all()
