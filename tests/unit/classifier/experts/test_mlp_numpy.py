"""The neural network in numpy."""

import subprocess
import sys

import numpy as np
import pytest

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


FIT = """
import sys
import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits
from classifier.experts.mlp_numpy import NumpyMLP
from classifier.features.text_lsa import TextLSA

random = np.random.default_rng(0)
rows = random.normal(size=(300, 20)).astype(np.float32)
labels = (rows[:, 0] * rows[:, 1] + random.normal(size=300) > 0).astype(int)
counts = sparse.random(300, 200, 0.05, "csr", dtype=np.float32, random_state=random)
with threadpool_limits(1):
    network = NumpyMLP().fit(rows, labels)
    directions = TextLSA().fit((counts,), np.arange(300).astype(str))
arrays = (*network.weights_, *network.biases_, *directions.components_)
sys.stdout.buffer.write(np.concatenate([one.ravel() for one in arrays]).tobytes())
"""


def test_the_kernel_of_blas_does_not_change_what_is_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same seed gives the same networks and directions of texts on another kind of CPU."""
    fitted = []
    for kernel in ("Sandybridge", "Prescott"):  # OpenBLAS' names; every x86-64 with AVX runs both
        monkeypatch.setenv("OPENBLAS_CORETYPE", kernel)
        command = [sys.executable, "-c", FIT]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        fitted.append(np.frombuffer(done.stdout, dtype=np.float32))
    assert fitted[0] == pytest.approx(fitted[1], rel=1e-5, abs=1e-6)
