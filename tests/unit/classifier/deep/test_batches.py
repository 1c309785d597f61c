"""Batches hold the inputs of their tracks, made by indexing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from classifier.features.sequences import CHANNELS, MAX_STEPS, SequenceEncoder, unpack

pytestmark = pytest.mark.deep


def packed(steps: int, random: np.random.Generator) -> bytes:
    rows = random.normal(size=(steps, CHANNELS["segments"])).astype("<f2")
    if steps > 2:
        rows[1, 3] = np.nan
    return rows.tobytes()


def test_sequences_are_standardised_and_padded() -> None:
    """To the longest of the batch; a track without any has no steps; the middle of a long one."""
    import torch

    from classifier.deep.batches import SequenceBlock

    random = np.random.default_rng(0)
    lengths = [4, 0, 9, MAX_STEPS + 7, 1]
    cells = [packed(steps, random) if steps else None for steps in lengths]
    frame = pd.DataFrame({"segments": pd.Series(cells, dtype=object)})
    encoder = SequenceEncoder("segments").fit(frame)
    block = SequenceBlock.of(encoder.transform(frame))
    for rows in ([2, 0, 1], [3, 4], [1], [1, 1], []):
        batch: Any = block.batch(torch.tensor(rows, dtype=torch.int64))
        expected = [
            (unpack(cells[row], "segments") - encoder.means_) / encoder.scales_ for row in rows
        ]
        steps = [len(one) for one in expected]
        assert batch["segments_steps"].tolist() == steps
        assert batch["segments"].shape == (len(rows), CHANNELS["segments"], max([1, *steps]))
        for values, sequence in zip(batch["segments"].numpy(), expected, strict=True):
            np.testing.assert_allclose(
                values[:, : len(sequence)], sequence.T, rtol=1e-5, atol=1e-5
            )
            assert not values[:, len(sequence) :].any()


def test_bags_are_those_of_the_tracks() -> None:
    """In the order of the rows, an empty one too, a row twice as well."""
    import torch

    from classifier.deep.batches import BagBlock, BagTensors

    matrix = sparse.csr_matrix(np.array([[0, 2, 3], [0, 0, 0], [1, 0, 0]], dtype=np.float32))
    block = BagBlock.of("title", matrix)
    (bags,) = block.batch(torch.tensor([2, 1, 0, 0])).values()
    assert isinstance(bags, BagTensors)
    assert bags.offsets.tolist() == [0, 1, 1, 3]
    assert bags.indices.tolist() == [0, 1, 2, 1, 2]
    assert bags.weights.tolist() == [1, 2, 3, 2, 3]
