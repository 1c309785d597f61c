"""Plot the histogram of one feature in several genres, in bins of full width."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw the histogram of `request.feature` of each genre as steps."""
    feature = style.resolve_feature(request.feature, sorted(set(frame["feature"])))
    rows = frame[frame["feature"] == feature]
    genres = style.select_genres(rows, request, "tracks")
    numbers, edges = _bins(rows)
    figure, axes = style.new_axes(8.0, 4.5, x=feature, y="share of the genre's tracks", grid="y")
    total = 0
    for genre in genres.names:
        of_genre = rows[rows["genre"] == genre].set_index("bin")
        tracks = int(of_genre["tracks"].sum())
        total += tracks
        shares = of_genre["share"].reindex(numbers, fill_value=0.0).to_numpy(dtype=np.float64)
        look = genres.styles[genre]
        label = f"{style.shorten_label(genre)} ({tracks:,})"
        axes.stairs(
            shares, edges, baseline=None, color=look.colour, ls=look.line, lw=1.5, label=label
        )
        if genres.has_bands:
            low, high = wilson_interval(shares, tracks)
            axes.stairs(high, edges, baseline=low, color=look.colour, alpha=0.15, fill=True, lw=0)
    axes.set_ylim(bottom=0)
    style.name_categories(axes, feature, "x")
    style.add_legend(axes)
    notes = genres.notes(total, "95% intervals of the shares (Wilson)")
    style.add_caption(figure, request, f"Distribution of {feature} by genre", notes)
    return figure


def _bins(rows: pd.DataFrame) -> tuple[NDArray[np.int64], Floats]:
    """Return the numbers of all bins, also the empty ones that the view lacks, and their edges."""
    bins = rows[["bin", "low", "high"]].drop_duplicates().set_index("bin").sort_index()
    numbers = np.arange(int(bins.index.min()), int(bins.index.max()) + 1)
    low = bins["low"].to_numpy(dtype=np.float64)
    width = float(bins["high"].iloc[0]) - low[0]
    if width == 0:  # one bin per value: it is drawn around the value
        return numbers, np.append(numbers, numbers[-1] + 1) - 0.5
    return numbers, low[0] + width * np.arange(len(numbers) + 1)


def wilson_interval(shares: Floats, n: int) -> tuple[Floats, Floats]:
    """Return the bounds of the 95% intervals of shares of `n` tracks (Wilson, 1927)."""
    z = 1.96
    middle = (shares + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(shares * (1 - shares) / n + z**2 / (4 * n**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
