import numpy as np
import pandas as pd

from classifier.estimators.blend import Blend
from classifier.experts import joint_trees
from classifier.experts.joint import JointExpert

GROUPS = ("audio", "metadata")
SIZE, PER_ARTIST = 600, 10


def world() -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """All are seen under both genres; the more popular a track, the further up in rap."""
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


def test_trees_tell_which_of_two_searches_a_track_comes_up_in_first() -> None:
    """History says both genres alike; ranks and popularity together say which."""
    frame, labels, seen = world()
    rows = np.arange(SIZE) % PER_ARTIST < 8
    expert = JointExpert(GROUPS, rounds=30).fit(frame[rows], labels[rows], seen)
    said = dict(zip(expert.voices, expert.speak(frame[~rows]), strict=True))
    genres = np.array(["rap", "rock"])
    right = genres[said["joint_trees"].argmax(axis=1)] == labels[~rows]
    assert right.mean() > 0.9


def test_with_many_genres_there_are_no_trees(monkeypatch) -> None:
    """Beyond the limit the networks speak alone."""
    frame, labels, seen = world()
    monkeypatch.setattr("classifier.experts.joint.MOST_FOR_TREES", 1)
    expert = JointExpert(GROUPS, nets=1).fit(frame, labels, seen)
    assert "joint_trees" not in expert.voices
    assert len(expert.speak(frame)) == len(expert.voices)


def test_trees_learn_from_so_many_tracks_at_most(monkeypatch) -> None:
    """The time is bounded, and the draw is the seed's: twice the same."""
    frame, labels, seen = world()
    monkeypatch.setattr(joint_trees, "MOST_TRACKS", 100)
    one, two = (JointExpert(GROUPS, nets=1, rounds=5).fit(frame, labels, seen) for _ in range(2))
    assert one.trees_ is not None
    assert one.trees_.new_.n_features_in_ > 0
    assert np.array_equal(one.speak(frame), two.speak(frame))


def test_what_an_asked_track_was_seen_under_is_not_looked_at() -> None:
    """Answers about held-out tracks do not depend on their own sightings."""
    frame, labels, seen = world()
    rows = np.arange(SIZE) % PER_ARTIST < 8
    told = seen[seen["track_id"].isin(frame["track_id"][rows])]
    model = Blend(("audio", "metadata", "text", "history"), nets=1, rounds=5)
    alone = model.fit(frame[rows], labels[rows], None, told).predict_proba(frame[~rows])
    beside = model.fit(frame[rows], labels[rows], None, seen).predict_proba(frame[~rows])
    assert np.array_equal(alone, beside)


def test_nobody_known_is_no_error() -> None:
    """Artists of one track each: only the trees for strangers learn."""
    frame, labels, seen = world()
    frame["artists"] = [f"only {place}" for place in range(SIZE)]
    expert = JointExpert(GROUPS, nets=1, rounds=5).fit(frame, labels, seen)
    assert expert.trees_ is not None
    assert expert.trees_.known_ is None
    assert np.isfinite(expert.speak(frame)).all()
