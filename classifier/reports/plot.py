"""Draw one view into a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.errors import BadChoice
from classifier.reports import new_file
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
from classifier.reports.plots.request import Wanted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[pd.DataFrame, Wanted], "Figure"]

KINDS: Final[dict[str, tuple[Callable[[Wanted], str], Draw]]] = {
    "confusion": (lambda _: confusion.VIEW, confusion.draw),
    "profile": (lambda _: profile.VIEW, profile.draw),
    "overlay": (lambda _: histogram.VIEW, histogram.draw),
    "importance": (lambda _: importance.VIEW, importance.draw),
    "trend": (trend.view, trend.draw),
    "compare": (lambda _: experiments.VIEW, experiments.comparison),
    "learning-curve": (lambda _: experiments.VIEW, experiments.learning_curve),
    "training": (lambda _: training.VIEW, training.draw),
    "scatter": (lambda _: scatter.VIEW, scatter.draw),
}
"""Each kind: which view it is drawn from, and how."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A file that was made."""

    file: Path
    kind: str
    view: str
    bytes: int


def run(database: Database, kind: str, wanted: Wanted, file: Path) -> Drawn:
    """Draw what is wanted into a new SVG or PNG.

    Raise `BadChoice` for what cannot be drawn, `NoMatplotlib`, or `Refused` where the file is
    there.
    """
    if kind not in KINDS:
        raise BadChoice(f"There is no drawing {kind!r}. Known: {', '.join(KINDS)}.")
    as_format = style.format_of(file)
    new_file.refuse_taken(file)
    style.new(1.0, 1.0)  # without matplotlib nothing need be read
    view_of, draw = KINDS[kind]
    view = view_of(wanted)
    frame = dataset.read(view, database)
    with style.style():
        figure = draw(frame, wanted)
        with new_file.making(file) as place:
            style.save(figure, place, as_format)
    return Drawn(file, kind, view, file.stat().st_size)
