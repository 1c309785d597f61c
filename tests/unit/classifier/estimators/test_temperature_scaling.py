"""Temperature scaling of scores."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from classifier.estimators.temperature_scaling import TemperatureScaled

RANDOM = np.random.default_rng(0)


def repeated_scores(copies: int, size: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """Return overlapping classes, and copies of one column."""
    y = RANDOM.integers(3, size=size)
    return np.repeat(y[:, np.newaxis] + RANDOM.normal(0, 1, (size, 1)), copies, axis=1), y


def test_an_overconfident_model_is_calibrated() -> None:
    """Naive Bayes takes eight copies of one column as independent; predictions stay."""
    displayed, y = repeated_scores(8)
    requested, truth = repeated_scores(8)
    plain, tempered = (
        GaussianNB().fit(displayed, y),
        TemperatureScaled(GaussianNB()).fit(displayed, y),
    )
    assert 1 / 12 < tempered.scale_ < 1 / 5
    for model, low, high in ((plain, 0.15, 1.0), (tempered, 0.0, 0.03)):
        shares = model.predict_proba(requested)
        right = (model.classes_[shares.argmax(axis=1)] == truth).mean()
        assert low < abs(shares.max(axis=1).mean() - right) < high
    same = plain.predict_proba(requested).argmax(1) == tempered.predict_proba(requested).argmax(1)
    assert same.all()


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]])
def test_scores_of_two_and_of_more_classes_are_handled(labels: list[str]) -> None:
    """A single column of scores is that of the second class."""
    y = np.array(labels * 40)
    displayed = (np.unique(y, return_inverse=True)[1] * 3.0 + RANDOM.normal(0, 1, len(y)))[
        :, np.newaxis
    ]
    model = TemperatureScaled(SVC()).fit(displayed, y)
    shares = model.predict_proba(displayed)
    assert np.allclose(shares.sum(axis=1), 1)
    assert (model.classes_[shares.argmax(axis=1)] == y).mean() > 0.8


def test_a_class_of_one_track_is_kept() -> None:
    """It has no hold-out; a handful of tracks has none at all."""
    displayed, y = repeated_scores(1, 200)
    y[0] = 7
    assert 7 in TemperatureScaled(GaussianNB()).fit(displayed, y).classes_
    tiny = TemperatureScaled(GaussianNB()).fit(displayed[:4], np.array([0, 0, 1, 1]))
    assert tiny.scale_ == 1


def test_weights_reach_the_model() -> None:
    """A track of weight 0 has no influence."""
    displayed, y = repeated_scores(1, 400)
    weights = np.where(y == 2, 1e-9, 1.0)
    shares = (
        TemperatureScaled(GaussianNB())
        .fit(displayed, y, sample_weight=weights)
        .predict_proba(displayed)
    )
    assert shares[:, 2].max() < 0.05
