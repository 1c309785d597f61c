"""Plot one view of the database into a file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from classifier.config_options import check_value
from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.reports.plots import (
    confusion,
    experiments,
    histogram,
    importance,
    profile,
    scatter,
    style,
    training,
    trend,
)
from classifier.reports.plots.request import PlotRequest
from genrebase import new_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DrawFunction = Callable[[pd.DataFrame, PlotRequest], "Figure"]

KINDS: Final[dict[str, tuple[Callable[[PlotRequest], str], DrawFunction]]] = {
    "confusion": (lambda _: confusion.VIEW, confusion.draw),
    "profile": (lambda _: profile.VIEW, profile.draw),
    "overlay": (lambda _: histogram.VIEW, histogram.draw),
    "importance": (lambda _: importance.VIEW, importance.draw),
    "trend": (trend.view_name, trend.draw),
    "compare": (lambda _: experiments.VIEW, experiments.draw_comparison),
    "learning-curve": (lambda _: experiments.VIEW, experiments.draw_learning_curve),
    "training": (lambda _: training.VIEW, training.draw),
    "scatter": (lambda _: scatter.VIEW, scatter.draw),
}
"""Each kind: its view, and the function that draws it."""


@dataclass(frozen=True, slots=True)
class SavedPlot:
    """A plot that was written."""

    file: Path
    kind: str
    view: str
    bytes: int
    title: str
    notes: tuple[str, ...]
    """What stands at its lower edge: numbers of tracks, genres that are not drawn."""


def save_plot(database: Database, kind: str, request: PlotRequest, file: Path) -> SavedPlot:
    """Write a plot into a new SVG, PNG or PDF.

    Raise `BadTrainingConfig` for what cannot be plotted, `UserError` without matplotlib or if
    the file exists.
    """
    check_value("plot", kind, KINDS)
    as_format = style.file_format(file)
    new_file.refuse_existing(file)
    style.new_figure(1.0, 1.0)  # fail without matplotlib before reading the view
    view_of, draw = KINDS[kind]
    view = view_of(request)
    frame = dataset.read_view(view, database)
    genres, is_synthetic = dataset.describe_catalogue(database)
    request = replace(request, all_genres=genres, synthetic=is_synthetic)
    if kind == "trend" and len(request.genres or genres) <= style.MAX_BANDS:
        request = replace(request, deviations=_deviations(database))
    with style.plot_style():
        figure = draw(frame, request)
        with new_file.create_atomically(file) as place:
            style.save_figure(figure, place, as_format)
    size, title = file.stat().st_size, figure.get_suptitle()
    return SavedPlot(file, kind, view, size, title, style.notes_of(figure))


def _deviations(database: Database) -> dict[tuple[str, str], float]:
    """Return the standard deviation of each feature of each genre."""
    columns = ["genre", "feature", "standard_deviation"]
    rows = dataset.read_view(profile.VIEW, database, columns=columns).dropna()
    return {(genre, feature): float(value) for genre, feature, value in rows.to_numpy()}
