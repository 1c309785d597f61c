"""Artifacts that were made to harm: none reaches compiled code."""

import copy
import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import skops.io
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from classifier.errors import BrokenArtifact
from classifier.registry import artifact_checks, artifacts
from classifier.registry.artifact_checks import UnsafeArtifact, check_estimator
from classifier.registry.artifacts import ModelArtifact

RANDOM = np.random.default_rng(0)
X = np.column_stack([RANDOM.normal(size=(200, 3)), RANDOM.integers(0, 5, size=200)])
Y = np.array(["jazz", "pop", "rock", "folk"])[(X[:, 0] > 0) + 2 * (X[:, 3] > 2).astype(int)]


def tree() -> Any:
    return DecisionTreeClassifier(random_state=0).fit(X, Y)


def boosting() -> Any:
    return HistGradientBoostingClassifier(
        max_iter=3, categorical_features=[3], min_samples_leaf=5, random_state=0
    ).fit(X, Y)


def vectors() -> Any:
    return SVC().fit(X, Y)


FITTED = (
    tree,
    boosting,
    vectors,
    lambda: RandomForestClassifier(5, random_state=0).fit(X, Y),
    lambda: AdaBoostClassifier(tree(), n_estimators=3).fit(X, Y),
)


def test_types_are_checked_without_loading() -> None:
    """A trusted artifact passes; an untrusted type and damage are named."""
    artifact_checks.check_types(artifacts.serialise(ModelArtifact(tree(), np.array([1]))))
    smuggled = skops.io.dumps({"estimator": FunctionTransformer(io.open_code)})
    with pytest.raises(BrokenArtifact, match=r"open_code.*was not loaded"):
        artifact_checks.check_types(smuggled)
    with pytest.raises(BrokenArtifact, match="cannot be read"):
        artifact_checks.check_types(b"nothing")


@pytest.mark.parametrize("make", FITTED)
def test_what_scikit_learn_fits_passes(make: Callable[[], Any]) -> None:
    """An honest model is never refused, alone or inside others."""
    check_estimator(make())
    check_estimator({"models": [(make(), None)], "more": np.array([make()], dtype=object)})


def edited_tree(**changes: Any) -> Any:
    """Return a tree whose root is edited, as a changed artifact would have it."""
    model = tree()
    state = model.tree_.__getstate__()
    nodes = state["nodes"].copy()
    for name, value in changes.items():
        nodes[name][0] = value
    state["nodes"] = nodes
    model.tree_.__setstate__(state)
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {"left_child": 0},
        {"right_child": 0},
        {"left_child": 10**9},
        {"right_child": -5},
        {"feature": 4},
        {"feature": -3},
    ],
)
def test_an_edited_tree_is_refused(changes: dict[str, int]) -> None:
    """Loops, nodes past the end and foreign features: a crash or an endless loop if run."""
    with pytest.raises(UnsafeArtifact, match="a tree"):
        check_estimator([edited_tree(**changes)])


def test_a_tree_for_more_features_than_its_model_is_refused() -> None:
    """The model's check of the features would let it read past a row."""
    model = tree()
    model.n_features_in_ = 2
    with pytest.raises(UnsafeArtifact, match="number of features"):
        check_estimator(model)


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 0), ("right", 0), ("left", 2**31), ("feature_idx", 4), ("bitset_idx", 999)],
)
def test_edited_boosted_trees_are_refused(field: str, value: int) -> None:
    """The same in the trees of gradient boosting, which are compiled code, too."""
    model = boosting()
    categorical = [
        (predictor.nodes, place)
        for trees in model._predictors
        for predictor in trees
        for place in np.flatnonzero(
            (predictor.nodes["is_leaf"] == 0) & (predictor.nodes["is_categorical"] != 0)
        )
    ]
    assert categorical
    nodes, place = categorical[0]
    nodes[field][place] = value
    with pytest.raises(UnsafeArtifact, match="a tree"):
        check_estimator(model)


def test_a_numeric_feature_is_no_category() -> None:
    """The table of categories has no row for it."""
    model = boosting()
    nodes = model._predictors[0][0].nodes
    numeric = np.flatnonzero((nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0))
    nodes["is_categorical"][numeric[0]] = 1
    with pytest.raises(UnsafeArtifact, match="categories"):
        check_estimator(model)


@pytest.mark.parametrize("name", ["_n_support", "_dual_coef_", "_intercept_", "support_vectors_"])
def test_edited_support_vectors_are_refused(name: str) -> None:
    """libsvm takes the lengths of its arrays on trust."""
    model = vectors()
    setattr(model, name, getattr(model, name)[:-1])
    with pytest.raises(UnsafeArtifact, match="support vectors"):
        check_estimator(model)
    model = vectors()
    model._n_support = model._n_support + 1
    with pytest.raises(UnsafeArtifact, match="support vectors"):
        check_estimator(model)


def test_an_edited_sparse_matrix_is_refused() -> None:
    """An index past the columns is a read past the memory."""
    matrix = scipy.sparse.csr_matrix(np.eye(3))
    check_estimator(matrix)
    matrix.indices[0] = 99
    with pytest.raises(ValueError, match="indices"):
        check_estimator(matrix)


def test_trees_of_other_estimators_are_refused() -> None:
    """What is not checked here is not loaded."""
    model = GradientBoostingClassifier(n_estimators=1).fit(X, Y)
    with pytest.raises(UnsafeArtifact, match="no estimator"):
        check_estimator(model)


def packed(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


def array_file(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes that would be hundreds of times as many."""
    monkeypatch.setattr(artifact_checks, "FREE_BYTES", 1 << 16)
    bomb = packed(schema_json=b"{}", x_npy=array_file(np.zeros(500_000)))
    with pytest.raises(BrokenArtifact, match="bytes long unpacked"):
        artifacts.deserialise(bomb)


@pytest.mark.parametrize("shape", ["(99999999999,)", "(2,)", "(4, 4)"])
def test_an_array_that_lies_about_its_length_is_refused(shape: str) -> None:
    """Numpy would allocate what the header declares."""
    honest = array_file(np.zeros(3))
    header = honest.replace(b"(3,), }", f"{shape}, }}".encode())
    lying = header[:128].rstrip(b"\n ").ljust(127) + b"\n" + honest[128:]
    artifact_checks.check_size(packed(x_npy=honest))
    with pytest.raises(UnsafeArtifact, match="length"):
        artifact_checks.check_size(packed(x_npy=lying))


def test_a_model_that_compresses_well_is_stored_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own artifact is not taken for a bomb."""
    monkeypatch.setattr(artifact_checks, "FREE_BYTES", 1 << 16)
    estimator = tree()
    estimator.much_of_nothing_ = np.zeros(500_000)
    data = artifacts.serialise(ModelArtifact(estimator, np.arange(3)))
    assert (artifacts.deserialise(data).train_ids == np.arange(3)).all()


def test_random_changes_are_refused_or_change_nothing() -> None:
    """Whatever byte is changed, with a checksum made to fit: refused, or equal in every answer."""
    data = artifacts.serialise(ModelArtifact(tree(), np.arange(200)))
    expected = tree().predict_proba(X)
    refused = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        changed = bytearray(data)
        for place in random.integers(0, len(data), size=random.integers(1, 4)):
            changed[place] ^= int(random.integers(1, 256))
        try:
            loaded = artifacts.deserialise(bytes(changed))
        except BrokenArtifact:
            refused += 1
            continue
        assert (loaded.estimator.predict_proba(X) == expected).all()
        assert (loaded.train_ids == np.arange(200)).all()
    assert refused > 100


def test_checks_leave_the_estimator_as_it_is() -> None:
    """A check reads only."""
    model = boosting()
    before = copy.deepcopy(model)
    check_estimator(model)
    assert (model.predict_proba(X) == before.predict_proba(X)).all()
