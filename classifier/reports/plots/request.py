"""What is to be drawn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlotRequest:
    """A drawing, as it was asked for; each kind looks at what concerns it."""

    genres: tuple[str, ...] | None = None
    """None: all, or as many as can be told apart."""
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
