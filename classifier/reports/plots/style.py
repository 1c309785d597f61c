"""Where drawings are made: without a screen, the same bytes for the same figures.

Colours are those of Okabe & Ito (2008), told apart also by the colour-blind; scales of one colour
are `cividis` (Nuñez et al., 2018), made for the same.
"""

import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifier.errors import BadTrainingConfig
from classifier.reports.plots.request import PlotRequest
from genrebase.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FORMATS: Final = ("svg", "png")
COLOURS: Final = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#B8A800",
)  # fmt: skip
"""As many lines as can be told apart in one drawing. The last is a darker yellow than theirs, for
white paper."""
COLOUR_MAP: Final = "cividis"
REGIME_TITLES: Final = {"new_artist": "new artists", "seen_artist": "artists it knows"}
_LONGEST: Final = 22
"""Characters of a label."""
_STYLE: Final[Any] = {
    "svg.hashsalt": "genrebase",
    "svg.fonttype": "none",  # text stays text: it can be searched, and is set in the reader's font
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.dpi": 150,
    "text.parse_math": False,  # a dollar in a genre's name is a dollar
}


class NoMatplotlib(UserError):
    """Drawing was asked for and cannot be done."""


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, inches wide and high; raise `NoMatplotlib`."""
    try:
        # slow to import, and an extra: only those who draw have to have it
        from matplotlib.figure import Figure
    except ImportError:
        raise NoMatplotlib(
            "Drawing needs matplotlib: pip install 'genrebase[plot]' (or pip install matplotlib)."
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw as all our drawings look, while the block runs."""
    from matplotlib import rc_context  # see `new_figure`

    with rc_context(_STYLE), warnings.catch_warnings():
        # a name in a script that our font lacks: boxes in a PNG, and right in an SVG
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def file_format(file: Path) -> str:
    """Return the format that the file's name ends with; raise `BadTrainingConfig`."""
    found = file.suffix.removeprefix(".").lower()
    if found not in FORMATS:
        raise BadTrainingConfig(f"{file} is neither SVG nor PNG: end its name with .svg or .png.")
    return found


def save_figure(figure: "Figure", place: Path, as_format: str) -> None:
    """Write a figure; the same figure gives the same bytes."""
    metadata = {"svg": {"Date": None, "Creator": "Genrebase"}, "png": {"Software": "Genrebase"}}
    figure.savefig(place, format=as_format, metadata=metadata[as_format])


def shorten_label(label: object) -> str:
    """Return a label that is not too long."""
    text = str(label)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def resolve_feature(feature: str, known: Collection[str]) -> str:
    """Return the feature, or what files are measured by instead where only that is known.

    Raise `BadTrainingConfig` where neither is.
    """
    for name in (feature, f"own_{feature}"):
        if name in known:
            return name
    raise BadTrainingConfig(
        f"There is no feature {feature!r} to draw. Known: {', '.join(known) or 'none'}."
    )


def select_genres(frame: "pd.DataFrame", genres: Sequence[str] | None, weight: str) -> list[str]:
    """Return the genres asked for, else those with most of `weight`, as many as can be told apart.

    Raise `BadTrainingConfig` for one that is not there, or for too many.
    """
    totals = frame.groupby("genre")[weight].sum()
    if genres is None:
        ordered = sorted(totals.index, key=lambda genre: (-float(totals[genre]), str(genre)))
        return sorted(str(genre) for genre in ordered[: len(COLOURS)])
    if len(genres) > len(COLOURS):
        raise BadTrainingConfig(f"At most {len(COLOURS)} genres can be told apart: name fewer.")
    check_genres(genres, [str(genre) for genre in totals.index])
    return list(genres)


def check_genres(genres: Sequence[str], there: Sequence[str]) -> None:
    """Raise `BadTrainingConfig` for a genre that is not there."""
    for genre in genres:
        if genre not in there:
            raise BadTrainingConfig(
                f"There is no genre {genre!r} here. There are: {', '.join(there)}."
            )


def model_rows(frame: "pd.DataFrame", wanted: PlotRequest, how: str) -> "pd.DataFrame":
    """Return the rows about the model asked for; raise `BadTrainingConfig` where there are none."""
    if wanted.model is not None:
        chosen = frame[frame["model_id"] == wanted.model]
        name = f"model {wanted.model}"
    else:
        chosen = frame[(frame["task"] == wanted.task) & (frame["status"] == "champion")]
        name = f"the champion of the task {wanted.task!r}"
    if len(chosen) == 0:
        raise BadTrainingConfig(f"There is nothing to draw about {name}: {how}.")
    return chosen
