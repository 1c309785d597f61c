"""One-vs-rest and soft voting."""

from typing import Any

import numpy as np
import pytest

from classifier import estimators
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.errors import BadParameter, BadTrainingConfig
from classifier.training.evaluate import evaluate
from classifier.training_config import Preprocessing, TrainingConfig
from genrebase.errors import UserError
from tests.synthetic_music import Music


@pytest.fixture(scope="module")
def selection() -> SplitDataset:
    return split_dataset(Music().snapshot(), TrainingConfig())


def fitted(selection: SplitDataset, choice: TrainingConfig) -> Any:
    learned = selection.train_mask
    model: Any = estimators.build(choice, threads=1)
    return model.fit(selection.tracks[learned], selection.labels[learned], selection.validation())


def voting(**params: Any) -> TrainingConfig:
    return TrainingConfig(estimator="voting", params=params)


def test_one_versus_rest_fits_a_model_per_genre(selection: SplitDataset) -> None:
    """Its binary probability is that of a model of this genre against all others."""
    model = fitted(selection, voting(member="naive_bayes"))
    learned = selection.train_mask
    metal = np.where(selection.labels == "metal", "yes", "no")
    alone = estimators.build(TrainingConfig(estimator="naive_bayes"), threads=1)
    alone.fit(selection.tracks[learned], metal[learned])
    place = list(model.classes_).index("metal")
    expected = alone.predict_proba(selection.tracks)[:, 1]
    predictions = model.binary_proba(selection.tracks)
    assert (predictions[:, place] == expected).all()
    shares = predictions / predictions.sum(axis=1, keepdims=True)
    assert np.allclose(model.predict_proba(selection.tracks), shares)


def test_named_members_are_averaged(selection: SplitDataset) -> None:
    """With equal or given weights."""
    names = ["knn", "tree"]
    alone = [fitted(selection, TrainingConfig(estimator=name)) for name in names]
    first, second = (model.predict_proba(selection.tracks) for model in alone)
    vote = fitted(selection, voting(members=names)).predict_proba(selection.tracks)
    assert np.allclose(vote, (first + second) / 2)
    heavy = fitted(selection, voting(members=names, weights=[3, 1]))
    assert np.allclose(heavy.predict_proba(selection.tracks), (3 * first + second) / 4)


def test_members_get_their_own_parameters(selection: SplitDataset) -> None:
    """Prefixed by their name; what they refuse is refused."""
    vote = fitted(selection, voting(members=["knn", "tree"], tree__max_depth=1))
    assert vote.members_[1].model_.get_depth() == 1
    with pytest.raises(BadParameter, match="no parameter 'depth'"):
        estimators.build(voting(members=["knn", "tree"], tree__depth=1), threads=1)


def test_members_preprocess_their_tracks(selection: SplitDataset) -> None:
    """Each for its binary problem: SMOTE balances the genre with the rest."""
    choice = TrainingConfig(
        estimator="voting", params={"member": "knn"}, preprocessing=Preprocessing(balance="smote")
    )
    model = fitted(selection, choice)
    for member in model.members_:
        counts = np.bincount(member.model_.codes_)
        assert counts[0] == counts[1] > selection.train_mask.sum() / 2
    with pytest.raises(BadTrainingConfig, match="nothing to preprocess"):
        estimators.build(
            TrainingConfig(
                estimator="voting",
                params={"members": ["knn", "dummy"]},
                preprocessing=Preprocessing(scaling="minmax"),
            ),
            threads=1,
        )


def test_the_binary_metrics_of_each_genre_are_stored(selection: SplitDataset) -> None:
    """On both held-out sides, with those of all models; soft voting has none."""
    choice = voting(member="tree")
    result = evaluate(
        selection,
        fitted(selection, choice),
        estimators.build(choice, threads=1),
        None,
        choice,
        lambda _: None,
    )
    reported = {
        (row.side, row.regime, row.genre)
        for row in result.metrics
        if row.metric == "binary_balanced_accuracy"
    }
    for side in ("test", "validation"):
        for regime in ("seen_artist", "new_artist", "all"):
            assert {(side, regime, genre) for genre in selection.classes} <= reported
    assert not hasattr(estimators.build(voting(members=["knn"]), threads=1), "yes")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"member": "knn", "members": ["tree"]}, "not both"),
        ({"members": "knn"}, "list of names"),
        ({"members": []}, "list of names"),
        ({"members": [["knn"]]}, "list of names"),
        ({"member": "voting"}, "member of itself"),
        ({"members": ["knn", "tree"], "weights": [1]}, "one number per member"),
        ({"members": ["knn"], "weights": [-1]}, "none below 0"),
        ({"weights": [1]}, "name them"),
        ({"svm__C": 1}, "no parameter 'svm__C'"),
    ],
)
def test_invalid_parameters_are_refused_with_a_message(
    params: dict[str, Any], sentence: str
) -> None:
    """Before any data is read."""
    with pytest.raises(BadParameter, match=sentence):
        estimators.build(voting(**params), threads=1)


def test_an_unknown_member_suggests_the_most_similar() -> None:
    """Like an unknown estimator."""
    with pytest.raises(UserError, match="Did you mean 'logistic'"):
        estimators.build(voting(member="logistics"), threads=1)


def test_a_genre_may_have_parameters_of_its_own(selection: SplitDataset) -> None:
    """`by_genre` changes the model of that genre, and no other."""
    params = {"member": "tree", "tree__max_depth": 5, "by_genre": {"metal": {"max_depth": 1}}}
    model = fitted(selection, voting(**params))
    depths = [member.model_.get_depth() for member in model.members_]
    assert dict(zip(model.classes_, (depth == 1 for depth in depths), strict=True)) == {
        "blues": False,
        "metal": True,
        "techno": False,
    }
    for wrong in ({"by_genre": {"metal": 3}}, {"by_genre": {}, "members": ["tree"]}):
        with pytest.raises(BadParameter, match="by_genre"):
            estimators.build(voting(**wrong), threads=1)
