"""Draw one view into a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig
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
from genrebase.runtime import new_file

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
"""Each kind: which view it is drawn from, and how."""


@dataclass(frozen=True, slots=True)
class SavedPlot:
    """A file that was made."""

    file: Path
    kind: str
    view: str
    bytes: int


def save_plot(database: Database, kind: str, wanted: PlotRequest, file: Path) -> SavedPlot:
    """Draw what is wanted into a new SVG or PNG.

    Raise `BadTrainingConfig` for what cannot be drawn, `NoMatplotlib`, or `Refused` where the file is
    there.
    """
    if kind not in KINDS:
        raise BadTrainingConfig(f"There is no drawing {kind!r}. Known: {', '.join(KINDS)}.")
    as_format = style.file_format(file)
    new_file.refuse_existing(file)
    style.new_figure(1.0, 1.0)  # without matplotlib nothing need be read
    view_of, draw = KINDS[kind]
    view = view_of(wanted)
    frame = dataset.read_view(view, database)
    with style.plot_style():
        figure = draw(frame, wanted)
        with new_file.create_atomically(file) as place:
            style.save_figure(figure, place, as_format)
    return SavedPlot(file, kind, view, file.stat().st_size)
