"""Temperature scaling of scores."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from classifier.estimators.temperature_scaling import TemperatureScaled

RANDOM = np.random.default_rng(0)


def told(copies: int, size: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """Return overlapping classes, and copies of one column."""
    y = RANDOM.integers(3, size=size)
    return np.repeat(y[:, np.newaxis] + RANDOM.normal(0, 1, (size, 1)), copies, axis=1), y


def test_an_overconfident_model_is_calibrated() -> None:
    """Naive Bayes takes eight copies of one column as independent; predictions stay."""
    shown, y = told(8)
    asked, truth = told(8)
    plain, tempered = GaussianNB().fit(shown, y), TemperatureScaled(GaussianNB()).fit(shown, y)
    assert 1 / 12 < tempered.scale_ < 1 / 5
    for model, low, high in ((plain, 0.15, 1.0), (tempered, 0.0, 0.03)):
        shares = model.predict_proba(asked)
        right = (model.classes_[shares.argmax(axis=1)] == truth).mean()
        assert low < abs(shares.max(axis=1).mean() - right) < high
    same = plain.predict_proba(asked).argmax(1) == tempered.predict_proba(asked).argmax(1)
    assert same.all()


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]])
def test_scores_of_two_and_of_more_classes_are_handled(labels: list[str]) -> None:
    """A single column of scores is that of the second class."""
    y = np.array(labels * 40)
    shown = (np.unique(y, return_inverse=True)[1] * 3.0 + RANDOM.normal(0, 1, len(y)))[
        :, np.newaxis
    ]
    model = TemperatureScaled(SVC()).fit(shown, y)
    shares = model.predict_proba(shown)
    assert np.allclose(shares.sum(axis=1), 1)
    assert (model.classes_[shares.argmax(axis=1)] == y).mean() > 0.8


def test_a_class_of_one_track_is_kept() -> None:
    """It has no hold-out; a handful of tracks has none at all."""
    shown, y = told(1, 200)
    y[0] = 7
    assert 7 in TemperatureScaled(GaussianNB()).fit(shown, y).classes_
    tiny = TemperatureScaled(GaussianNB()).fit(shown[:4], np.array([0, 0, 1, 1]))
    assert tiny.scale_ == 1


def test_weights_reach_the_model() -> None:
    """A track of weight 0 has no influence."""
    shown, y = told(1, 400)
    weights = np.where(y == 2, 1e-9, 1.0)
    shares = (
        TemperatureScaled(GaussianNB()).fit(shown, y, sample_weight=weights).predict_proba(shown)
    )
    assert shares[:, 2].max() < 0.05
