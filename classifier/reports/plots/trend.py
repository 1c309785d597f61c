"""Plot the mean of a feature per genre over years, decades or popularity."""

from typing import Final

import numpy as np
import pandas as pd

from classifier.config_options import check_value
from classifier.errors import BadTrainingConfig
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest
from genrebase.store import tables

VIEWS: Final = {
    "year": "genre_trends",
    "decade": "genre_trends",
    "popularity": "genre_popularity",
}
_COLUMNS: Final = {"year": "release_year", "decade": "decade", "popularity": "popularity"}
_STEPS: Final = {"year": 1, "decade": 10, "popularity": 10}
"""The distance of two points."""
_KEYS: Final = ("genre_id", "genre", "decade", "tracks", "with_features", "from_files")
MIN_TRACKS: Final = 5
"""A point needs so many tracks: a single one is no trend."""


def view_name(request: PlotRequest) -> str:
    """Return the view of `request.by`; raise `BadTrainingConfig`."""
    check_value("trend by", request.by, VIEWS)
    return VIEWS[request.by]


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw the mean of `request.feature` of each genre by year, decade or popularity."""
    if request.feature == "key":
        raise BadTrainingConfig(
            "Keys form a circle and have no mean: `classifier plot overlay --feature key` draws "
            "how often each occurs."
        )
    by = _COLUMNS[request.by]
    features = [name for name in frame.columns if name not in {*_KEYS, by}]
    check_value("feature", request.feature, features, " to plot")
    available = [name for name in features if frame[name].notna().any()]
    if not {request.feature, f"own_{request.feature}"} & set(available):
        raise BadTrainingConfig(f"No labelled track has both {by} and {request.feature}.")
    feature = style.resolve_feature(request.feature, available)
    rows = frame[frame[feature].notna()]
    rows = rows.assign(weight=_weights(rows, feature))
    genres = style.select_genres(rows, request, "weight")
    figure, axes = style.new_axes(8.0, 4.5, x=request.by, y=f"mean {feature}", grid="y")
    step, total = _STEPS[request.by], 0
    for genre in genres.names:
        of_genre = rows[rows["genre"] == genre]
        points = with_gaps(weighted_means(of_genre, by, feature, "weight"), step)
        tracks = int(of_genre["weight"].sum())
        total += tracks
        label, look = f"{style.shorten_label(genre)} ({tracks:,})", genres.styles[genre]
        axes.plot(
            points.index, points, color=look.colour, ls=look.line, marker=look.marker,
            label=label, markersize=3,
        )  # fmt: skip
        deviation = request.deviations.get((genre, feature))
        if genres.has_bands and deviation is not None:
            counts = of_genre.groupby(by)["weight"].sum().reindex(points.index)
            half = 1.96 * deviation / np.sqrt(counts.to_numpy(dtype=np.float64, na_value=np.nan))
            low, high = points.to_numpy() - half, points.to_numpy() + half
            axes.fill_between(points.index, low, high, color=look.colour, alpha=0.15, linewidth=0)
            alone = ~(points.notna() & (points.shift().notna() | points.shift(-1).notna()))
            axes.vlines(points.index[alone], low[alone], high[alone], color=look.colour, alpha=0.3)
    style.add_legend(axes)
    interval = "95% intervals of the mean, by the deviation of all the genre's tracks"
    notes = genres.notes(total, interval if feature in tables.ALL_FEATURES else None)
    notes.insert(1, f"A point has at least {MIN_TRACKS} tracks; lines are broken where none is.")
    style.add_caption(figure, request, f"Mean {feature} by {request.by} and genre", notes)
    return figure


def with_gaps(points: "pd.Series[float]", step: int) -> "pd.Series[float]":
    """Return the points with NaN at each missing step, where a line is broken."""
    if len(points) == 0:
        return points
    steps = np.arange(int(points.index.min()), int(points.index.max()) + 1, step)
    return points.reindex(steps)


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
