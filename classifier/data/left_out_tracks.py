"""Why tracks of the database are not trained on: each track counts once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier.arrays import Mask
from classifier.training_config import TrainingConfig

REASONS: Final = (
    "no_label",
    "licence_or_level",
    "tracks_per_genre",
    "unusable_label",
    "other_genre",
    "few_tracks",
    "test",
    "validation",
    "no_side",
    "per_genre",
)
"""The reasons in the order in which they are looked at; `no_side`: artists of several folds."""


@dataclass(frozen=True, slots=True)
class SelectedTracks:
    """How many labelled tracks are left after each step of the selection."""

    read: int
    usable: int
    """After the label policy and the mapping."""
    within_limit: int
    """After `--tracks-per-genre`."""
    few_tracks: int
    """Tracks of chosen genres that have too few."""

    def left_out(self, sides: NDArray[np.str_], trained: Mask) -> dict[str, int]:
        """Return the tracks left out by reason; `sides` of the task's tracks, with `trained`."""
        held_out = {
            name: int(np.char.startswith(sides, name).sum()) for name in ("test", "validation")
        }
        return {
            "tracks_per_genre": self.usable - self.within_limit,
            "unusable_label": self.read - self.usable,
            "other_genre": self.within_limit - self.few_tracks - len(sides),
            "few_tracks": self.few_tracks,
            **held_out,
            "no_side": int((sides == "none").sum()),
            "per_genre": int(((sides == "train") & ~trained).sum()),
        }


def of_training(
    left_out: Mapping[str, int],
    trained: int,
    *,
    tracks: int,
    labelled: int,
    allowed: int,
    config: TrainingConfig,
) -> dict[str, Any]:
    """Return the counts as they are stored with a model: all tracks, trained, left out by reason.

    `left_out` is that of `SelectedTracks`; `tracks`, `labelled` and `allowed` (labelled under the
    licences and levels of `config`) are counts of the database.
    """
    counts = {**dict.fromkeys(REASONS, 0), **left_out}
    read = trained + sum(left_out.values())
    counts["no_label"] = max(0, tracks - labelled)
    counts["licence_or_level"] = max(0, labelled - allowed)
    if config.tracks_per_genre is not None:  # most of those are not read at all
        counts["tracks_per_genre"] += max(0, allowed - read)
    kept = {name: count for name, count in counts.items() if count}
    return {"tracks": trained + sum(kept.values()), "trained": trained, "left_out": kept}
