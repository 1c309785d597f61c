"""`voting`: an answer averaged over models: one per genre, or several that are asked the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from classifier import estimators
from classifier.data import soft_labels
from classifier.data.soft_labels import SupportsSampleWeight, TrainingSet
from classifier.errors import BadParameter, BadTrainingConfig
from classifier.features import groups
from classifier.ports import (
    Estimator,
    Labels,
    SupportsPreprocessing,
    UsesFeatureGroups,
    Validation,
)
from classifier.training_config import FEATURE_GROUPS, Preprocessing
from genrebase.runtime import plugins

Floats = NDArray[np.float64]

NAME: Final = "voting"
DEFAULT_MEMBER: Final = "logistic"
"""Asked about each genre where no member is named: 113 of them take the least time."""
_YES: Final = "yes"
_NO: Final = "no"
_OWN: Final = ("member", "members", "weights", "by_genre")
_TINY: Final = float(np.finfo(np.float64).tiny)


class OneVersusRest(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Ask a copy of `member` about each genre, yes or no, and share out what the yeses come to.

    Each copy prepares the tracks for its own question: SMOTE or weights make the tracks of the
    genre count as much as all others together. `others` are asked in its place about their genre.
    """

    def __init__(self, member: Any, others: Mapping[str, Any] | None = None) -> None:
        self.member = member
        self.others = others

    @property
    def feature_groups(self) -> tuple[str, ...]:
        """Return the feature groups that the member looks at."""
        return _read_by([self.member])

    @property
    def supports_sample_weight(self) -> bool:
        """Tell whether the members can let a track count less than another."""
        return _weigh([self.member, *(self.others or {}).values()])

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        weights: Floats | None = None,
    ) -> Self:
        """Learn one question after another; `validation` is asked the same questions.

        `weights` are what each row counts.
        """
        self.classes_ = np.unique(y)
        learning = TrainingSet(X, y, weights)
        self.members_ = [self._asked(genre, learning, validation) for genre in self.classes_]
        return self

    def binary_proba(self, X: pd.DataFrame) -> Floats:
        """Return per row and genre the probability of yes; rows need not sum to 1."""
        check_is_fitted(self)
        return np.column_stack(
            [member.predict_proba(X)[:, member.classes_ == _YES] for member in self.members_]
        )

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, one row per row of `X`, summing to 1."""
        shares = np.maximum(self.binary_proba(X), _TINY)  # all may say no
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def with_preprocessing(self, preparation: Preprocessing) -> "OneVersusRest":
        """Return the same with a member that prepares its tracks as was chosen."""
        others = self.others or {}
        return OneVersusRest(
            _prepared(self.member, preparation),
            {genre: _prepared(one, preparation) for genre, one in others.items()} or None,
        )

    def _asked(
        self, genre: str, learning: TrainingSet, validation: Validation | None
    ) -> Estimator:
        held = None if validation is None else (validation[0], _answers(validation[1], genre))
        fresh: Estimator = clone((self.others or {}).get(genre, self.member))
        return soft_labels.fit(
            fresh, replace(learning, labels=_answers(learning.labels, genre)), held
        )


class SoftVote(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Average the probabilities of `members`, each counting as its weight says (None: alike)."""

    def __init__(self, members: Sequence[Any], weights: Sequence[float] | None = None) -> None:
        self.members = members
        self.weights = weights

    @property
    def feature_groups(self) -> tuple[str, ...]:
        """Return the feature groups that a member looks at."""
        return _read_by(self.members)

    @property
    def supports_sample_weight(self) -> bool:
        """Tell whether the members can let a track count less than another."""
        return _weigh(self.members)

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        weights: Floats | None = None,
    ) -> Self:
        """Let every member learn; `weights` are what each row counts."""
        self.classes_ = np.unique(y)
        learning = TrainingSet(X, y, weights)
        self.members_ = [
            soft_labels.fit(clone(member), learning, validation) for member in self.members
        ]
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, one row per row of `X`, summing to 1."""
        check_is_fitted(self)
        told = [member.predict_proba(X) for member in self.members_]
        return np.asarray(np.average(told, axis=0, weights=self.weights))

    def with_preprocessing(self, preparation: Preprocessing) -> "SoftVote":
        """Return the same with members that all prepare their tracks as was chosen."""
        return SoftVote([_prepared(one, preparation) for one in self.members], self.weights)


def make(
    *, features: tuple[str, ...], seed: int, threads: int, **params: Any
) -> OneVersusRest | SoftVote:
    """Return a vote of one model per genre (`member=NAME`), or of several (`members=[NAME,…]`).

    `weights` are those of the named members. A member's own parameters are written
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
    own = _shared_out(params, names)
    by_genre = _by_genre(params.get("by_genre"), named)

    def member(name: Any, told: dict[str, Any]) -> Any:
        if name == NAME:
            raise BadParameter(f"{NAME} cannot be a member of itself.")
        factory = plugins.load(estimators.GROUP, str(name))
        return factory(features=features, seed=seed, threads=threads, **told)

    made = [member(name, own[name]) for name in names]
    if named is not None:
        return SoftVote(made, weights)
    (name,) = names
    others = {genre: member(name, {**own[name], **told}) for genre, told in by_genre.items()}
    return OneVersusRest(made[0], others or None)


def _named(members: Any) -> bool:
    return (
        isinstance(members, list)
        and bool(members)
        and all(isinstance(one, str) for one in members)
    )


def _by_genre(told: Any, members: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    if told is None:
        return {}
    if members is not None:
        raise BadParameter("`by_genre` is for one model per genre: name `member`, not `members`.")
    if not isinstance(told, dict) or not all(isinstance(own, dict) for own in told.values()):
        raise BadParameter('`by_genre` names parameters by genre, as in {"metal":{"C":0.5}}.')
    return told


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


def _shared_out(params: dict[str, Any], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return every member's own parameters."""
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for param, value in params.items():
        member, split, own = param.partition("__")
        if param in _OWN:
            continue
        if not split or member not in found:
            known = [*_OWN, *(f"{name}__…" for name in found)]
            near = get_close_matches(param, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise BadParameter(
                f"{NAME} has no parameter {param!r}.{hint} Known: {', '.join(known)}."
            )
        found[member][own] = value
    return found


def _prepared(member: Any, preparation: Preprocessing) -> Estimator:
    if not isinstance(member, SupportsPreprocessing):
        raise BadTrainingConfig(f"{type(member).__name__} prepares its tracks itself.")
    return member.with_preprocessing(preparation)


def _read_by(members: Sequence[Any]) -> tuple[str, ...]:
    read = {
        group
        for member in members
        for group in (
            member.feature_groups
            if isinstance(member, UsesFeatureGroups)
            else groups.NUMERIC_GROUPS
        )
    }
    return tuple(group for group in FEATURE_GROUPS if group in read)


def _weigh(members: Sequence[Any]) -> bool:
    return all(
        isinstance(one, SupportsSampleWeight) and one.supports_sample_weight for one in members
    )


def _answers(labels: Labels, genre: str) -> Labels:
    return np.where(labels == genre, _YES, _NO)
