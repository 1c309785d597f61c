"""The spread of one feature in several genres, one over the other."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "genre_histograms"


def draw(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw the histogram of `wanted.feature` of each genre as steps."""
    feature = style.resolve_feature(wanted.feature, sorted(set(frame["feature"])))
    chosen = frame[frame["feature"] == feature]
    genres = style.select_genres(chosen, wanted.genres, "tracks")
    figure = style.new_figure(8.0, 4.5)
    axes = figure.add_subplot()
    bins = chosen[["bin", "low", "high"]].drop_duplicates().set_index("bin").sort_index()
    numbers = np.arange(int(bins.index.min()), int(bins.index.max()) + 1)
    for colour, genre in zip(style.COLOURS, genres, strict=False):
        shares = chosen[chosen["genre"] == genre].set_index("bin")["share"]
        values = shares.reindex(numbers, fill_value=0.0).to_numpy(dtype=np.float64)
        axes.step(_places(bins, numbers), values, where="mid", color=colour, label=genre)
    axes.set_xlabel(feature)
    axes.set_ylabel("share of the genre's tracks")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#dddddd")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _places(
    bins: pd.DataFrame, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> list[float]:
    """Return the middle of each bin, of those without a track, too."""
    middle = (bins["low"] + bins["high"]).to_numpy(dtype=np.float64) / 2
    known = bins.index.to_numpy(dtype=np.float64)
    return [float(place) for place in np.interp(numbers, known, middle)]
