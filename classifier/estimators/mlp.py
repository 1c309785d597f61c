"""`mlp`: dense networks over numbers and n-gram embeddings of text, pooled by late fusion."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pandas as pd
from sklearn.utils._param_validation import Interval

from classifier.estimators import late_fusion
from classifier.estimators.late_fusion import LateFusionNetworks, network_factory
from classifier.features.dense_inputs import DenseEncoder
from classifier.features.groups import COLUMN_GROUPS, TEXT, numeric_groups
from classifier.features.ngram_bags import MIN_ARTISTS, NgramBagEncoder

if TYPE_CHECKING:
    from torch import nn

    from classifier.deep.batches import InputBlock

CATEGORY_EMBEDDING_DIM: Final = 4
"""Dimensions of the embedding of a key, a mode or a time signature."""

PARAMETER_CONSTRAINTS: Final[Mapping[str, Any]] = {
    **late_fusion.PARAMETER_CONSTRAINTS,
    "hidden_layer_sizes": [list, tuple],
    "n_networks": [Interval(Integral, 1, None, closed="left")],
    "embedding_dim": [Interval(Integral, 1, None, closed="left")],
    "token_dropout": [Interval(Real, 0, 1, closed="left")],
    "min_artists": [Interval(Integral, 1, None, closed="left")],
}
"""scikit-learn's validation rules of the parameters."""


@dataclass(eq=False, repr=False)
class MLP(LateFusionNetworks):
    """Dense networks over numbers and categories, and one network per text column."""

    feature_groups = COLUMN_GROUPS
    libraries = ("torch",)

    _parameter_constraints: ClassVar[Mapping[str, Any]] = PARAMETER_CONSTRAINTS

    _: KW_ONLY
    hidden_layer_sizes: Sequence[int] = (256, 128)
    n_networks: int = 4
    embedding_dim: int = 32
    dropout: float = 0.2
    token_dropout: float = 0.3
    min_artists: int = MIN_ARTISTS

    def _blocks(self, X: pd.DataFrame, *, fit: bool = False) -> "list[InputBlock]":
        from classifier.deep import batches  # torch is slow to import, and an extra

        blocks: list[InputBlock] = []
        if numeric_groups(self.groups):
            if fit:
                self.dense_ = DenseEncoder(numeric_groups(self.groups)).fit(X)
            blocks.append(batches.TensorBlock.of_dense(self.dense_.transform(X)))
        if "text" in self.groups:
            if fit:
                self.ngrams_ = NgramBagEncoder(self.min_artists)
            bags = self.ngrams_.fit_transform(X) if fit else self.ngrams_.transform(X)
            blocks += batches.text_blocks(bags)
        return blocks

    def _branches(self) -> "dict[str, nn.Module]":
        from classifier.deep import networks  # torch is slow to import, and an extra

        genres = len(self.classes_)
        branches: dict[str, nn.Module] = {}
        if numeric_groups(self.groups):
            for name in MLP._branches_by_score(self)["sound"]:
                branches[name] = networks.DenseBranch(
                    networks.CategoricalEmbedding(
                        self.dense_.width, self.dense_.sizes_, CATEGORY_EMBEDDING_DIM
                    ),
                    list(self.hidden_layer_sizes),
                    self.dropout,
                    genres,
                )
        if "text" in self.groups:
            for name, buckets in zip(TEXT, self.ngrams_.buckets_, strict=True):
                branches[name] = networks.TextBranch(
                    name, len(buckets), self.embedding_dim, self.token_dropout, genres
                )
        return branches

    def _branches_by_score(self) -> Mapping[str, Sequence[str]]:
        by_score: dict[str, Sequence[str]] = {}
        if numeric_groups(self.groups):
            by_score["sound"] = [f"sound_{number}" for number in range(self.n_networks)]
        if "text" in self.groups:
            by_score |= {name: [name] for name in TEXT}
        return by_score


make = network_factory(MLP)
