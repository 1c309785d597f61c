"""Effect size of each feature between two groups of tracks: Cliff's delta with intervals. Pure.

Cliff's delta is the probability that a track of the one group exceeds a track of the other, minus
the reverse (N. Cliff, Dominance statistics, Psychological Bulletin 114(3), 1993): -1 to 1, ties
count as neither. It has no unit and does not depend on the distribution, so features in different
units are comparable. For a boolean feature it is the difference of the two proportions. Below
0.147 it is usually called negligible, below 0.33 small, below 0.474 medium, else large (Romano et
al., 2006).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats, Ids, Mask
from classifier.evaluation.bootstrap import N_RESAMPLES, ArtistBootstrap
from classifier.evaluation.rank_statistics import cliffs_delta
from classifier.features.audio import CATEGORICAL, METADATA, numeric_column
from classifier.model_records import Interval
from genrebase.store import tables

CONTINUOUS_FEATURES: Final = tuple(name for name in tables.FEATURES if name not in CATEGORICAL)
"""The audio features that are not categorical."""
KEY_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_SIZES: Final = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"))
_BINS: Final = 1024
"""Distinct values used for intervals; more are binned by quantiles."""


@dataclass(frozen=True, slots=True)
class EffectSize:
    """How one feature differs between two groups of tracks."""

    feature: str
    delta: float
    """Cliff's delta, -1 to 1: positive if the group has higher values."""
    interval: Interval | None
    """Of the delta, 95%, resampling artists."""
    value: float
    """The group's median; of a boolean feature, its proportion."""
    other_value: float
    n: int
    """Tracks of the group that have the feature."""
    other_n: int

    @property
    def size(self) -> str:
        """Return the usual name of such an effect size."""
        return next((name for bound, name in _SIZES if abs(self.delta) < bound), "large")


def feature_values(frame: pd.DataFrame) -> Iterator[tuple[str, Floats, bool]]:
    """Yield (name, values, whether it is boolean) of each feature.

    Key, mode and time signature are one-hot encoded.
    """
    for name in (*CONTINUOUS_FEATURES, *METADATA):
        yield name, numeric_column(frame, name), name == "explicit"
    key, mode, beats = (numeric_column(frame, name) for name in ("key", "mode", "time_signature"))
    for place, name in enumerate(KEY_NAMES):
        yield f"key {name}", _is(key, place), True
    yield "major", mode, True
    for count in np.unique(beats[np.isfinite(beats)]):
        yield f"{count:.0f} beats in a bar", _is(beats, count), True


def compare_groups(
    frame: pd.DataFrame, artists: Ids, group: Mask, *, seed: int, resamples: int = N_RESAMPLES
) -> list[EffectSize]:
    """Return what sets the tracks of `group` apart from the others, the greatest effect first.

    `artists[i]` is the artist of row i. A feature that one group lacks is left out.
    """
    bootstrap = ArtistBootstrap(artists, seed=seed, n_resamples=resamples)
    effects = []
    for name, values, is_share in feature_values(frame):
        present = np.isfinite(values)
        ours, others = present & group, present & ~group
        if ours.any() and others.any():
            middle = np.mean if is_share else np.median
            effects.append(
                EffectSize(
                    feature=name,
                    delta=cliffs_delta(values[ours], values[others]),
                    interval=bootstrap.cliffs_delta_interval(
                        _binned(values, present), ours, others
                    ),
                    value=float(middle(values[ours])),
                    other_value=float(middle(values[others])),
                    n=int(ours.sum()),
                    other_n=int(others.sum()),
                )
            )
    return sorted(effects, key=lambda one: (-abs(one.delta), one.feature))


def _binned(values: Floats, present: Mask) -> NDArray[np.intp]:
    """Return codes from 0 in the order of the values; those of unknown ones mean nothing."""
    edges = np.unique(values[present])
    if len(edges) > _BINS:
        edges = np.unique(np.quantile(values[present], np.linspace(0, 1, _BINS)))
    bins = np.searchsorted(edges, np.where(present, values, edges[0]), side="right") - 1
    return bins.clip(min=0)


def _is(values: Floats, wanted: float) -> Floats:
    return np.where(np.isfinite(values), (values == wanted).astype(np.float64), np.nan)


def describe_effects(effects: Sequence[EffectSize], group: str, others: str) -> list[str]:
    """Describe each effect that is not negligible."""
    return [
        f"{group} {'higher' if one.delta > 0 else 'lower'} than {others} in {one.feature}: "
        f"{one.value:.3g} against {one.other_value:.3g} ({one.size})."
        for one in effects
        if one.size != "negligible"
    ]
