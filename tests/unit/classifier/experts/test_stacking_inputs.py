"""Out-of-fold inputs of the stacking models."""

import numpy as np
import pandas as pd

from classifier.experts import stacking_inputs
from classifier.experts.naive_bayes_text import count_ngrams
from classifier.experts.stacking_inputs import ALBUM_NAME_SCORE

RNG = np.random.default_rng(0)
ARTISTS = [f"artist {number}" for number in range(30)]
FRAME = pd.DataFrame(
    {
        "track_id": range(180),
        "title": [f"song {number}" for number in range(180)],
        "artists": np.repeat(ARTISTS, 6),
        "album": [f"album {number // 12}" for number in range(180)],
        "popularity": RNG.integers(0, 100, 180).astype(float),
    }
)
LABELS = np.where(np.repeat(np.arange(30), 6) % 2 == 0, "even", "odd")
SEEN = pd.DataFrame({"track_id": FRAME["track_id"], "genre": LABELS, "best_rank": 1})


def test_inputs_grouped_by_artist_have_no_history() -> None:
    """Only the album name may be in the other splits."""
    inputs = stacking_inputs.out_of_fold_by_artist(FRAME, count_ngrams(FRAME), LABELS)
    assert not inputs.artist_track_counts.any()
    others = np.delete(inputs.history, ALBUM_NAME_SCORE, axis=0)
    assert not others.any()
    assert inputs.sighting_features.shape[1] == 0


def test_inputs_grouped_by_name_do_not_leak_the_label() -> None:
    """Changing the label of one track does not change its own inputs."""
    changed = LABELS.copy()
    changed[0] = "odd"
    one = stacking_inputs.out_of_fold_by_name(FRAME, count_ngrams(FRAME), LABELS, SEEN)
    two = stacking_inputs.out_of_fold_by_name(FRAME, count_ngrams(FRAME), changed, SEEN)
    first_artist = one.history[0, 0], two.history[0, 0]
    assert one.artist_track_counts[0] < 6
    # both genres' shares moved by one track of 180, and that is all
    assert np.allclose(*first_artist, atol=0.05)


def test_inputs_grouped_by_name_use_sightings_of_other_tracks() -> None:
    """All other tracks of an artist were seen in its genre."""
    inputs = stacking_inputs.out_of_fold_by_name(FRAME, count_ngrams(FRAME), LABELS, SEEN)
    seen_artist = inputs.artist_track_counts > 0
    even = inputs.sighting_features[seen_artist, 0]
    assert np.array_equal(even == 1.0, LABELS[seen_artist] == "even")
