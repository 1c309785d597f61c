"""Tracks by two features."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.features.audio import (
    AUDIO,
    FILE_SCALE_FEATURES,
    METADATA,
    mask_other_scale,
    mostly_from_files,
    numeric_column,
)
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "training_tracks"
COLUMNS: Final = (*AUDIO, *METADATA)
MAX_POINTS: Final = 400
"""Tracks of each genre that are drawn: more only hide each other."""


def draw(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw a sample of each genre's tracks by `wanted.x` and `wanted.y`, one colour a genre.

    Of what files are measured by on scales of their own, tracks on the commoner scale are drawn.
    """
    for name in (wanted.x, wanted.y):
        if name not in COLUMNS:
            raise BadTrainingConfig(f"There is no feature {name!r}. Known: {', '.join(COLUMNS)}.")
    own = mostly_from_files(frame)
    scaled = mask_other_scale(frame, from_files=own)
    x, y = numeric_column(scaled, wanted.x), numeric_column(scaled, wanted.y)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise BadTrainingConfig(f"Of no labelled track both {wanted.x} and {wanted.y} are known.")
    labels = frame["label"].to_numpy(dtype=str)
    counted = pd.DataFrame({"genre": labels[known], "tracks": 1})
    genres = style.select_genres(counted, wanted.genres, "tracks")
    figure = style.new_figure(7.0, 6.0)
    axes = figure.add_subplot()
    random = np.random.default_rng(wanted.seed)
    for colour, genre in zip(style.COLOURS, genres, strict=False):
        rows = np.flatnonzero(known & (labels == genre))
        if len(rows) > MAX_POINTS:
            rows = random.choice(rows, MAX_POINTS, replace=False)
        axes.plot(x[rows], y[rows], ".", color=colour, label=genre, markersize=4, alpha=0.6)
    axes.set_xlabel(_called(wanted.x, own=own))
    axes.set_ylabel(_called(wanted.y, own=own))
    axes.legend(frameon=False, fontsize=8, markerscale=2)
    return figure


def _called(name: str, *, own: bool) -> str:
    return f"own_{name}" if own and name in FILE_SCALE_FEATURES else name
