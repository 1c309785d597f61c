"""Plot the mean of a feature per genre over years, decades or popularity."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest
from genrebase.store import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEWS: Final = {
    "year": "genre_trends",
    "decade": "genre_trends",
    "popularity": "genre_popularity",
}
_COLUMNS: Final = {"year": "release_year", "decade": "decade", "popularity": "popularity"}
_KEYS: Final = ("genre_id", "genre", "decade", "tracks", "with_features", "from_files")
MIN_TRACKS: Final = 5
"""A point needs so many tracks: a single one is no trend."""


def view_name(request: PlotRequest) -> str:
    """Return the view of `request.by`; raise `BadTrainingConfig`."""
    if request.by not in VIEWS:
        raise BadTrainingConfig(f"There is no trend by {request.by!r}. Known: {', '.join(VIEWS)}.")
    return VIEWS[request.by]


def draw(frame: pd.DataFrame, request: PlotRequest) -> "Figure":
    """Draw the mean of `request.feature` of each genre by year, decade or popularity."""
    by = _COLUMNS[request.by]
    features = [name for name in frame.columns if name not in {*_KEYS, by}]
    if request.feature not in features:
        raise BadTrainingConfig(
            f"There is no feature {request.feature!r} to plot. Known: {', '.join(features)}."
        )
    available = [name for name in features if frame[name].notna().any()]
    if not {request.feature, f"own_{request.feature}"} & set(available):
        raise BadTrainingConfig(f"No labelled track has both {by} and {request.feature}.")
    feature = style.resolve_feature(request.feature, available)
    rows = frame[frame[feature].notna()]
    rows = rows.assign(weight=_weights(rows, feature))
    genres = style.select_genres(rows, request.genres, "weight")
    figure, axes = style.new_axes(8.0, 4.5, x=request.by, y=f"mean {feature}", grid="y")
    for colour, genre in zip(style.COLOURS, genres, strict=False):
        points = weighted_means(rows[rows["genre"] == genre], by, feature, "weight")
        axes.plot(points.index, points, "o-", color=colour, label=genre, markersize=3)
    style.add_legend(axes)
    return figure


def _weights(frame: pd.DataFrame, feature: str) -> "pd.Series[int]":
    if feature in {"popularity", "release_year"}:
        return frame["tracks"]
    if feature in tables.OWN_SCALE_FEATURES:
        return frame["from_files"]
    if feature in tables.INCOMPARABLE_FEATURES:
        return frame["with_features"] - frame["from_files"]
    return frame["with_features"]


def weighted_means(rows: pd.DataFrame, by: str, feature: str, weight: str) -> "pd.Series[float]":
    """Return the weighted mean of `feature` at each step with at least `MIN_TRACKS` tracks."""
    counts = rows[weight].astype(np.float64)
    total = (rows[feature] * counts).groupby(rows[by]).sum()
    tracks = counts.groupby(rows[by]).sum()
    enough = tracks >= MIN_TRACKS
    return (total / tracks)[enough].sort_index().rename_axis(by).astype(np.float64)
