"""`svm`: support vector machine; exact on few tracks, with an approximated kernel on many."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from classifier.arrays import Floats
from classifier.estimators.dataframe_classifier import numeric_factory
from classifier.ports import Labels

_MAX_EPOCHS: Final = 10
"""Of stochastic gradient descent; with averaged weights, later ones change little."""


@dataclass(eq=False, repr=False)
class SupportVectorClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Maximum margins in the space of a kernel.

    Up to `max_exact_rows` tracks libsvm finds them exactly, in time that grows with the square of
    the tracks. Above, the kernel is approximated by its values at `n_components` tracks (Nyström;
    Williams & Seeger, 2001) and the margins are fitted by stochastic gradient descent, one genre
    against the rest: time and memory grow with the tracks. A linear kernel needs no approximation.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [StrOptions({"scale"}), Interval(Real, 0, None, closed="neither")],
        "kernel": [StrOptions({"rbf", "linear"})],
        "max_exact_rows": [Interval(Integral, 0, None, closed="left")],
        "n_components": [Interval(Integral, 2, None, closed="left")],
    }

    C: float = 5.0
    gamma: float | str = "scale"
    kernel: str = "rbf"
    max_exact_rows: int = 10_000
    n_components: int = 300
    random_state: int = 0

    def fit(self, X: Floats, y: Labels, sample_weight: Floats | None = None) -> Self:
        """Find the margins; `sample_weight` is the weight of each row."""
        self.kernel_map_ = None
        if len(y) <= self.max_exact_rows:
            self.model_ = SVC(
                C=self.C, gamma=self.gamma, kernel=self.kernel, decision_function_shape="ovo"
            )
        else:
            if self.kernel == "rbf":
                self.kernel_map_ = self._fit_kernel_map(X)
            # C weighs each track's loss, alpha the width of the margin
            self.model_ = SGDClassifier(
                alpha=1 / (self.C * len(y)),
                max_iter=_MAX_EPOCHS,
                tol=1e-3,
                average=True,
                random_state=self.random_state,
            )
        self.model_.fit(self._mapped(X), y, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Return the signed distance of each row per genre (of two: from the second).

        libsvm compares every pair of genres; a genre's score is the mean of its margins, each
        clipped at 1, where an example counts as classified. (Counted as votes, as scikit-learn
        does, the scores of different tracks are nearly equal and give no probabilities.)
        """
        check_is_fitted(self)
        margins = np.asarray(self.model_.decision_function(self._mapped(X)), dtype=np.float64)
        size = len(self.classes_)
        if margins.ndim == 1 or not isinstance(self.model_, SVC):
            return margins
        pairs = zip(*np.triu_indices(size, k=1), strict=True)
        scores = np.zeros((len(margins), size))
        for values, (first, second) in zip(margins.clip(-1, 1).T, pairs, strict=True):
            scores[:, first] += values
            scores[:, second] -= values
        return scores / (size - 1)

    def _fit_kernel_map(self, matrix: Floats) -> Any:
        gamma = self.gamma
        if isinstance(gamma, str):  # as SVC scales it
            gamma = 1 / (matrix.shape[1] * max(float(matrix.var()), np.finfo(np.float32).tiny))
        count = min(self.n_components, len(matrix))
        kernel_map = Nystroem(gamma=gamma, n_components=count, random_state=self.random_state)
        return kernel_map.fit(matrix)

    def _mapped(self, matrix: Floats) -> Floats:
        if self.kernel_map_ is None:
            return matrix
        return np.asarray(self.kernel_map_.transform(matrix))


make = numeric_factory(
    lambda seed, _: SupportVectorClassifier(random_state=seed),
    calibrate=True,
    impute=True,
    scaling="standard",
)
"""An SVM over standardised numbers, with temperature scaling. One genre is fitted after another:
with more threads the last digits would differ."""
