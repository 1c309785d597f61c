"""The options of a plot."""

from dataclasses import dataclass


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
