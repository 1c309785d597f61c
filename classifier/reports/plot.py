"""Plot one view of the database into a file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

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

DrawFunction = Callable[[pd.DataFrame, PlotRequest], style.Figure]

KINDS: Final[dict[str, tuple[str, DrawFunction]]] = {
    "confusion": ("genre_confusions", confusion.draw),
    "profile": ("genre_profiles", profile.draw),
    "overlay": ("genre_histograms", histogram.draw),
    "importance": ("feature_importances", importance.draw),
    "trend": ("genre_trends", trend.draw),
    "compare": ("experiment_results", experiments.draw_comparison),
    "learning-curve": ("experiment_results", experiments.draw_learning_curve),
    "training": ("training_epochs", training.draw),
    "scatter": ("training_tracks", scatter.draw),
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
    view, draw = KINDS[kind]
    if kind == "trend":
        view = trend.view_name(request)
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
    rows = dataset.read_view("genre_profiles", database, columns=columns).dropna()
    return {(genre, feature): float(value) for genre, feature, value in rows.to_numpy()}
