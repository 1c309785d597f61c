"""Neural network modules: dense layers over numbers, n-gram embeddings, 1-d convolutions (CNN).

Every branch sees one part of a track, and they share nothing but the training loop. Joined at
their inputs they would memorise the artists; instead their scores are pooled afterwards, with
weights fitted on tracks that none was trained on.

Weights are stored as safetensors: names, shapes and numbers, never code.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from classifier.errors import BrokenArtifact
from genrebase.errors import as_clause

Batch = dict[str, Any]
"""Inputs by name, one row per track."""

LEAKY_SLOPE = 0.01
"""Of LeakyReLU below 0 (Maas et al., ICML 2013)."""
KERNEL_SIZE = 5
"""Steps per filter; every layer halves the steps."""
MASK_VALUE = 1e4
"""Greater than any activation, also in half precision."""


def dense_blocks(inputs: int, hidden: list[int], dropout: float) -> nn.Sequential:
    """Return blocks of linear layer, batch normalisation, LeakyReLU and dropout."""
    layers: list[nn.Module] = []
    for below, above in pairwise([inputs, *hidden]):
        layers += [
            nn.Linear(below, above, bias=False),  # batch normalisation has a bias of its own
            nn.BatchNorm1d(above),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.Dropout(dropout),
        ]
    return nn.Sequential(*layers)


class CategoricalEmbedding(nn.Module):  # type: ignore[misc]  # untyped there
    """Concatenate numbers and an embedding of each category."""

    def __init__(self, width: int, sizes: list[int], dim: int) -> None:
        """Take `width` numbers and a category per entry of `sizes`, embedded in `dim` numbers."""
        super().__init__()
        self.width = width + dim * len(sizes)
        self.embeddings = nn.ModuleList(nn.Embedding(size, dim) for size in sizes)

    def forward(self, values: Tensor, codes: Tensor) -> Tensor:
        """Return (tracks, `width`)."""
        embedded = [layer(codes[:, place]) for place, layer in enumerate(self.embeddings)]
        return torch.cat([values, *embedded], dim=1)


class DenseBranch(nn.Module):  # type: ignore[misc]  # untyped there
    """Dense blocks over the numbers and categories of a track."""

    def __init__(
        self, inputs: CategoricalEmbedding, hidden: list[int], dropout: float, genres: int
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.blocks = dense_blocks(inputs.width, hidden, dropout)
        self.head = nn.Linear(hidden[-1], genres)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (tracks, genres)."""
        logits: Tensor = self.head(self.blocks(self.inputs(batch["values"], batch["codes"])))
        return logits


class TextBranch(nn.Module):  # type: ignore[misc]  # untyped there
    """A weighted sum of n-gram embeddings and a linear layer."""

    def __init__(self, name: str, ngrams: int, dim: int, dropout: float, genres: int) -> None:
        super().__init__()
        self.name = name
        self.dropout = dropout
        self.bag = nn.EmbeddingBag(max(ngrams, 1), dim, mode="sum")
        self.head = nn.Linear(dim, genres)
        nn.init.normal_(self.bag.weight, std=dim**-0.5)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (tracks, genres)."""
        bags = batch[self.name]
        weights = nn.functional.dropout(bags.weights, self.dropout, training=self.training)
        embedded = self.bag(bags.indices, bags.offsets, per_sample_weights=weights)
        logits: Tensor = self.head(embedded)
        return logits


class Branches(nn.Module):  # type: ignore[misc]  # untyped there
    """All networks of a model, side by side."""

    def __init__(self, branches: dict[str, nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(branches)

    def forward(self, **batch: Any) -> dict[str, Tensor]:
        """Return the logits (tracks, genres) of each branch by its name."""
        return {name: branch(batch) for name, branch in self.branches.items()}


class ConvEncoder(nn.Module):  # type: ignore[misc]  # untyped there
    """Convolutions over time, then mean, maximum and attention pooling over the valid steps."""

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

    def forward(self, sequences: Tensor, steps: Tensor) -> Tensor:
        """Return (tracks, `width`) of (tracks, channels, steps); zeros for a track without any."""
        for layer in self.layers:
            sequences = layer(sequences)
            steps = (steps + 1) // 2
        positions = torch.arange(sequences.shape[2], device=sequences.device)
        padding = ~(positions[None, :] < steps[:, None])[:, :, None]
        present = (steps > 0).to(sequences.dtype)[:, None]
        sequences = sequences.transpose(1, 2)
        mean = sequences.masked_fill(padding, 0).sum(dim=1) / steps.clamp(min=1)[:, None]
        maximum = sequences.masked_fill(padding, -MASK_VALUE).amax(dim=1)
        attention = self.attention(sequences).masked_fill(padding, -MASK_VALUE).softmax(dim=1)
        attended = (sequences * attention).sum(dim=1)
        pooled = torch.cat([mean, maximum, attended], dim=1)
        return torch.cat([pooled.masked_fill(present == 0, 0), present], dim=1)


class SequenceBranch(nn.Module):  # type: ignore[misc]  # untyped there
    """A `ConvEncoder` per kind of matrix, joined with the track's numbers in dense blocks."""

    def __init__(
        self,
        channels: dict[str, int],
        filters: list[int],
        numbers: CategoricalEmbedding | None,
        hidden: list[int],
        dropout: float,
        genres: int,
    ) -> None:
        super().__init__()
        self.kinds = list(channels)
        self.encoders = nn.ModuleList(
            ConvEncoder(count, filters, dropout) for count in channels.values()
        )
        self.numbers = numbers
        width = sum(one.width for one in self.encoders) + (numbers.width if numbers else 0)
        self.blocks = dense_blocks(width, hidden, dropout)
        self.head = nn.Linear(hidden[-1], genres)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (tracks, genres)."""
        encoded = [
            encoder(batch[kind], batch[f"{kind}_steps"])
            for kind, encoder in zip(self.kinds, self.encoders, strict=True)
        ]
        if self.numbers is not None:
            encoded.append(self.numbers(batch["values"], batch["codes"]))
        logits: Tensor = self.head(self.blocks(torch.cat(encoded, dim=1)))
        return logits


def serialise(module: nn.Module) -> NDArray[np.uint8]:
    """Return the weights of a module."""
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    return np.frombuffer(save(tensors), dtype=np.uint8).copy()


def load_weights(module: nn.Module, data: NDArray[np.uint8]) -> None:
    """Set the weights of a module; raise `BrokenArtifact` where they do not fit it."""
    try:
        tensors: dict[str, Any] = load(data.tobytes())
        module.load_state_dict(tensors)
    except (SafetensorError, RuntimeError) as error:
        raise BrokenArtifact(f"The weights do not fit the network: {as_clause(error)}.") from error
