"""`cnn`: `mlp`, and 1-d convolutions over log-mel spectrograms and analysis segments."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from sklearn.utils._param_validation import Interval

from classifier.estimators import mlp
from classifier.estimators.late_fusion import network_factory
from classifier.estimators.mlp import MLP
from classifier.features.groups import MATRICES
from classifier.features.sequences import CHANNELS, SequenceEncoder
from classifier.training_config import FEATURE_GROUPS

if TYPE_CHECKING:
    from torch import nn

    from classifier.deep.batches import InputBlock


@dataclass(eq=False, repr=False)
class CNN(MLP):
    """`MLP`, and a network over matrices that are joined with the numbers.

    A log-mel spectrogram of an audio file, the segments of an analysis, or both. A track without
    any is predicted by the other networks, and by its numbers alone in this one.
    """

    feature_groups = FEATURE_GROUPS

    _parameter_constraints: ClassVar[Mapping[str, Any]] = {
        **mlp.PARAMETER_CONSTRAINTS,
        "filters": [list, tuple],
        "fusion_units": [Interval(Integral, 1, None, closed="left")],
    }

    _: KW_ONLY
    filters: Sequence[int] = (48, 64, 96, 96)
    fusion_units: int = 128

    def _blocks(self, X: pd.DataFrame, *, fit: bool = False) -> "list[InputBlock]":
        from classifier.deep import batches  # torch is slow to import, and an extra

        if fit:
            chosen = [kind for kind in CHANNELS if kind in X] if MATRICES in self.groups else []
            self.sequences_ = [SequenceEncoder(kind).fit(X) for kind in chosen]
        sequences = [batches.SequenceBlock.of(encoder.transform(X)) for encoder in self.sequences_]
        return [*super()._blocks(X, fit=fit), *sequences]

    def _branches(self) -> "dict[str, nn.Module]":
        from classifier.deep import networks  # torch is slow to import, and an extra

        branches = super()._branches()
        if self.sequences_:
            dense, dim = getattr(self, "dense_", None), mlp.CATEGORY_EMBEDDING_DIM
            branches["matrix"] = networks.SequenceBranch(
                {encoder.kind: CHANNELS[encoder.kind] for encoder in self.sequences_},
                list(self.filters),
                dense and networks.CategoricalEmbedding(dense.width, dense.sizes_, dim),
                [self.fusion_units],
                self.dropout,
                len(self.classes_),
            )
        return branches

    def _branches_by_score(self) -> Mapping[str, Sequence[str]]:
        by_score = super()._branches_by_score()
        return {**by_score, "matrix": ["matrix"]} if self.sequences_ else by_score


make = network_factory(CNN)
