"""The neural network in numpy."""

import numpy as np

from classifier.experts.mlp_numpy import NumpyMLP


def test_the_network_fits_a_nonlinear_boundary() -> None:
    """It predicts exclusive or on unseen points."""
    points = np.random.default_rng(0).normal(size=(1500, 2)).astype(np.float32)
    labels = np.where((points > 0).all(axis=1) | (points < 0).all(axis=1), "same", "different")
    net = NumpyMLP().fit(points[:1000], labels[:1000])
    predictions = net.classes_[net.predict_proba(points[1000:]).argmax(axis=1)]
    assert (predictions == labels[1000:]).mean() > 0.9


def test_random_labels_give_the_class_shares() -> None:
    """Without information, it predicts how common the classes are."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(2000, 5)).astype(np.float32)
    labels = np.where(random.random(2000) < 0.8, "often", "seldom")
    shares = NumpyMLP().fit(rows, labels).predict_proba(rows)
    assert abs(shares[:, 0].mean() - 0.8) < 0.05
    assert shares[:, 0].std() < 0.1
