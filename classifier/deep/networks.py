"""Networks that each look at one side of a track: its numbers, its text, its figures over time.

They share nothing but the training. Joined at their inputs they would learn the artists by heart;
what each says is weighed afterwards, on tracks that nobody learned from.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

Batch = dict[str, Any]
"""Inputs by name, one row per track."""

LEAKY_SLOPE = 0.01
"""Of LeakyReLU below 0 (Maas et al., ICML 2013)."""


KERNEL_SIZE = 5
"""Steps that a filter sees at once; every layer halves the steps."""
MASK_VALUE = 1e4
"""Below everything that a network says, also in half precision."""


def dense_blocks(inputs: int, hidden: list[int], dropout: float) -> nn.Sequential:
    """Return dense blocks: linear, batch normalisation, LeakyReLU, dropout."""
    layers: list[nn.Module] = []
    for below, above in pairwise([inputs, *hidden]):
        layers += [
            nn.Linear(below, above, bias=False),  # the normalisation has a bias of its own
            nn.BatchNorm1d(above),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.Dropout(dropout),
        ]
    return nn.Sequential(*layers)


class CategoricalEmbedding(nn.Module):  # type: ignore[misc]  # untyped there
    """Numbers beside embeddings of the categories."""

    def __init__(self, width: int, sizes: list[int], dim: int) -> None:
        super().__init__()
        self.width = width + dim * len(sizes)
        self.embeddings = nn.ModuleList(nn.Embedding(size, dim) for size in sizes)

    def forward(self, values: Tensor, codes: Tensor) -> Tensor:
        """Return (tracks, `width`)."""
        looked_up = [one(codes[:, place]) for place, one in enumerate(self.embeddings)]
        return torch.cat([values, *looked_up], dim=1)


class DenseBranch(nn.Module):  # type: ignore[misc]  # untyped there
    """Dense blocks over the numbers and categories of a track."""

    def __init__(
        self, width: int, sizes: list[int], dim: int, hidden: list[int], dropout: float, out: int
    ) -> None:
        super().__init__()
        self.inputs = CategoricalEmbedding(width, sizes, dim)
        self.blocks = dense_blocks(self.inputs.width, hidden, dropout)
        self.head = nn.Linear(hidden[-1], out)

    def forward(self, batch: Batch) -> Tensor:
        """Return (tracks, genres)."""
        found: Tensor = self.head(self.blocks(self.inputs(batch["values"], batch["codes"])))
        return found


class TextBranch(nn.Module):  # type: ignore[misc]  # untyped there
    """The mean of what the pieces of a text are embedded as, read off linearly."""

    def __init__(self, name: str, pieces: int, dim: int, dropout: float, out: int) -> None:
        super().__init__()
        self.name = name
        self.dropped = dropout
        self.bag = nn.EmbeddingBag(max(pieces, 1), dim, mode="sum")
        self.head = nn.Linear(dim, out)
        nn.init.normal_(self.bag.weight, std=dim**-0.5)

    def forward(self, batch: Batch) -> Tensor:
        """Return (tracks, genres)."""
        bags = batch[self.name]
        weights = nn.functional.dropout(bags.weights, self.dropped, training=self.training)
        found: Tensor = self.head(self.bag(bags.indices, bags.offsets, per_sample_weights=weights))
        return found


class Branches(nn.Module):  # type: ignore[misc]  # untyped there
    """All towers of a model, side by side."""

    def __init__(self, towers: dict[str, nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(towers)

    def forward(self, **batch: Any) -> dict[str, Tensor]:
        """Return what each tower says: (tracks, genres) by its name."""
        return {name: tower(batch) for name, tower in self.branches.items()}


class ConvEncoder(nn.Module):  # type: ignore[misc]  # untyped there
    """Convolutions over time, then mean, maximum and attention over all steps there are."""

    def __init__(self, channels: int, filters: list[int], dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(below, above, KERNEL_SIZE, padding=KERNEL_SIZE // 2, bias=False),
                nn.BatchNorm1d(above),
                nn.LeakyReLU(LEAKY_SLOPE),
                nn.MaxPool1d(2, ceil_mode=True),
                nn.Dropout(dropout),
            )
            for below, above in pairwise([channels, *filters])
        )
        self.attention = nn.Linear(filters[-1], 1)
        self.width = 3 * filters[-1] + 1

    def forward(self, found: Tensor, steps: Tensor) -> Tensor:
        """Return (tracks, `width`) of (tracks, channels, steps); zeros for a track without any."""
        for layer in self.layers:
            found = layer(found)
            steps = (steps + 1) // 2
        at = torch.arange(found.shape[2], device=found.device)
        there = at[None, :] < steps[:, None]
        heard = (steps > 0).to(found.dtype)[:, None]
        found = found.transpose(1, 2)
        gone = ~there[:, :, None]
        mean = found.masked_fill(gone, 0).sum(dim=1) / steps.clamp(min=1)[:, None]
        highest = found.masked_fill(gone, -MASK_VALUE).amax(dim=1)
        heed = self.attention(found).masked_fill(gone, -MASK_VALUE).softmax(dim=1)
        attended = (found * heed).sum(dim=1)
        pooled = torch.cat([mean, highest, attended], dim=1)
        return torch.cat([pooled.masked_fill(heard == 0, 0), heard], dim=1)


class SequenceBranch(nn.Module):  # type: ignore[misc]  # untyped there
    """Matrices over time, each kind convolved and pooled, joined with the track's numbers."""

    def __init__(
        self,
        kinds: dict[str, int],
        filters: list[int],
        coded: CategoricalEmbedding | None,
        hidden: list[int],
        dropout: float,
        out: int,
    ) -> None:
        super().__init__()
        self.kinds = list(kinds)
        self.convolved = nn.ModuleList(
            ConvEncoder(channels, filters, dropout) for channels in kinds.values()
        )
        self.coded = coded
        width = sum(one.width for one in self.convolved) + (coded.width if coded else 0)
        self.blocks = dense_blocks(width, hidden, dropout)
        self.head = nn.Linear(hidden[-1], out)

    def forward(self, batch: Batch) -> Tensor:
        """Return (tracks, genres)."""
        heard = [
            one(batch[kind], batch[f"{kind}_steps"])
            for kind, one in zip(self.kinds, self.convolved, strict=True)
        ]
        if self.coded is not None:
            heard.append(self.coded(batch["values"], batch["codes"]))
        found: Tensor = self.head(self.blocks(torch.cat(heard, dim=1)))
        return found
