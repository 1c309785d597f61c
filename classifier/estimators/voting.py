"""`voting`: one-vs-rest binary classifiers, or soft voting of several multiclass ones."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from classifier import distributed_fits, estimators
from classifier.arrays import Floats
from classifier.config_options import did_you_mean
from classifier.data import soft_labels
from classifier.data.soft_labels import SupportsSampleWeight, TrainingSet
from classifier.errors import BadParameter, BadTrainingConfig
from classifier.ports import (
    Estimator,
    Labels,
    SupportsPreprocessing,
    Validation,
)
from classifier.settings import ESTIMATORS_GROUP
from classifier.training_config import FEATURE_GROUPS, Preprocessing
from genrebase.runtime import plugins

NAME: Final = "voting"
DEFAULT_MEMBER: Final = "logistic"
"""The default member: 113 of it take less time than 113 of any other."""
_YES: Final = "yes"
_NO: Final = "no"
_OWN: Final = ("member", "members", "weights", "by_genre")
_TINY: Final = float(np.finfo(np.float64).tiny)
_Part = tuple[str | None, Estimator]
"""A member, and the genre that it is fitted to against the rest; None: all genres."""


class _Members(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """A classifier made of other estimators: it supports what they support."""

    @property
    def feature_groups(self) -> tuple[str, ...]:
        """Return the feature groups that any member uses."""
        groups = [estimators.usable_groups(one, FEATURE_GROUPS) for one in self._unfitted()]
        return tuple(group for group in FEATURE_GROUPS if any(group in used for used in groups))

    @property
    def supports_sample_weight(self) -> bool:
        """Return whether all members take sample weights."""
        return all(
            isinstance(one, SupportsSampleWeight) and one.supports_sample_weight
            for one in self._unfitted()
        )

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        weights: Floats | None = None,
    ) -> Self:
        """Fit one member after another; `weights` are the sample weights."""
        self.classes_ = np.unique(y)
        shared = (TrainingSet(X, y, weights), validation)
        self.members_ = list(distributed_fits.fit_parts(_fit_member, self._parts(), shared))
        return self

    def _unfitted(self) -> Sequence[Any]:
        raise NotImplementedError

    def _parts(self) -> Sequence[_Part]:
        """Return what is fitted to the genres `classes_`."""
        raise NotImplementedError


class OneVersusRest(_Members):
    """Fit a copy of `member` per genre (genre against the rest), and normalise their outputs.

    Each copy preprocesses the tracks for its own binary problem: SMOTE or weights make the tracks
    of the genre count as much as all others together. `others` replace it for their genre.
    """

    def __init__(self, member: Any, others: Mapping[str, Any] | None = None) -> None:
        self.member = member
        self.others = others

    def _unfitted(self) -> Sequence[Any]:
        return [self.member, *(self.others or {}).values()]

    def _parts(self) -> Sequence[_Part]:
        others = self.others or {}
        return [(genre, others.get(genre, self.member)) for genre in self.classes_]

    def binary_proba(self, X: pd.DataFrame) -> Floats:
        """Return the binary probabilities (rows, genres); rows need not sum to 1."""
        check_is_fitted(self)
        return np.column_stack(
            [member.predict_proba(X)[:, member.classes_ == _YES] for member in self.members_]
        )

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities (rows, genres); every row sums to 1."""
        probabilities = np.maximum(self.binary_proba(X), _TINY)  # all may be 0
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))

    def with_preprocessing(self, preprocessing: Preprocessing) -> "OneVersusRest":
        """Return the same with members that preprocess their tracks so."""
        others = self.others or {}
        return OneVersusRest(
            _preprocessed(self.member, preprocessing),
            {genre: _preprocessed(one, preprocessing) for genre, one in others.items()} or None,
        )


class SoftVote(_Members):
    """Average the probabilities of `members`, weighted by `weights` (None: all the same)."""

    def __init__(self, members: Sequence[Any], weights: Sequence[float] | None = None) -> None:
        self.members = members
        self.weights = weights

    def _unfitted(self) -> Sequence[Any]:
        return self.members

    def _parts(self) -> Sequence[_Part]:
        return [(None, one) for one in self.members]

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities (rows, genres); every row sums to 1."""
        check_is_fitted(self)
        probabilities = [member.predict_proba(X) for member in self.members_]
        return np.asarray(np.average(probabilities, axis=0, weights=self.weights))

    def with_preprocessing(self, preprocessing: Preprocessing) -> "SoftVote":
        """Return the same with members that preprocess their tracks so."""
        return SoftVote([_preprocessed(one, preprocessing) for one in self.members], self.weights)


def make(
    *, features: tuple[str, ...], seed: int, threads: int, **params: Any
) -> OneVersusRest | SoftVote:
    """Return one model per genre (`member=NAME`), or a vote of several (`members=[NAME,…]`).

    `weights` are those of the named members. A member's own parameters are
    `NAME__parameter=value`; `by_genre={"metal":{"C":0.5}}` are those of one genre's model.
    """
    named = params.get("members")
    if named is None:
        names = [params.get("member", DEFAULT_MEMBER)]
    elif "member" in params:
        raise BadParameter("Name `member` (one per genre) or `members` (several), not both.")
    elif not _named(named):
        raise BadParameter('`members` is a list of names, as in members=["knn","svm"].')
    else:
        names = named
    weights = _weights(params.get("weights"), named)
    own = _params_by_member(params, names)
    by_genre = _by_genre(params.get("by_genre"), named)

    def member(name: Any, params: dict[str, Any]) -> Any:
        if name == NAME:
            raise BadParameter(f"{NAME} cannot be a member of itself.")
        factory = plugins.load(ESTIMATORS_GROUP, str(name))
        return factory(features=features, seed=seed, threads=threads, **params)

    members = [member(name, own[name]) for name in names]
    if named is not None:
        return SoftVote(members, weights)
    (name,) = names
    others = {
        genre: member(name, {**own[name], **of_genre}) for genre, of_genre in by_genre.items()
    }
    return OneVersusRest(members[0], others or None)


def _fit_member(shared: tuple[TrainingSet, Validation | None], part: _Part) -> Estimator:
    """Fit a copy of a member."""
    (training_set, validation), (genre, member) = shared, part
    if genre is not None:
        training_set = replace(training_set, labels=_binary_labels(training_set.labels, genre))
        if validation is not None:
            validation = (validation[0], _binary_labels(validation[1], genre))
    return soft_labels.fit(clone(member), training_set, validation)


def _named(members: Any) -> bool:
    return (
        isinstance(members, list)
        and members != []
        and all(isinstance(one, str) for one in members)
    )


def _by_genre(params: Any, members: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    if params is None:
        return {}
    if members is not None:
        raise BadParameter("`by_genre` is for one model per genre: name `member`, not `members`.")
    if not isinstance(params, dict) or not all(isinstance(own, dict) for own in params.values()):
        raise BadParameter('`by_genre` names parameters by genre, as in {"metal":{"C":0.5}}.')
    return params


def _weights(weights: Any, members: Sequence[str] | None) -> list[float] | None:
    if weights is None:
        return None
    if members is None:
        raise BadParameter("`weights` are those of named `members`: name them.")
    numbers = isinstance(weights, list) and all(
        isinstance(one, int | float) and one >= 0 for one in weights
    )
    if not numbers or len(weights) != len(members) or sum(weights) <= 0:
        raise BadParameter("`weights` is a list of one number per member, none below 0.")
    return [float(one) for one in weights]


def _params_by_member(params: dict[str, Any], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    by_member: dict[str, dict[str, Any]] = {name: {} for name in names}
    for param, value in params.items():
        member, split, own = param.partition("__")
        if param in _OWN:
            continue
        if not split or member not in by_member:
            names = [*_OWN, *(f"{name}__…" for name in by_member)]
            hint, known = did_you_mean(param, names), ", ".join(names)
            raise BadParameter(f"{NAME} has no parameter {param!r}.{hint} Known: {known}.")
        by_member[member][own] = value
    return by_member


def _preprocessed(member: Any, preprocessing: Preprocessing) -> Estimator:
    if not isinstance(member, SupportsPreprocessing):
        raise BadTrainingConfig(f"{type(member).__name__} preprocesses its tracks itself.")
    return member.with_preprocessing(preprocessing)


def _binary_labels(labels: Labels, genre: str) -> Labels:
    return np.where(labels == genre, _YES, _NO)
