"""`cnn`: convolutions over what a track sounds like from moment to moment, beside `mlp`."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from sklearn.utils._param_validation import Interval

from classifier.estimators import mlp
from classifier.estimators.dataframe_classifier import with_params
from classifier.estimators.late_fusion import require_torch
from classifier.estimators.mlp import MLP
from classifier.features.groups import MATRICES
from classifier.features.sequences import CHANNELS, SequenceEncoder
from classifier.ports import Labels
from classifier.training_config import FEATURE_GROUPS

if TYPE_CHECKING:
    from torch import nn

    from classifier.deep.batches import InputBlock


class CNN(MLP):
    """What `MLP` has, and a tower over matrices, joined with the numbers.

    A log-mel spectrogram of a sound file, the segments of an analysis, or both; a track without
    any is told by the other towers, and by the numbers alone in this one.
    """

    feature_groups = FEATURE_GROUPS

    _parameter_constraints: ClassVar[Mapping[str, Any]] = {
        **mlp.PARAMETER_CONSTRAINTS,
        "filters": [list, tuple],
        "joined": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        groups: tuple[str, ...],
        *,
        filters: Sequence[int] = (48, 64, 96, 96),
        joined: int = 128,
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
        super().__init__(
            groups,
            hidden=hidden,
            members=members,
            embedding=embedding,
            dropout=dropout,
            reading_dropout=reading_dropout,
            least_artists=least_artists,
            epochs=epochs,
            patience=patience,
            batch=batch,
            rate=rate,
            decay=decay,
            smoothing=smoothing,
            optimiser=optimiser,
            schedule=schedule,
            class_weight=class_weight,
            random_state=random_state,
        )
        self.filters = filters
        self.joined = joined

    def _learned_parts(self, X: pd.DataFrame, y: Labels) -> "list[InputBlock]":
        if MATRICES in self.groups:
            self.sequences_ = [SequenceEncoder(kind).fit(X) for kind in CHANNELS if kind in X]
        return [*super()._learned_parts(X, y), *self._convolved(X)]

    def _asked_parts(self, X: pd.DataFrame) -> "list[InputBlock]":
        return [*super()._asked_parts(X), *self._convolved(X)]

    def _towers(self) -> "dict[str, nn.Module]":
        from classifier.deep import networks  # torch is slow to import, and an extra

        made = super()._towers()
        if self._hears():
            dense = getattr(self, "dense_", None)
            made["matrix"] = networks.SequenceBranch(
                {one.kind: CHANNELS[one.kind] for one in self.sequences_},
                list(self.filters),
                None
                if dense is None
                else networks.CategoricalEmbedding(dense.width, dense.sizes_, mlp.EMBEDDING_DIM),
                [self.joined],
                self.dropout,
                len(self.classes_),
            )
        return made

    def _heads(self) -> Mapping[str, Sequence[str]]:
        heads = dict(super()._heads())
        return {**heads, "matrix": ["matrix"]} if self._hears() else heads

    def _convolved(self, frame: pd.DataFrame) -> "list[InputBlock]":
        from classifier.deep import batches  # torch is slow to import, and an extra

        if not self._hears():
            return []
        return [batches.SequenceBlock(one.transform(frame)) for one in self.sequences_]

    def _hears(self) -> bool:
        return MATRICES in self.groups and bool(self.sequences_)


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - one thread: the figures are the same on every machine
    **params: Any,
) -> CNN:
    """Return networks over the feature groups; raise `MissingExtra` without torch."""
    require_torch()
    made: CNN = with_params(CNN(features, random_state=seed), params)
    return made
