"""The options of a plot."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from classifier.errors import BadTrainingConfig

MIN_INCHES, MAX_INCHES = 2.0, 40.0
"""Bounds of a plot's width and height."""


@dataclass(frozen=True, slots=True)
class PlotRequest:
    """The options of a plot; each kind uses some of them."""

    genres: tuple[str, ...] | None = None
    """None: all, or as many as there are colours."""
    feature: str = "energy"
    x: str = "energy"
    y: str = "acousticness"
    by: str = "year"
    """`year`, `decade` or `popularity`."""
    model: int | None = None
    """None: the champion of `task`."""
    task: str = "main"
    regime: str = "new_artist"
    experiment: int | None = None
    """None: the latest of its kind."""
    seed: int = 0
    title: str | None = None
    """None: the title of the kind."""
    size: tuple[float, float] | None = None
    """Width and height in inches; None: those of the kind."""
    all_genres: tuple[str, ...] = ()
    """All genres of the database: which of them are drawn does not change their colours."""
    synthetic: bool = False
    """Whether the tracks are invented (a synthetic catalogue)."""
    deviations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """The standard deviation of each (genre, feature)."""

    def __post_init__(self) -> None:
        """Raise `BadTrainingConfig` for a blank title or an impossible size."""
        if self.title is not None and not self.title.strip():
            raise BadTrainingConfig("--title needs a text; leave it out for the usual title.")
        if self.size is not None and not all(MIN_INCHES <= one <= MAX_INCHES for one in self.size):
            raise BadTrainingConfig(
                f"--size is in inches, {MIN_INCHES:g} to {MAX_INCHES:g} wide and high: 8x4.5."
            )


def parse_size(text: str) -> tuple[float, float]:
    """Return (width, height) of a size such as `8x4.5`; raise `BadTrainingConfig`."""
    try:
        width, height = (float(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        width = math.nan
    if math.isnan(width):
        raise BadTrainingConfig(f"--size {text!r}: give width x height in inches, such as 8x4.5.")
    return width, height
