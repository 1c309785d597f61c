"""Bags of the character n-grams that several artists have."""

import numpy as np
import pandas as pd

from classifier.features.groups import TEXT
from classifier.features.ngram_bags import NgramBagEncoder


def test_ngrams_of_few_artists_are_left_out() -> None:
    """Counted are artists, not tracks."""
    artists = ["Zyx"] * 5 + [f"Artist {one}" for one in range(4)]
    frame = pd.DataFrame({"title": ["Qzw qzw"] * 5 + ["Love song"] * 4, "artists": artists})
    features = NgramBagEncoder(min_artists=3)
    ngrams = features.fit_transform(frame)
    titles = ngrams.bags[TEXT.index("title")]
    assert titles[:5].nnz == 0
    assert titles[5:].nnz > 0


def test_an_artist_with_many_tracks_does_not_outweigh_the_others() -> None:
    """A track weighs one over the square root of its artist's tracks, 1 on average."""
    frame = pd.DataFrame({"title": ["a"] * 5, "artists": ["Zyx"] * 4 + ["Abc"]})
    weights = NgramBagEncoder().fit_transform(frame).weights
    assert weights[4] == 2 * weights[0]
    assert np.isclose(weights.mean(), 1)
