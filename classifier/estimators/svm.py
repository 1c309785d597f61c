"""`svm`: support vectors; exact on few tracks, with an approximated kernel on many."""

from numbers import Integral, Real
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.estimators.preprocessing import Preprocessor
from classifier.estimators.temperature_scaling import TemperatureScaled
from classifier.features.audio import NumericFeatures
from classifier.ports import Labels

Floats = NDArray[np.float64]

_PASSES: Final = 10
"""Times the gradient goes over all tracks at most; averaged, later ones change little."""


class SupportVectorClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Widest margins in the space of a kernel.

    Up to `exact` tracks libsvm finds them exactly, whose time grows with the square of the
    tracks. Above, the kernel is approximated by its values at `landmarks` tracks (Nyström;
    Williams & Seeger, 2001) and the margins are found by stochastic gradient, one genre against
    the rest: time and memory grow with the tracks. A linear kernel needs no landmarks.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [StrOptions({"scale"}), Interval(Real, 0, None, closed="neither")],
        "kernel": [StrOptions({"rbf", "linear"})],
        "exact": [Interval(Integral, 0, None, closed="left")],
        "landmarks": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        C: float = 5.0,  # noqa: N803 - scikit-learn's name
        gamma: float | str = "scale",
        kernel: str = "rbf",
        exact: int = 10_000,
        landmarks: int = 300,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.kernel = kernel
        self.exact = exact
        self.landmarks = landmarks
        self.random_state = random_state

    def fit(self, X: Floats, y: Labels, sample_weight: Floats | None = None) -> Self:
        """Find the margins; `sample_weight` is what each row counts."""
        few = len(y) <= self.exact
        self.map_ = None
        if few:
            self.margins_ = SVC(
                C=self.C, gamma=self.gamma, kernel=self.kernel, decision_function_shape="ovo"
            )
        else:
            if self.kernel == "rbf":
                self.map_ = self._landmarks(X)
            # C weighs each track's loss, alpha the width of the margin
            self.margins_ = SGDClassifier(
                alpha=1 / (self.C * len(y)),
                max_iter=_PASSES,
                tol=1e-3,
                average=True,
                random_state=self.random_state,
            )
        self.margins_.fit(self._mapped(X), y, sample_weight=sample_weight)
        self.classes_ = self.margins_.classes_
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Return how far each row lies on the side of each genre (of the second, if of two).

        libsvm holds every pair of genres against each other; a genre's score is the mean of its
        margins, each cut at 1, where an example counts as told apart. (Counted as votes, as
        scikit-learn does, the scores of different tracks look alike and give no probabilities.)
        """
        check_is_fitted(self)
        found = np.asarray(self.margins_.decision_function(self._mapped(X)), dtype=np.float64)
        size = len(self.classes_)
        if found.ndim == 1 or not isinstance(self.margins_, SVC):
            return found
        pairs = zip(*np.triu_indices(size, k=1), strict=True)
        scores = np.zeros((len(found), size))
        for margins, (first, second) in zip(found.clip(-1, 1).T, pairs, strict=True):
            scores[:, first] += margins
            scores[:, second] -= margins
        return scores / (size - 1)

    def _landmarks(self, matrix: Floats) -> Any:
        gamma = self.gamma
        if isinstance(gamma, str):  # as SVC scales it
            gamma = 1 / (matrix.shape[1] * max(float(matrix.var()), np.finfo(np.float32).tiny))
        count = min(self.landmarks, len(matrix))
        return Nystroem(gamma=gamma, n_components=count, random_state=self.random_state).fit(
            matrix
        )

    def _mapped(self, matrix: Floats) -> Floats:
        return matrix if self.map_ is None else np.asarray(self.map_.transform(matrix))


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - one genre after another: more threads, other last digits
    **params: Any,
) -> DataFrameClassifier:
    """Return support vectors over standardised numbers, with a learned temperature."""
    numbers = Preprocessor(NumericFeatures(features), complete=True, scaling="standard", seed=seed)
    model = with_params(SupportVectorClassifier(random_state=seed), params)
    return DataFrameClassifier(numbers, TemperatureScaled(model, seed=seed))
