"""`mlp`: dense networks over the numbers and networks that read, each pooled by its worth."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pandas as pd
from sklearn.utils._param_validation import Interval

from classifier.estimators import late_fusion
from classifier.estimators.dataframe_classifier import with_params
from classifier.estimators.late_fusion import LateFusionNetworks, require_torch
from classifier.features.dense_inputs import DenseEncoder
from classifier.features.groups import COLUMN_GROUPS, TEXT, numeric_groups
from classifier.features.ngram_bags import NgramBagEncoder
from classifier.ports import Labels

if TYPE_CHECKING:
    from torch import nn

    from classifier.deep.batches import InputBlock

EMBEDDING_DIM: Final = 4
"""Numbers that a key, a mode or a time signature is embedded as."""

PARAMETER_CONSTRAINTS: Final[Mapping[str, Any]] = {
    **late_fusion.PARAMETER_CONSTRAINTS,
    "hidden": [list, tuple],
    "members": [Interval(Integral, 1, None, closed="left")],
    "embedding": [Interval(Integral, 1, None, closed="left")],
    "reading_dropout": [Interval(Real, 0, 1, closed="left")],
    "least_artists": [Interval(Integral, 1, None, closed="left")],
}
"""What scikit-learn checks the parameters by."""


class MLP(LateFusionNetworks):
    """Dense towers over numbers and categories, and one tower for each column of text."""

    feature_groups = COLUMN_GROUPS
    libraries = ("torch",)

    _parameter_constraints: ClassVar[Mapping[str, Any]] = PARAMETER_CONSTRAINTS

    def __init__(
        self,
        groups: tuple[str, ...],
        *,
        hidden: Sequence[int] = (256, 128),
        members: int = 4,
        embedding: int = 32,
        dropout: float = 0.2,
        reading_dropout: float = 0.3,
        least_artists: int = 3,
        epochs: int = 15,
        patience: int = 4,
        batch: int | None = None,
        rate: float = 4e-3,
        decay: float = 0.05,
        smoothing: float = 0.0,
        optimiser: str = "adamw",
        schedule: str = "cosine",
        class_weight: str | None = None,
        random_state: int = 0,
    ) -> None:
        self.groups = groups
        self.hidden = hidden
        self.members = members
        self.embedding = embedding
        self.dropout = dropout
        self.reading_dropout = reading_dropout
        self.least_artists = least_artists
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.rate = rate
        self.decay = decay
        self.smoothing = smoothing
        self.optimiser = optimiser
        self.schedule = schedule
        self.class_weight = class_weight
        self.random_state = random_state

    def _learned_parts(self, X: pd.DataFrame, y: Labels) -> "list[InputBlock]":  # noqa: ARG002 - scikit-learn's names
        from classifier.deep import batches  # torch is slow to import, and an extra

        parts: list[InputBlock] = []
        if numeric_groups(self.groups):
            self.dense_ = DenseEncoder(numeric_groups(self.groups))
            parts.append(batches.DenseBlock(self.dense_.fit_transform(X)))
        if "text" in self.groups:
            self.words_ = NgramBagEncoder(self.least_artists)
            parts += batches.text_blocks(self.words_.fit_transform(X))
        return parts

    def _asked_parts(self, X: pd.DataFrame) -> "list[InputBlock]":
        from classifier.deep import batches  # torch is slow to import, and an extra

        parts: list[InputBlock] = []
        if numeric_groups(self.groups):
            parts.append(batches.DenseBlock(self.dense_.transform(X)))
        if "text" in self.groups:
            parts += batches.text_blocks(self.words_.transform(X))
        return parts

    def _network(self) -> "nn.Module":
        from classifier.deep import networks  # torch is slow to import, and an extra

        return networks.Branches(self._towers())

    def _towers(self) -> "dict[str, nn.Module]":
        from classifier.deep import networks  # torch is slow to import, and an extra

        genres, made = len(self.classes_), {}
        if numeric_groups(self.groups):
            for name in MLP._heads(self)["sound"]:
                made[name] = networks.DenseBranch(
                    self.dense_.width,
                    self.dense_.sizes_,
                    EMBEDDING_DIM,
                    list(self.hidden),
                    self.dropout,
                    genres,
                )
        if "text" in self.groups:
            for name, known in zip(TEXT, self.words_.known_, strict=True):
                made[name] = networks.TextBranch(
                    name, len(known), self.embedding, self.reading_dropout, genres
                )
        return made

    def _heads(self) -> Mapping[str, Sequence[str]]:
        heads: dict[str, Sequence[str]] = {}
        if numeric_groups(self.groups):
            heads["sound"] = [f"sound_{place}" for place in range(self.members)]
        if "text" in self.groups:
            heads |= {name: [name] for name in TEXT}
        return heads


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - one thread: the figures are the same on every machine
    **params: Any,
) -> MLP:
    """Return networks over the feature groups; raise `MissingExtra` without torch."""
    require_torch()
    made: MLP = with_params(MLP(features, random_state=seed), params)
    return made
