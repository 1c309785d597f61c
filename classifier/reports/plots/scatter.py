"""Plot tracks by two features."""

from typing import Final

import numpy as np
import pandas as pd

from classifier.config_options import check_value
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

COLUMNS: Final = (*AUDIO, *METADATA)
MAX_POINTS: Final = 400
"""Tracks drawn of each genre: more would overlap."""


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw a sample of each genre's tracks by `request.x` and `request.y`, one colour a genre.

    Features measured in files have another scale: only the more frequent scale is drawn.
    """
    for name in (request.x, request.y):
        check_value("feature", name, COLUMNS)
    from_files = mostly_from_files(frame)
    scaled = mask_other_scale(frame, from_files=from_files)
    x, y = numeric_column(scaled, request.x), numeric_column(scaled, request.y)
    complete = np.isfinite(x) & np.isfinite(y)
    if not complete.any():
        raise BadTrainingConfig(f"No labelled track has both {request.x} and {request.y}.")
    labels = frame["label"].to_numpy(dtype=str)
    tracks = pd.DataFrame({"genre": labels[complete], "tracks": 1})
    genres = style.select_genres(tracks, request, "tracks")
    labels_xy = [
        f"own_{name}" if from_files and name in FILE_SCALE_FEATURES else name
        for name in (request.x, request.y)
    ]
    figure, axes = style.new_axes(7.0, 6.0, x=labels_xy[0], y=labels_xy[1], grid=None)
    random = np.random.default_rng(request.seed)
    drawn = total = 0
    for genre in genres.names:
        rows = np.flatnonzero(complete & (labels == genre))
        total += len(rows)
        label, look = f"{style.shorten_label(genre)} ({len(rows):,})", genres.styles[genre]
        if len(rows) > MAX_POINTS:
            rows = random.choice(rows, MAX_POINTS, replace=False)
        drawn += len(rows)
        axes.plot(
            x[rows], y[rows], look.marker, color=look.colour, label=label,
            markersize=2.5, markeredgewidth=0, alpha=0.6,
        )  # fmt: skip
    style.name_categories(axes, request.x, "x")
    style.name_categories(axes, request.y, "y")
    style.add_legend(axes, markerscale=2.5)
    notes = genres.notes(total)
    if drawn < total:
        notes.insert(1, f"Drawn is a sample of {drawn:,}: at most {MAX_POINTS:,} of each genre.")
    style.add_caption(figure, request, f"{labels_xy[0]} and {labels_xy[1]} by genre", notes)
    return figure
