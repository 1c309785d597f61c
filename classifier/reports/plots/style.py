"""Style of all plots: figures without a display, colours, shared axes and filters.

The same data give the same bytes. The colours of genres are in `palette`; the colour map is
`cividis` (Nuñez et al., 2018), which colour-blind readers see as others do.
"""

import textwrap
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from classifier.errors import BadTrainingConfig
from classifier.model_records import REGIME_TITLES
from classifier.reports.plots import palette
from classifier.reports.plots.request import PlotRequest
from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.extras import install_hint

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Figure  # noqa: PLC0414 - other modules use it
else:
    Figure = Any  # matplotlib is optional

FORMATS: Final = ("svg", "png", "pdf")
COLOURS: Final = palette.COLOURS
"""Of series that are no genres."""
MAX_GENRES: Final = 40
"""Genres that may be drawn as lines: as many as differ by colour and line."""
N_DEFAULT_GENRES: Final = len(COLOURS)
"""Genres that are drawn as lines if none are named."""
MAX_BANDS: Final = 4
"""Lines up to which the intervals are drawn: more bands cover one another."""
SYNTHETIC: Final = "Synthetic catalogue: none of this is real music."
KEYS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CATEGORY_NAMES: Final = {"key": dict(enumerate(KEYS)), "mode": {0: "minor", 1: "major"}}
"""The names of the values of features that are categories."""
COLOUR_MAP: Final = "cividis"
_MAX_NAMED: Final = 8
"""Genres that are not drawn, and named."""
_INDENT: Final = "  "
"""Before the further lines of a note."""
_MAX_LABEL: Final = 22
"""Characters."""
_STYLE: Final[Any] = {
    "svg.hashsalt": "genrebase",
    "svg.fonttype": "none",  # text stays searchable, in the reader's font
    "pdf.fonttype": 42,  # TrueType: text stays searchable
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.dpi": 150,
    "text.parse_math": False,  # a genre's name may contain a dollar
}


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, inches wide and high; raise `UserError` without matplotlib."""
    try:
        # slow to import, and an optional dependency
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError(
            f"Plots need matplotlib. {install_hint('plot')}, or pip install matplotlib."
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


def add_legend(axes: "Axes", *, above: bool = False, **options: Any) -> None:
    """Add a legend without a frame, beside the axes or above them: it never covers data."""
    place = (
        {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 4}
        if above
        else {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    )
    axes.legend(frameon=False, fontsize=8, **place, **options)


def add_caption(
    figure: Figure, request: PlotRequest, title: str, notes: Sequence[str] = ()
) -> None:
    """Set the size, the title and, at the lower edge, the notes; invented data are marked."""
    if request.size is not None:
        figure.set_size_inches(*request.size)
    width = figure.get_size_inches()[0]
    text = title if request.title is None else request.title.strip()
    figure.suptitle(textwrap.fill(text, int(width * 10)), fontsize=11)
    lines = [SYNTHETIC] if request.synthetic else []
    lines = [
        textwrap.fill(note, int(width * 17), subsequent_indent=_INDENT)
        for note in (*notes, *lines)
    ]
    if lines:
        figure.supxlabel(
            "\n".join(lines), x=0.01, ha="left", fontsize=7, color="#444444", multialignment="left"
        )


def notes_of(figure: Figure) -> tuple[str, ...]:
    """Return the notes of a figure, each on one line."""
    return tuple(figure.get_supxlabel().replace(f"\n{_INDENT}", " ").splitlines())


def count_tracks(number: float, what: str = "tracks") -> str:
    """Return a note such as `n = 1,043 tracks`."""
    return f"n = {int(number):,} {what}"


def count_by_condition(rows: "pd.DataFrame", what: str) -> list[str]:
    """Return a note on how many tracks each test condition has; `rows` has regime and n."""
    counts = rows.groupby("regime")["n"].max().dropna()
    listed = ", ".join(
        f"{int(counts[regime]):,} of {title}"
        for regime, title in REGIME_TITLES.items()
        if regime in counts.index
    )
    return [f"n = {what}: {listed}."] if listed else []


def band_note(lines: int, intervals: str) -> str:
    """Return a note on the bands of a plot with so many lines."""
    if lines <= MAX_BANDS:
        return f"Bands: {intervals}."
    return f"Intervals are drawn for at most {MAX_BANDS} genres (--genres)."


def name_categories(axes: "Axes", feature: str, axis: Literal["x", "y"]) -> None:
    """Name the values of a feature that is a category, such as C, C#, … for the key."""
    labels = CATEGORY_NAMES.get(feature)
    if labels is not None:
        set_ticks = axes.set_xticks if axis == "x" else axes.set_yticks
        set_ticks(list(labels), list(labels.values()))


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
    axes.set_ylim(-0.6, len(keys) - 0.4)
    add_legend(axes, above=True)


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
        raise BadTrainingConfig(
            f"{file} is neither SVG, PNG nor PDF: end its name with .svg, .png or .pdf."
        )
    return name


def save_figure(figure: Figure, place: Path, as_format: str) -> None:
    """Write a figure; equal figures give equal bytes."""
    metadata = {
        "svg": {"Date": None, "Creator": "Genrebase"},
        "png": {"Software": "Genrebase"},
        "pdf": {"CreationDate": None, "Creator": "Genrebase"},
    }
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


@dataclass(frozen=True, slots=True)
class DrawnGenres:
    """The genres of a plot with a line, or points, per genre."""

    names: tuple[str, ...]
    styles: dict[str, palette.GenreStyle]
    left_out: tuple[str, ...]
    """Those with fewer tracks, the largest first."""

    @property
    def has_bands(self) -> bool:
        """Whether there is room for intervals."""
        return len(self.names) <= MAX_BANDS

    def notes(self, total: float, intervals: str | None = None) -> list[str]:
        """Return the notes: the number of tracks, the intervals, and what is not drawn."""
        lines = [count_tracks(total)]
        if intervals is not None:
            lines.append(band_note(len(self.names), intervals))
        if self.left_out:
            listed = ", ".join(self.left_out[:_MAX_NAMED])
            more = len(self.left_out) - _MAX_NAMED
            listed += f" and {more:,} more" if more > 0 else ""
            lines.append(
                f"{len(self.names)} of {counted(len(self.names) + len(self.left_out), 'genre')}, "
                f"those with most tracks. Not drawn: {listed} (--genres draws those it names)."
            )
        return lines


def select_genres(frame: "pd.DataFrame", request: PlotRequest, weight: str) -> DrawnGenres:
    """Return the requested genres, else those with most of `weight`, ten at most.

    Raise `BadTrainingConfig` for an unknown genre, or for too many.
    """
    totals = frame.groupby("genre")[weight].sum()
    existing = [str(genre) for genre in totals.index]
    styles = palette.genre_styles({*request.all_genres, *existing})
    if request.genres is None:
        ordered = sorted(existing, key=lambda genre: (-float(totals[genre]), genre))
        chosen, left_out = sorted(ordered[:N_DEFAULT_GENRES]), ordered[N_DEFAULT_GENRES:]
        return DrawnGenres(tuple(chosen), styles, tuple(left_out))
    if len(request.genres) > MAX_GENRES:
        raise BadTrainingConfig(
            f"At most {MAX_GENRES} genres can be distinguished in one plot: name fewer."
        )
    check_genres(request.genres, existing)
    return DrawnGenres(tuple(dict.fromkeys(request.genres)), styles, ())


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
