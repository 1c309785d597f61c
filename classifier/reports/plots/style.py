"""Style of all plots: figures without a display, colours, shared axes and filters.

The same data give the same bytes. Colours are those of Okabe & Ito (2008), safe for colour-blind
readers; the colour map is `cividis` (Nuñez et al., 2018), made for the same purpose.
"""

import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from classifier.errors import BadTrainingConfig
from classifier.records import REGIME_TITLES
from classifier.reports.plots.request import PlotRequest
from genrebase.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS: Final = ("svg", "png")
COLOURS: Final = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#B8A800",
)  # fmt: skip
"""One per line of a plot. The last is a darker yellow than theirs, for white paper."""
COLOUR_MAP: Final = "cividis"
_MAX_LABEL: Final = 22
"""Characters."""
_STYLE: Final[Any] = {
    "svg.hashsalt": "genrebase",
    "svg.fonttype": "none",  # text stays searchable, in the reader's font
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.dpi": 150,
    "text.parse_math": False,  # a genre's name may contain a dollar
}


class NoMatplotlib(UserError):
    """matplotlib is not installed."""


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, inches wide and high; raise `NoMatplotlib`."""
    try:
        # slow to import, and an optional dependency
        from matplotlib.figure import Figure
    except ImportError:
        raise NoMatplotlib(
            "Plots need matplotlib: pip install 'genrebase[plot]' (or pip install matplotlib)."
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


def new_axes(
    width: float, height: float, *, x: str, y: str | None = None, grid: Literal["x", "y"] | None
) -> "tuple[Figure, Axes]":
    """Return a figure with labelled axes and grid lines for one of them."""
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    if y is not None:
        axes.set_ylabel(y)
    if grid is not None:
        axes.grid(axis=grid, color="#dddddd")
    return figure, axes


def add_legend(axes: "Axes", **options: Any) -> None:
    """Add a legend without a frame."""
    axes.legend(frameon=False, fontsize=8, **options)


def draw_intervals(
    axes: "Axes", rows: "pd.DataFrame", keys: list[Any], labels: list[str], value: str
) -> None:
    """Draw `value` with its interval (`low`, `high`) of each key, a series per regime.

    `rows` are indexed by key, the keys run from bottom to top.
    """
    for number, (regime, title) in enumerate(REGIME_TITLES.items()):
        series = rows[rows["regime"] == regime].reindex(keys)
        middle, low, high = (
            series[name].to_numpy(dtype=np.float64) for name in (value, "low", "high")
        )
        axes.errorbar(
            middle,
            np.arange(len(keys)) + 0.16 - 0.32 * number,
            xerr=np.clip([middle - low, high - middle], 0.0, None),
            fmt="os"[number],
            color=COLOURS[number],
            markersize=4,
            linewidth=1.2,
            label=title,
        )
    axes.set_yticks(range(len(keys)), labels, fontsize=8)
    add_legend(axes)


@contextmanager
def plot_style() -> Iterator[None]:
    """Apply the style of all plots in the block."""
    from matplotlib import rc_context  # see `new_figure`

    with rc_context(_STYLE), warnings.catch_warnings():
        # a name in a script that the font lacks: boxes in a PNG, correct in an SVG
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def file_format(file: Path) -> str:
    """Return the format of the file's name; raise `BadTrainingConfig`."""
    name = file.suffix.removeprefix(".").lower()
    if name not in FORMATS:
        raise BadTrainingConfig(f"{file} is neither SVG nor PNG: end its name with .svg or .png.")
    return name


def save_figure(figure: "Figure", place: Path, as_format: str) -> None:
    """Write a figure; equal figures give equal bytes."""
    metadata = {"svg": {"Date": None, "Creator": "Genrebase"}, "png": {"Software": "Genrebase"}}
    figure.savefig(place, format=as_format, metadata=metadata[as_format])


def shorten_label(label: object) -> str:
    """Truncate a long label."""
    text = str(label)
    return text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1] + "…"


def resolve_feature(feature: str, columns: Collection[str]) -> str:
    """Return the feature, else its `own_` column, measured in files, if only that is available.

    Raise `BadTrainingConfig` without either.
    """
    for name in (feature, f"own_{feature}"):
        if name in columns:
            return name
    raise BadTrainingConfig(
        f"There is no feature {feature!r} to plot. Known: {', '.join(columns) or 'none'}."
    )


def select_genres(frame: "pd.DataFrame", genres: Sequence[str] | None, weight: str) -> list[str]:
    """Return the requested genres, else those with most of `weight`, at most one per colour.

    Raise `BadTrainingConfig` for an unknown genre, or for too many.
    """
    totals = frame.groupby("genre")[weight].sum()
    if genres is None:
        ordered = sorted(totals.index, key=lambda genre: (-float(totals[genre]), str(genre)))
        return sorted(str(genre) for genre in ordered[: len(COLOURS)])
    if len(genres) > len(COLOURS):
        raise BadTrainingConfig(f"At most {len(COLOURS)} genres have a colour: name fewer.")
    check_genres(genres, [str(genre) for genre in totals.index])
    return list(genres)


def check_genres(genres: Sequence[str], there: Sequence[str]) -> None:
    """Raise `BadTrainingConfig` for an unknown genre."""
    for genre in genres:
        if genre not in there:
            raise BadTrainingConfig(
                f"There is no genre {genre!r} here. There are: {', '.join(there)}."
            )


def model_rows(frame: "pd.DataFrame", request: PlotRequest, how: str) -> "pd.DataFrame":
    """Return the rows of the requested model; raise `BadTrainingConfig` without any."""
    if request.model is not None:
        chosen = frame[frame["model_id"] == request.model]
        name = f"model {request.model}"
    else:
        chosen = frame[(frame["task"] == request.task) & (frame["status"] == "champion")]
        name = f"the champion of the task {request.task!r}"
    if len(chosen) == 0:
        raise BadTrainingConfig(f"There is nothing to plot about {name}: {how}.")
    return chosen
