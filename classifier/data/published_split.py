"""Use the train/test split that a dataset was published with, instead of the frozen folds. Pure.

It is for comparison with published results only: who published a split decided what is
tested, and two datasets decide differently. The regimes keep their meaning: a test track has an
unseen artist if no credited artist has a training track.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.data import regimes
from classifier.data.raw_dataset import RawDataset
from classifier.errors import BadTrainingConfig

_SIDES: Final = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""The names that datasets use."""


def apply_published_split(data: RawDataset) -> RawDataset:
    """Return the same tracks on the sides of their published split; raise `BadTrainingConfig`.

    A track without a split, or on a side of another name, is on no side.
    """
    sides = sides_of(data.tracks)
    missing = [side for side in ("train", "test") if not (sides == side).any()]
    if missing:
        raise BadTrainingConfig(
            f"No labelled track was published on a {missing[0]} side: leave out --split, or "
            "import a dataset with a column `split`."
        )
    track_ids = regimes.ids_of(data.tracks)
    seen = regimes.has_seen_artist(track_ids, data.credits, track_ids[sides == "train"])
    for held_out in regimes.HELD_OUT_SIDES:
        sides[(sides == held_out) & seen] = f"{held_out}_seen"
        sides[sides == held_out] = f"{held_out}_new"
    side = pd.Series(pd.array(sides.tolist(), dtype="string"), index=data.tracks.index)
    return replace(data, tracks=data.tracks.assign(side=side))


def sides_of(tracks: pd.DataFrame) -> NDArray[np.str_]:
    """Return train, validation, test or none for each track, by its published split."""
    split = tracks["split"].str.strip().str.casefold().map(_SIDES)
    return split.fillna("none").to_numpy(dtype="U16")
