"""Plot a confusion matrix, ordered so that confused genres are neighbours."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats
from classifier.errors import BadTrainingConfig
from classifier.model_records import REGIME_TITLES
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

_MAX_WITH_NUMBERS: Final = 15
"""Genres up to which the cells show numbers."""


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw the share of each genre's test tracks (rows) predicted as each genre (columns)."""
    rows = style.model_rows(frame, request, "`classifier models` lists those that are kept")
    rows = rows[rows["regime"] == request.regime]
    genres = sorted(set(rows["genre"]) | set(rows["predicted"]))
    if request.genres is not None:
        style.check_genres(request.genres, genres)
        genres = list(request.genres)
    rows = rows[rows["genre"].isin(genres)]
    if len(rows) == 0:
        raise BadTrainingConfig(
            f"No test track of the regime {request.regime!r} has a prediction."
        )
    table = rows.pivot_table(index="genre", columns="predicted", values="share", fill_value=0.0)
    table = table.reindex(index=genres, columns=genres, fill_value=0.0)
    order = similarity_order(table.to_numpy(dtype=np.float64))
    figure = _draw_matrix(table.iloc[order, order], request.regime)
    title = f"Confusion matrix of model {int(rows['model_id'].iloc[0])}"
    notes = [style.count_tracks(rows["tracks"].sum(), "test tracks")]
    style.add_caption(figure, request, title, notes)
    return figure


def similarity_order(shares: Floats) -> NDArray[np.intp]:
    """Return an order of the genres in which confused genres are neighbours."""
    if len(shares) < 3:
        return np.arange(len(shares))
    # slow to import, and used only here
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    confused = (shares + shares.T) / 2
    distance = 1.0 - confused / max(float(confused.max()), 1e-9)
    np.fill_diagonal(distance, 0.0)
    near = squareform(distance, checks=False)
    return np.asarray(leaves_list(optimal_leaf_ordering(linkage(near, "average"), near)))


def _draw_matrix(table: pd.DataFrame, regime: str) -> style.Figure:
    count = len(table)
    side = max(5.0, 2.5 + 0.14 * count if count > _MAX_WITH_NUMBERS else 2.5 + 0.4 * count)
    figure = style.new_figure(side + 0.8, side)
    axes = figure.add_subplot()
    image = axes.imshow(
        table.to_numpy(), cmap=style.COLOUR_MAP, vmin=0.0, vmax=1.0, interpolation="nearest"
    )
    size = 9.0 if count <= _MAX_WITH_NUMBERS else 6.0
    labels = [style.shorten_label(genre) for genre in table.index]
    axes.set_xticks(range(count), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(count), labels, fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("genre")
    axes.set_title(f"Test tracks, {REGIME_TITLES.get(regime, regime)}")
    if count <= _MAX_WITH_NUMBERS:
        _write_numbers(axes, table.to_numpy(dtype=np.float64))
    figure.colorbar(image, ax=axes, label="share of the genre's tracks", shrink=0.6)
    return figure


def _write_numbers(axes: Any, shares: Floats) -> None:
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        colour = "black" if share > 0.6 else "white"
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=7)
