"""Check an artifact before it is loaded: its size, its types, and what compiled code relies on.

Compiled code does not check its input: a tree with a cycle makes a prediction endless, an index
beyond an array reads other memory. A compressed file can expand a thousandfold. `signature` checks
that nobody changed the bytes.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.svm import SVC
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import Tree

from classifier.arrays import Mask
from classifier.errors import BrokenArtifact
from classifier.registry.skops_without_torch import skops_io
from genrebase.counts import counted

TRUSTED_TYPES: Final = frozenset(
    {
        "classifier.estimators.blend.Blend",
        "classifier.experts.artist_sightings.ArtistSightingFeatures",
        "classifier.experts.partial_features.PartialFeaturesExpert",
        "classifier.experts.fine_classes.FineClassHistory",
        "classifier.experts.artist_target_encoding.ArtistHistoryExpert",
        "classifier.experts.content_nets.ContentNetworksExpert",
        "classifier.experts.stacking_net.StackingExpert",
        "classifier.experts.stacking_trees.StackingTrees",
        "classifier.experts.mlp_numpy.NumpyMLP",
        "classifier.experts.mlp_ensemble.MLPEnsembleExpert",
        "classifier.experts.linear_text.LinearTextExpert",
        "classifier.experts.naive_bayes_text.NaiveBayesTextExpert",
        "classifier.experts.deep_networks.DeepNetworksExpert",
        "classifier.experts.trees.BoostedTreesExpert",
        "classifier.estimators.dataframe_classifier.DataFrameClassifier",
        "classifier.estimators.adaboost.CheckedAdaBoost",
        "classifier.estimators.cnn.CNN",
        "classifier.estimators.knn.KNearestNeighbours",
        "classifier.estimators.mlp.MLP",
        "classifier.estimators.preprocessing.Preprocessor",
        "classifier.estimators.svm.SupportVectorClassifier",
        "classifier.estimators.temperature_scaling.TemperatureScaled",
        "classifier.estimators.voting.OneVersusRest",
        "classifier.estimators.voting.SoftVote",
        "classifier.features.audio.NumericFeatures",
        "classifier.features.dense_inputs.DenseEncoder",
        "classifier.features.periodic.PeriodicEncoder",
        "classifier.features.piecewise_linear.PiecewiseLinearEncoder",
        "classifier.features.text_lsa.TextLSA",
        "classifier.features.sequences.SequenceEncoder",
        "classifier.features.ngram_bags.NgramBagEncoder",
        "functools.partial",  # scikit-learn's, around check_array; what it wraps is checked too
        "numpy.dtype",
        "scipy.sparse._csr.csr_matrix",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
    }
)
"""Types that an artifact may contain besides those that skops trusts; no other is loaded."""

MAX_RATIO: Final = 40
"""Maximum ratio of an artifact's decompressed to its stored size; see `serialise` for what
compresses better."""
FREE_BYTES: Final = 64 << 20
"""Decompressed bytes that are allowed at any ratio."""
_MAX_HEADER: Final = 10_000
"""Maximum bytes of an array's header."""
_LEAF: Final = -1


class UnsafeArtifact(ValueError):
    """The content of an artifact is not safe for compiled code."""


def check_types(artifact: bytes) -> None:
    """Raise `BrokenArtifact` for damage and untrusted types, without loading the estimator."""
    with report_damage():
        check_size(artifact)
        untrusted = set(skops_io.get_untrusted_types(data=artifact)) - TRUSTED_TYPES
    if untrusted:
        raise BrokenArtifact(
            f"The artifact contains types that are not trusted ({', '.join(sorted(untrusted))}) "
            "and was not loaded."
        )


@contextmanager
def report_damage() -> Iterator[None]:
    """Raise `BrokenArtifact` for every error in the block."""
    try:
        yield
    except Exception as error:
        # Damaged bytes fail anywhere: in zip, JSON, numpy or scikit-learn.
        raise BrokenArtifact(
            f"The artifact cannot be read ({type(error).__name__}: {error})."
        ) from error


def check_size(artifact: bytes) -> None:
    """Raise `UnsafeArtifact` if the archive expands too much or the size of an array is wrong.

    `zipfile` never reads more of a member than its declared size.
    """
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if unpacked > max(FREE_BYTES, MAX_RATIO * len(artifact)):
            raise UnsafeArtifact(f"it would be {counted(unpacked, 'byte')} long unpacked")
        for member in members:
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    _check_array(file, member)


def _check_array(file: Any, member: zipfile.ZipInfo) -> None:
    """Check that an array has the declared length, which numpy allocates before it reads."""
    version = npy_format.read_magic(file)
    read = (
        npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    )
    shape, _, dtype = read(file, max_header_size=_MAX_HEADER)
    if dtype.hasobject or prod(shape) * dtype.itemsize != member.file_size - file.tell():
        raise UnsafeArtifact(f"the array {member.filename} has not the length it declares")


def check_estimator(estimator: object) -> None:
    """Raise `UnsafeArtifact` if a part of a fitted estimator is not safe for compiled code."""
    for part in _parts(estimator):
        if isinstance(part, Tree):
            children = part.children_left, part.children_right
            inner = _check_children(*children, part.children_left == _LEAF)
            _check_features(part.feature[inner], part.n_features)
        elif isinstance(part, BaseDecisionTree):
            _check_owner(part)
        elif isinstance(part, BaseGradientBoosting):
            raise UnsafeArtifact("no estimator of this project has such trees")
        elif isinstance(part, HistGradientBoostingClassifier):
            _check_boosting(part)
        elif isinstance(part, TreePredictor):
            _check_children(part.nodes["left"], part.nodes["right"], part.nodes["is_leaf"] != 0)
        elif isinstance(part, SVC):
            _check_svc(part)
        elif isinstance(part, scipy.sparse.csr_matrix):
            part.check_format(full_check=True)


def _parts(whole: object) -> Iterator[object]:
    """Yield every object of the estimator, each once."""
    seen: dict[int, object] = {}  # also keeps them alive: an id is unique only so long
    pending = [whole]
    while pending:
        part = pending.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | type(None)):
            continue
        seen[id(part)] = part
        yield part
        if isinstance(part, dict):
            pending += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set | frozenset):
            pending += part
        elif isinstance(part, np.ndarray):
            pending += part.ravel().tolist() if part.dtype.hasobject else []
        else:
            pending += getattr(part, "__dict__", {}).values()


def _check_children(left: NDArray[Any], right: NDArray[Any], is_leaf: Mask) -> NDArray[np.intp]:
    """Check that every inner node points at two later nodes; return the inner nodes.

    Both of scikit-learn's builders number a node before its children, so no path can end where it
    began.
    """
    inner = np.flatnonzero(~is_leaf)
    for child in (left[inner].astype(np.int64), right[inner].astype(np.int64)):
        if not ((child > inner) & (child < len(left))).all():
            raise UnsafeArtifact("a tree has a node whose child does not follow it")
    if not len(left):
        raise UnsafeArtifact("a tree has no nodes")
    return inner


def _check_features(features: NDArray[Any], n_features: int) -> None:
    if not ((features >= 0) & (features < n_features)).all():
        raise UnsafeArtifact(f"a tree splits by a feature outside the {n_features} it has")


def _check_owner(model: BaseDecisionTree) -> None:
    """Check that a tree expects the features that its model checks before each prediction."""
    if hasattr(model, "tree_") and model.tree_.n_features != model.n_features_in_:
        raise UnsafeArtifact("a tree expects another number of features than its model")


def _check_boosting(model: HistGradientBoostingClassifier) -> None:
    """Check the bins, features and categories of one model's trees; not their nodes."""
    if not hasattr(model, "_predictors"):
        return  # it is not fitted: the template of an ensemble
    is_categorical = np.asarray(model._bin_mapper.is_categorical_) != 0  # noqa: SLF001
    if is_categorical.shape != (model._n_features,):  # noqa: SLF001 - `predict` checks X by it
        raise UnsafeArtifact("a model does not fit its bins")
    for predictor in (tree for trees in model._predictors for tree in trees):  # noqa: SLF001
        nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
        _check_features(nodes["feature_idx"], len(is_categorical))
        by_category = nodes[nodes["is_categorical"] != 0]
        bitsets = (predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets)
        if not is_categorical[by_category["feature_idx"]].all() or any(
            (by_category["bitset_idx"] >= len(bitset)).any() for bitset in bitsets
        ):
            raise UnsafeArtifact("a tree splits by categories that it does not have")


def _check_svc(model: SVC) -> None:
    if not hasattr(model, "support_"):
        return
    n_classes, n_vectors = len(model.classes_), len(model.support_)
    n_pairs = n_classes * (n_classes - 1) // 2
    per_class = np.asarray(model._n_support)  # noqa: SLF001
    shapes = (
        (model.support_vectors_, (n_vectors, model.n_features_in_)),
        (model._dual_coef_, (n_classes - 1, n_vectors)),
        (model._intercept_, (n_pairs,)),
        (per_class, (n_classes,)),
    )
    if any(np.shape(array) != shape for array, shape in shapes) or (
        (per_class < 0).any() or per_class.sum() != n_vectors
    ):
        raise UnsafeArtifact("the support vectors do not fit together")
    calibration = [len(getattr(model, name, ())) for name in ("_probA", "_probB")]
    if calibration not in ([0, 0], [n_pairs, n_pairs]):
        raise UnsafeArtifact("the support vectors have the wrong number of probabilities")
