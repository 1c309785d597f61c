"""Mini-batches of tracks: a torch Dataset whose inputs are tensors on the device of the network.

A batch is made by indexing: no loop over tracks, and no copy between devices.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from classifier.features.sequences import Sequences

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
    """One group of inputs of all tracks, as tensors on one device."""

    def batch(self, rows: Tensor) -> Mapping[str, Input]:
        """Return the inputs of some tracks by name; `rows` are on the same device."""

    def to(self, device: str) -> "InputBlock":
        """Return the block with its tensors on another device."""


@dataclass(frozen=True, slots=True)
class TensorBlock:
    """Inputs with one row per track, by name."""

    tensors: Mapping[str, Tensor]

    @classmethod
    def of_dense(cls, dense: DenseInputs) -> "TensorBlock":
        """Take numbers (`values`) and category codes (`codes`)."""
        values, codes = torch.from_numpy(dense.values), torch.from_numpy(dense.codes)
        return cls({"values": values, "codes": codes})

    def batch(self, rows: Tensor) -> Mapping[str, Input]:
        return {name: tensor[rows] for name, tensor in self.tensors.items()}

    def to(self, device: str) -> "TensorBlock":
        return TensorBlock({name: tensor.to(device) for name, tensor in self.tensors.items()})


@dataclass(frozen=True, slots=True)
class BagBlock:
    """The n-gram bags of one text column, under its name."""

    name: str
    indices: Tensor
    weights: Tensor
    ends: Tensor
    """Where the bag of each track ends, after a 0."""

    @classmethod
    def of(cls, name: str, bags: sparse.csr_matrix) -> "BagBlock":
        """Take a sparse matrix (tracks, n-grams) of weights."""
        return cls(
            name,
            torch.from_numpy(bags.indices.astype(np.int64)),
            torch.from_numpy(bags.data.astype(np.float32)),
            torch.from_numpy(bags.indptr.astype(np.int64)),
        )

    def batch(self, rows: Tensor) -> Mapping[str, Input]:
        places, offsets = _places_of_ranges(self.ends[rows], self.ends[rows + 1])
        return {self.name: BagTensors(self.indices[places], self.weights[places], offsets)}

    def to(self, device: str) -> "BagBlock":
        tensors = (tensor.to(device) for tensor in (self.indices, self.weights, self.ends))
        return BagBlock(self.name, *tensors)


@dataclass(frozen=True, slots=True)
class SequenceBlock:
    """Sequences of one kind, padded to the longest, and the number of steps of each track."""

    kind: str
    values: Tensor
    """(steps of all tracks, channels), float16."""
    ends: Tensor
    """Where the sequence of each track ends, after a 0."""
    means: Tensor
    scales: Tensor

    @classmethod
    def of(cls, sequences: Sequences) -> "SequenceBlock":
        """Take the sequences of all tracks."""
        return cls(
            sequences.kind,
            torch.from_numpy(sequences.values),
            torch.from_numpy(sequences.ends),
            torch.from_numpy(sequences.means),
            torch.from_numpy(sequences.scales),
        )

    def batch(self, rows: Tensor) -> Mapping[str, Input]:
        """Return (tracks, channels, steps), 0 after their end, and their steps.

        A track without any has 0 steps; the array has one at least.
        """
        places, offsets = _places_of_ranges(self.ends[rows], self.ends[rows + 1])
        steps = self.ends[rows + 1] - self.ends[rows]
        longest = max(1, int(steps.max())) if len(rows) else 1
        device = self.values.device
        track_of_each = torch.repeat_interleave(torch.arange(len(rows), device=device), steps)
        step_of_each = torch.arange(len(places), device=device) - offsets[track_of_each]
        standardised = (self.values[places].float() - self.means) / self.scales
        padded = torch.zeros((len(rows), longest, len(self.means)), device=device)
        padded[track_of_each, step_of_each] = standardised
        return {self.kind: padded.transpose(1, 2).contiguous(), f"{self.kind}_steps": steps}

    def to(self, device: str) -> "SequenceBlock":
        tensors = (one.to(device) for one in (self.values, self.ends, self.means, self.scales))
        return SequenceBlock(self.kind, *tensors)


def _places_of_ranges(begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Return all places of some ranges, one range after another, and where each range starts."""
    counts = end - begin
    offsets = torch.cumsum(counts, 0) - counts
    total = int(counts.sum())
    shifts = torch.repeat_interleave(begin - offsets, counts, output_size=total)
    return shifts + torch.arange(total, device=begin.device), offsets


class TrackDataset(Dataset[Any]):  # type: ignore[misc]  # untyped there
    """Tracks to train on, or to predict; their inputs are on one device."""

    def __init__(self, blocks: Sequence[InputBlock], codes: Rows | Tensor) -> None:
        """`codes` are the class codes of the tracks' genres."""
        self.blocks = blocks
        self.codes = codes if isinstance(codes, Tensor) else torch.from_numpy(codes)

    def __len__(self) -> int:
        return len(self.codes)

    def to(self, device: str) -> "TrackDataset":
        """Return the tracks with all inputs on another device."""
        if self.codes.device.type == device:
            return self
        return TrackDataset([one.to(device) for one in self.blocks], self.codes.to(device))

    @property
    def prediction_batch_size(self) -> int:
        """Return how many tracks to predict at once: few, where they take much memory."""
        long = any(isinstance(block, SequenceBlock) for block in self.blocks)
        return _SEQUENCE_PREDICTION_BATCH if long else _PREDICTION_BATCH

    def batch(self, rows: Tensor) -> tuple[dict[str, Input], Tensor]:
        """Return inputs and class codes of some tracks."""
        rows = rows.to(self.codes.device)
        inputs = {
            name: value for block in self.blocks for name, value in block.batch(rows).items()
        }
        return inputs, self.codes[rows]


class BatchIterator:
    """Iterate over the tracks in batches of about `batch_size`, all of about one size."""

    def __init__(self, dataset: TrackDataset, batch_size: int, *, shuffle: bool = False) -> None:
        self._dataset, self._shuffle = dataset, shuffle
        self._count = max(1, len(dataset) // batch_size)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[dict[str, Input], Tensor]]:
        size = len(self._dataset)
        order = torch.randperm(size) if self._shuffle else torch.arange(size)
        for rows in torch.tensor_split(order.to(self._dataset.codes.device), self._count):
            yield self._dataset.batch(rows)


def text_blocks(ngrams: NgramBags) -> list[InputBlock]:
    """Return the inputs of the text branches, and each track's weight as their example."""
    bags = [BagBlock.of(name, column) for name, column in zip(TEXT, ngrams.bags, strict=True)]
    return [*bags, TensorBlock({"weights": torch.from_numpy(ngrams.weights)})]
