"""Periodic functions of the ranks of numbers."""

import numpy as np
import pandas as pd

from classifier.features.periodic import N_FREQUENCIES, PeriodicEncoder

FRAME = pd.DataFrame({"energy": [0.0, 0.1, 0.5, 0.9, np.nan], "tempo": [90.0, 100, 110, 120, 130]})


def test_nothing_is_missing_or_infinite() -> None:
    """Not for values far outside, and not where everything is unknown."""
    features = PeriodicEncoder(("audio", "metadata")).fit(FRAME)
    strange = pd.DataFrame({"energy": [1e30, -np.inf, np.nan], "tempo": [np.nan] * 3})
    for frame in (FRAME, strange, pd.DataFrame(index=range(2))):
        matrix = features.transform(frame)
        assert matrix.dtype == np.float32
        assert np.isfinite(matrix).all()


def test_angles_depend_on_ranks_only() -> None:
    """The median has the angle 0, and a growing function of a column changes nothing."""
    frame = FRAME.assign(energy=[0.1, 0.2, 0.3, 0.5, 0.6])
    grown = frame.assign(tempo=frame["tempo"] ** 3)
    one, other = (PeriodicEncoder(("audio",)).fit(each) for each in (frame, grown))
    size = one.frequencies_.size
    angles = one.transform(frame)[:, -2 * size :]
    assert np.allclose(angles, other.transform(grown)[:, -2 * size :], atol=0.1)
    tempo = list(one.numbers_.get_feature_names_out()).index("tempo") * N_FREQUENCIES
    assert np.allclose(angles[2, tempo : tempo + N_FREQUENCIES], 0, atol=1e-5)
    assert np.abs(angles[0, tempo : tempo + N_FREQUENCIES]).max() > 0.1


def test_transform_fits_nothing() -> None:
    features = PeriodicEncoder(("audio",))
    first = features.fit_transform(FRAME)
    features.transform(FRAME.assign(tempo=1000.0))
    assert (features.transform(FRAME) == first).all()
