"""Which tracks to annotate next."""

import numpy as np
import pandas as pd
import pytest

from classifier.findings import annotation


def test_one_track_of_each_artist_the_surest_error_first() -> None:
    """Artists by their own priority; ties keep the order."""
    artists = np.array([0, 0, 1, 2, 1, 3])
    errors = np.array([0.2, 0.9, 0.5, 0.4, 0.5, 0.4])
    gains = np.bincount(artists, weights=errors)[artists]
    rows = annotation.one_per_artist(gains, errors, artists)
    assert rows.tolist() == [1, 2, 3, 5]


def test_the_error_is_that_of_the_claim_or_else_of_the_prediction() -> None:
    """A claim that is not among the five most probable genres is surely wrong."""
    frame = pd.DataFrame({"probability": [0.8, 0.8, 0.6], "claim_probability": [0.1, 0.0, np.nan]})
    assert annotation.label_error(frame) == pytest.approx([0.9, 1.0, 0.4])
