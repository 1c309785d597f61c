"""One colour, line and marker per genre, bound to its name. Pure.

The colours are those of Okabe & Ito (2008), safe for colour-blind readers, with a darker yellow
for white paper, and two of Tol's. Lines and markers differ as well, so that no two genres look
alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from genrebase.store import names

COLOURS: Final = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#B8A800",
    "#882255", "#999999",
)  # fmt: skip
"""As many colours as folds: `names.hash_fold` gives a name its preferred colour."""
_LINES: Final[tuple[Any, ...]] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)))
_MARKERS: Final = "os^DvP*X<>"


@dataclass(frozen=True, slots=True)
class GenreStyle:
    """The colour, line and marker of a genre."""

    colour: str
    line: Any
    """A line style of matplotlib."""
    marker: str


def genre_styles(genres: Iterable[str]) -> dict[str, GenreStyle]:
    """Return the style of each genre of a database.

    It depends on the name alone, except for genres of one colour: in alphabetical order, the first
    keeps it, and others get a free one. Ten genres have ten colours; further ones have other
    lines.
    """
    styles: dict[str, GenreStyle] = {}
    remaining, level = sorted(set(genres)), 0
    while remaining:
        free = set(range(len(COLOURS)))
        for is_first_choice in (True, False):
            for genre in [name for name in remaining if name not in styles]:
                wanted = names.hash_fold(genre)
                if not free or (is_first_choice and wanted not in free):
                    continue
                place = min(free, key=lambda one, at=wanted: (one - at) % len(COLOURS))  # type: ignore[misc]
                free.remove(place)
                styles[genre] = GenreStyle(
                    COLOURS[place],
                    _LINES[level % len(_LINES)],
                    _MARKERS[(place + level) % len(_MARKERS)],
                )
        remaining = [genre for genre in remaining if genre not in styles]
        level += 1
    return styles
