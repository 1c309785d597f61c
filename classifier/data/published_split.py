"""The sides that tracks were published on, in the place of those by the folds of names. Pure.

Only for figures beside published ones: whoever published a split decided what is tested, and two
datasets decide differently. Regimes stay what they are: a test track is of a new artist where no
credited artist has a track on the training side.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from classifier.data import regimes
from classifier.data.dataset import RawDataset
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
"""What datasets call their sides."""


def apply_published_split(found: RawDataset) -> RawDataset:
    """Return the same tracks on the sides of their published split; raise `BadTrainingConfig`.

    A track without one, or on a side of another name, is on none.
    """
    told = found.tracks["split"].str.strip().str.casefold().map(_SIDES)
    sides = told.fillna("none").to_numpy(dtype="U16")
    missing = [side for side in ("train", "test") if not (sides == side).any()]
    if missing:
        raise BadTrainingConfig(
            f"No labelled track was published on a {missing[0]} side: leave out --split, or "
            "import a dataset with a column `split`."
        )
    known = regimes.has_seen_artist(
        found.tracks["track_id"].to_numpy(dtype=np.int64),
        found.credits["track_id"].to_numpy(dtype=np.int64),
        found.credits["artist_id"].to_numpy(dtype=np.int64),
        found.tracks["track_id"].to_numpy(dtype=np.int64)[sides == "train"],
    )
    for held in ("validation", "test"):
        sides[(sides == held) & known] = f"{held}_seen"
        sides[sides == held] = f"{held}_new"
    side = pd.Series(pd.array(sides.tolist(), dtype="string"), index=found.tracks.index)
    return replace(found, tracks=found.tracks.assign(side=side))
