"""Predict few rows with boosted trees in one compiled call, instead of one call per tree.

scikit-learn calls each of its trees (70 per genre) by itself, which takes 10 ms however few rows
there are. Here all trees are one: above them, nodes over an added column choose the tree by its
number, and each row is repeated once per tree.
"""

# ruff: noqa: SLF001 - scikit-learn offers no other way to a model's trees

from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.common import X_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from classifier.arrays import Floats
from classifier.features.audio import Matrix

MAX_ROWS: Final = 96
"""With more rows, scikit-learn's own way takes no longer."""
_MAX_VALUES: Final = 2**21
"""Values of the repeated rows that are in memory at once: 16 MB."""
_merged: WeakKeyDictionary[HistGradientBoostingClassifier, "MergedTrees"] = WeakKeyDictionary()


def predict_proba(model: HistGradientBoostingClassifier, matrix: Matrix) -> Floats:
    """Return what `model.predict_proba` returns for rows of its training columns."""
    if len(matrix) > MAX_ROWS or len(matrix) == 0:
        return np.asarray(model.predict_proba(matrix))
    if model not in _merged:
        _merged[model] = MergedTrees(model)
    return _merged[model].predict_proba(matrix)


class MergedTrees:
    """The trees of a fitted classifier as one tree."""

    def __init__(self, model: HistGradientBoostingClassifier) -> None:
        self._baseline, self._loss = model._baseline_prediction, model._loss
        self._is_categorical = model.is_categorical_
        self._categories: list[NDArray[Any]] = []
        if model._preprocessor is not None:
            self._categories = model._preprocessor.named_transformers_["encoder"].categories_
        known_bitsets, places = model._bin_mapper.make_known_categories_bitsets()
        self._known_bitsets = known_bitsets
        self._shape = len(model._predictors), model.n_trees_per_iteration_
        columns = len(places)
        self._bitset_places = np.append(places, np.uint32(0)).astype(np.uint32)
        trees = [tree for of_round in model._predictors for tree in of_round]
        self._tree = _one_tree(trees, columns)
        self._numbers = np.arange(len(trees), dtype=X_DTYPE)

    def predict_proba(self, matrix: Matrix) -> Floats:
        """Return probabilities (rows, classes), equal to the model's to the last digit."""
        encoded = self._encoded(matrix)
        size = max(1, _MAX_VALUES // (len(self._numbers) * len(self._bitset_places)))
        sums = [
            self._sums(encoded[start : start + size]) for start in range(0, len(encoded), size)
        ]
        return np.asarray(self._loss.predict_proba(np.concatenate(sums)))

    def _sums(self, encoded: Floats) -> Floats:
        """Return the sum of all trees per row and genre."""
        rows, trees = len(encoded), len(self._numbers)
        repeated = np.empty((trees, rows, len(self._bitset_places)), dtype=X_DTYPE)
        repeated[:, :, :-1] = encoded
        repeated[:, :, -1] = self._numbers[:, np.newaxis]
        values = self._tree.predict(
            repeated.reshape(trees * rows, -1), self._known_bitsets, self._bitset_places, 1
        )
        rounds, genres = self._shape
        sums = np.zeros((rows, genres), dtype=self._baseline.dtype, order="F")
        sums += self._baseline
        for of_round in values.reshape(rounds, genres, rows):  # in their order: the same roundings
            sums += of_round.T
        return sums

    def _encoded(self, matrix: Matrix) -> Floats:
        """Return the columns with codes first, then the numbers; unknown categories are NaN.

        As the model encodes them, without the checks of its column transformer.
        """
        if not self._categories:
            return matrix.astype(X_DTYPE)
        codes = [
            _codes(column, known)
            for column, known in zip(
                matrix[:, self._is_categorical].T, self._categories, strict=True
            )
        ]
        return np.column_stack([*codes, matrix[:, ~self._is_categorical]]).astype(X_DTYPE)


def _codes(column: NDArray[Any], known: NDArray[Any]) -> Floats:
    known = known[~np.isnan(known)]
    places = np.searchsorted(known, column)
    found = np.append(known, np.nan)[np.minimum(places, len(known))] == column
    return np.where(found, places, np.nan).astype(X_DTYPE)


def _one_tree(trees: list[TreePredictor], chooser: int) -> TreePredictor:
    """Return a tree over the columns and `chooser`, whose value is the number of the tree."""
    sizes = np.array([len(tree.nodes) for tree in trees])
    above = np.zeros(len(trees) - 1, dtype=trees[0].nodes.dtype)
    roots = len(above) + np.cumsum(sizes) - sizes
    above["feature_idx"] = chooser
    above["missing_go_to_left"] = True
    free = iter(range(len(above)))

    def choose(first: int, last: int) -> int:
        """Return the node that leads to the trees `first` to `last`."""
        if first == last:
            return int(roots[first])
        node, middle = next(free), (first + last) // 2
        above[node]["num_threshold"] = middle + 0.5
        above[node]["left"] = choose(first, middle)
        above[node]["right"] = choose(middle + 1, last)
        return node

    choose(0, len(trees) - 1)
    nodes = np.concatenate([above, *(tree.nodes for tree in trees)])
    counts = [len(tree.raw_left_cat_bitsets) for tree in trees]
    bitsets = np.repeat(np.cumsum(counts) - counts, sizes).astype(np.uint32)
    below = nodes[len(above) :]
    below["left"] += np.repeat(roots, sizes).astype(np.uint32)
    below["right"] += np.repeat(roots, sizes).astype(np.uint32)
    below["bitset_idx"] += bitsets
    raw = np.concatenate([tree.raw_left_cat_bitsets for tree in trees])
    return TreePredictor(nodes, raw, raw)
