"""Plot the histogram of one feature in several genres."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "genre_histograms"


def draw(frame: pd.DataFrame, request: PlotRequest) -> "Figure":
    """Draw the histogram of `request.feature` of each genre as steps."""
    feature = style.resolve_feature(request.feature, sorted(set(frame["feature"])))
    rows = frame[frame["feature"] == feature]
    genres = style.select_genres(rows, request.genres, "tracks")
    bins = rows[["bin", "low", "high"]].drop_duplicates().set_index("bin").sort_index()
    numbers = np.arange(int(bins.index.min()), int(bins.index.max()) + 1)
    middles = (bins["low"] + bins["high"]).to_numpy(dtype=np.float64) / 2
    # empty bins are not in the view
    x = np.interp(numbers, bins.index.to_numpy(dtype=np.float64), middles)
    figure, axes = style.new_axes(8.0, 4.5, x=feature, y="share of the genre's tracks", grid="y")
    for colour, genre in zip(style.COLOURS, genres, strict=False):
        shares = rows[rows["genre"] == genre].set_index("bin")["share"]
        values = shares.reindex(numbers, fill_value=0.0).to_numpy(dtype=np.float64)
        axes.step(x, values, where="mid", color=colour, label=genre)
    axes.set_ylim(bottom=0)
    style.add_legend(axes)
    return figure
