"""Tracks in batches: arrays stay in numpy until their turn comes."""

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
    """Bags of pieces, one per track, all in a row."""

    indices: Tensor
    weights: Tensor
    """One per piece."""
    offsets: Tensor
    """Where each bag begins."""

    def __len__(self) -> int:
        """Return how many bags there are."""
        return len(self.offsets)

    def to(self, device: str) -> "BagTensors":
        """Return the same elsewhere."""
        return BagTensors(
            self.indices.to(device), self.weights.to(device), self.offsets.to(device)
        )


Input: TypeAlias = Tensor | BagTensors


_MANY, _FEW = 2_000, 64
"""Tracks that are asked about at once."""


class InputBlock(Protocol):
    """One side of the tracks."""

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        """Return the inputs of some tracks by name."""
        ...


class DenseBlock:
    """Numbers and codes."""

    def __init__(self, dense: DenseInputs) -> None:
        self._dense = dense

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        """Return `values` and `codes`."""
        return {
            "values": torch.from_numpy(self._dense.values[rows]),
            "codes": torch.from_numpy(self._dense.codes[rows]),
        }


class BagBlock:
    """Bags of pieces under a name."""

    def __init__(self, name: str, bags: sparse.csr_matrix) -> None:
        self._name, self._bags = name, bags

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        """Return the bags under their name."""
        found = self._bags[rows]
        bags = BagTensors(
            torch.from_numpy(found.indices.astype(np.int64)),
            torch.from_numpy(found.data.astype(np.float32)),
            torch.from_numpy(found.indptr[:-1].astype(np.int64)),
        )
        return {self._name: bags}


class SequenceBlock:
    """Figures over time of one kind."""

    def __init__(self, sequences: PackedSequences) -> None:
        self._sequences = sequences

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        """Return them, padded to the longest, and how many steps each track has."""
        found, steps = self._sequences.batch(rows)
        kind = self._sequences.kind
        return {kind: torch.from_numpy(found), f"{kind}_steps": torch.from_numpy(steps)}


class WeightBlock:
    """What each track counts as an example of a language."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self._weights = weights

    def batch(self, rows: Rows) -> Mapping[str, Input]:
        """Return `weights`."""
        return {"weights": torch.from_numpy(self._weights[rows])}


class TrackDataset(Dataset[Any]):  # type: ignore[misc]  # untyped there
    """What is learned from, or asked about."""

    def __init__(self, parts: list[InputBlock], codes: Rows) -> None:
        self.blocks = parts
        self.codes = codes
        """The genre of each track, as its place among the genres."""

    def __len__(self) -> int:
        """Return how many tracks there are."""
        return len(self.codes)

    @property
    def prediction_batch_size(self) -> int:
        """Return how many tracks are asked about at once: few, where they take much memory."""
        long = any(isinstance(part, SequenceBlock) for part in self.blocks)
        return _FEW if long else _MANY

    def batch(self, rows: Rows) -> tuple[dict[str, Input], Tensor]:
        """Return inputs and genres of some tracks."""
        found = {name: value for part in self.blocks for name, value in part.batch(rows).items()}
        return found, torch.from_numpy(self.codes[rows])


class BatchIterator:
    """Goes through the tracks in batches of about `batch_size`, all of about one size."""

    def __init__(self, dataset: TrackDataset, batch_size: int, *, shuffle: bool = False) -> None:
        self._dataset, self._shuffle = dataset, shuffle
        self._count = max(1, len(dataset) // batch_size)

    def __len__(self) -> int:
        """Return how many batches there are."""
        return self._count

    def __iter__(self) -> Iterator[tuple[dict[str, Input], Tensor]]:
        """Yield inputs and genres."""
        size = len(self._dataset)
        order = torch.randperm(size).numpy() if self._shuffle else np.arange(size)
        for rows in np.array_split(order, self._count):
            yield self._dataset.batch(rows)


def text_blocks(words: NgramBags) -> list[InputBlock]:
    """Return what the networks that read take."""
    bags: list[InputBlock] = [
        BagBlock(name, found) for name, found in zip(TEXT, words.bags, strict=True)
    ]
    return [*bags, WeightBlock(words.weights)]
