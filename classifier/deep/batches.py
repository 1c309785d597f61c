"""Mini-batches of tracks: a torch Dataset whose arrays stay in numpy until a batch is made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor
from torch.utils.data import Dataset

from classifier.features.dense_inputs import DenseInputs
from classifier.features.groups import TEXT
from classifier.features.ngram_bags import NgramBags
from classifier.features.sequences import PackedSequences

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BagTensors:
    """N-gram bags, one per track, concatenated; named as `torch.nn.EmbeddingBag` does."""

    indices: Tensor
    weights: Tensor
    """One per index."""
    offsets: Tensor
    """Where each bag begins."""

    def __len__(self) -> int:
        return len(self.offsets)

    def to(self, device: str) -> "BagTensors":
        """Return the tensors on another device."""
        return BagTensors(
            self.indices.to(device), self.weights.to(device), self.offsets.to(device)
        )


Input: TypeAlias = Tensor | BagTensors

_PREDICTION_BATCH, _SEQUENCE_PREDICTION_BATCH = 2_000, 64
"""Tracks predicted at once, without and with sequences."""


class InputBlock(Protocol):
    """One group of inputs of all tracks."""

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        """Return the inputs of some tracks by name."""
        ...


class DenseBlock:
    """Numbers (`values`) and category codes (`codes`)."""

    def __init__(self, dense: DenseInputs) -> None:
        self._dense = dense

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        return {
            "values": torch.from_numpy(self._dense.values[rows]),
            "codes": torch.from_numpy(self._dense.codes[rows]),
        }


class BagBlock:
    """The n-gram bags of one text column, under its name."""

    def __init__(self, name: str, bags: sparse.csr_matrix) -> None:
        self._name, self._bags = name, bags

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        chosen = self._bags[rows]
        bags = BagTensors(
            torch.from_numpy(chosen.indices.astype(np.int64)),
            torch.from_numpy(chosen.data.astype(np.float32)),
            torch.from_numpy(chosen.indptr[:-1].astype(np.int64)),
        )
        return {self._name: bags}


class SequenceBlock:
    """Sequences of one kind, padded to the longest, and the number of steps of each track."""

    def __init__(self, sequences: PackedSequences) -> None:
        self._sequences = sequences

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        values, steps = self._sequences.batch(rows)
        kind = self._sequences.kind
        return {kind: torch.from_numpy(values), f"{kind}_steps": torch.from_numpy(steps)}


class WeightBlock:
    """The weight (`weights`) of each track as a training example of text."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self._weights = weights

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        return {"weights": torch.from_numpy(self._weights[rows])}


class TrackDataset(Dataset[Any]):  # type: ignore[misc]  # untyped there
    """Tracks to train on, or to predict."""

    def __init__(self, blocks: list[InputBlock], codes: Rows) -> None:
        """`codes` are the class codes of the tracks' genres."""
        self.blocks = blocks
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def prediction_batch_size(self) -> int:
        """Return how many tracks to predict at once: few, where they take much memory."""
        long = any(isinstance(block, SequenceBlock) for block in self.blocks)
        return _SEQUENCE_PREDICTION_BATCH if long else _PREDICTION_BATCH

    def batch(self, rows: Rows) -> tuple[dict[str, Input], Tensor]:
        """Return inputs and class codes of some tracks."""
        inputs = {
            name: value for block in self.blocks for name, value in block.batch(rows).items()
        }
        return inputs, torch.from_numpy(self.codes[rows])


class BatchIterator:
    """Iterate over the tracks in batches of about `batch_size`, all of about one size."""

    def __init__(self, dataset: TrackDataset, batch_size: int, *, shuffle: bool = False) -> None:
        self._dataset, self._shuffle = dataset, shuffle
        self._count = max(1, len(dataset) // batch_size)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[dict[str, Input], Tensor]]:
        size = len(self._dataset)
        order = torch.randperm(size).numpy() if self._shuffle else np.arange(size)
        for rows in np.array_split(order, self._count):
            yield self._dataset.batch(rows)


def text_blocks(ngrams: NgramBags) -> list[InputBlock]:
    """Return the inputs of the text branches."""
    bags = [BagBlock(name, column) for name, column in zip(TEXT, ngrams.bags, strict=True)]
    return [*bags, WeightBlock(ngrams.weights)]
