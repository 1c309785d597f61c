"""Piecewise linear encoding of numbers."""

import numpy as np
import pandas as pd

from classifier.features.piecewise_linear import PiecewiseLinearEncoder

FRAME = pd.DataFrame({"energy": [0.0, 0.1, 0.5, 0.9, np.nan], "tempo": [90.0, 100, 110, 120, 130]})


def test_nothing_is_missing_or_infinite() -> None:
    """Not for values far outside, and not where everything is unknown."""
    features = PiecewiseLinearEncoder(("audio", "metadata")).fit(FRAME)
    strange = pd.DataFrame({"energy": [1e30, -np.inf, np.nan], "tempo": [np.nan] * 3})
    for frame in (FRAME, strange, pd.DataFrame(index=range(2))):
        matrix = features.transform(frame)
        assert matrix.dtype == np.float32
        assert np.isfinite(matrix).all()
        assert np.abs(matrix).max() <= 10


def test_bins_fill_up_from_the_lowest_to_the_highest() -> None:
    """The lowest value fills none of a column's bins, the highest all of them."""
    features = PiecewiseLinearEncoder(("audio",)).fit(FRAME)
    matrix = features.transform(FRAME)
    pieces = matrix[:, -len(features.bin_starts_) :][
        :, features.bin_widths_ > 1
    ]  # those of the tempo
    assert (pieces[0] == 0).all()
    assert (pieces[-1] == 1).all()
    assert (np.diff(pieces, axis=0) >= 0).all()


def test_transform_fits_nothing() -> None:
    """Later rows move no quantile."""
    features = PiecewiseLinearEncoder(("audio",))
    first = features.fit_transform(FRAME)
    features.transform(FRAME.assign(tempo=1000.0))
    assert (features.transform(FRAME) == first).all()
