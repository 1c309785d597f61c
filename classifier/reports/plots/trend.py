"""How a feature of genres changes over the years, or with popularity."""

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
"""A point of fewer tracks is left out: one track is no trend."""


def view_name(wanted: PlotRequest) -> str:
    """Return the view that `wanted.by` asks for; raise `BadTrainingConfig`."""
    if wanted.by not in VIEWS:
        raise BadTrainingConfig(f"There is no trend by {wanted.by!r}. Known: {', '.join(VIEWS)}.")
    return VIEWS[wanted.by]


def draw(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw the mean of `wanted.feature` of each genre by year, decade or popularity."""
    by = _COLUMNS[wanted.by]
    known = [name for name in frame.columns if name not in {*_KEYS, by}]
    if wanted.feature not in known:
        raise BadTrainingConfig(
            f"There is no feature {wanted.feature!r} to draw. Known: {', '.join(known)}."
        )
    said = [name for name in known if frame[name].notna().any()]
    if not {wanted.feature, f"own_{wanted.feature}"} & set(said):
        raise BadTrainingConfig(f"Of no labelled track both {by} and {wanted.feature} are known.")
    feature = style.resolve_feature(wanted.feature, said)
    chosen = frame[frame[feature].notna()]
    chosen = chosen.assign(weight=_weights(chosen, feature))
    genres = style.select_genres(chosen, wanted.genres, "weight")
    figure = style.new_figure(8.0, 4.5)
    axes = figure.add_subplot()
    for colour, genre in zip(style.COLOURS, genres, strict=False):
        points = weighted_means(chosen[chosen["genre"] == genre], by, feature, "weight")
        axes.plot(points.index, points, "o-", color=colour, label=genre, markersize=3)
    axes.set_xlabel(wanted.by)
    axes.set_ylabel(f"mean {feature}")
    axes.grid(axis="y", color="#dddddd")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _weights(frame: pd.DataFrame, feature: str) -> "pd.Series[int]":
    """Return of how many tracks each row's mean of a feature is."""
    if feature in {"popularity", "release_year"}:
        return frame["tracks"]
    if feature in tables.OWN_SCALE_FEATURES:
        return frame["from_files"]
    if feature in tables.INCOMPARABLE_FEATURES:
        return frame["with_features"] - frame["from_files"]
    return frame["with_features"]


def weighted_means(rows: pd.DataFrame, by: str, feature: str, weight: str) -> "pd.Series[float]":
    """Return the mean of `feature` at each step, over all its tracks, where these are enough."""
    counts = rows[weight].astype(np.float64)
    total = (rows[feature] * counts).groupby(rows[by]).sum()
    tracks = counts.groupby(rows[by]).sum()
    enough = tracks >= MIN_TRACKS
    return (total / tracks)[enough].sort_index().rename_axis(by).astype(np.float64)
