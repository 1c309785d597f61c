"""A map of genres as SVG: each genre a word beside its mean, with the spread of its tracks.

Words are placed twice, for wide and for narrow screens; the style sheet shows one of the two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from web.genre_map import GenreMap, GenrePoint, MapAxis
from web.svg import element, percent

HEIGHT: Final = 480
_MARGIN: Final = 0.05
"""Share of the chart on each side that stays empty."""
_MAX_ELLIPSES: Final = 30
"""Genres up to which the spread of each of them is drawn."""
_ALWAYS_SHOWN: Final = 16
"""Genres whose names are on the map of a narrow screen, too."""
_CHARACTER: Final = 0.58
"""Mean width of a character, in sizes of the font."""
_ASCENT: Final = 0.78
"""Height of a word above its baseline, in sizes of the font."""
_DESCENT: Final = 0.24
_GAP: Final = 6
"""Pixels between a genre's dot and the word beside it."""
_RADIUS: Final = 4
"""Pixels around the middle of a dot that no word covers."""
_AXIS: Final = 16
"""Pixels at the top and at the bottom for the names of the axes."""
_MAX_STEPS: Final = 10
"""Lines up to which a word is moved away from its dot, above and below."""
_MAX_TRIES: Final = 2_000
"""Steps of all words together, so that a map of many genres does not take long."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """A width of the chart for which words are placed."""

    style: str
    """Class in the style sheet, which shows it on screens of its width."""
    width: int
    """Pixels: the smallest width of the chart. On a wider one the words are further apart."""
    fonts: tuple[float, ...]
    """Pixels by size, 1 to 4; 0: not shown."""
    font_on: float
    """Pixels of the genre that stands out."""


_LAYOUTS: Final = (
    _Layout("wide", 680, (12.5, 14.5, 16.5, 18.0), 18.0),
    _Layout("narrow", 330, (0.0, 0.0, 13.5, 14.5), 18.0),
)
"""As in the style sheet."""
_Box = tuple[float, float, float, float]
"""Left, right, top and bottom of a word, in pixels."""


@dataclass(frozen=True, slots=True)
class _Dot:
    point: GenrePoint
    x: float
    """Share of the width."""
    y: float
    """Pixels from the top."""


def map_chart(genres: GenreMap, highlighted: str = "") -> Markup:
    """Return the chart; `highlighted` names a genre that stands out."""
    dots = _dots(genres.points)
    (_, span_x), (_, span_y) = _ranges(genres.points)
    parts = []
    for dot in dots:
        is_on = dot.point.genre == highlighted
        if is_on or (not highlighted and len(dots) <= _MAX_ELLIPSES):
            parts.append(
                element(
                    "ellipse",
                    class_="cloud-on" if is_on else "cloud",
                    cx=percent(dot.x),
                    cy=f"{dot.y:.1f}",
                    rx=percent(dot.point.spread_x / span_x * (1 - 2 * _MARGIN)),
                    ry=f"{dot.point.spread_y / span_y * (1 - 2 * _MARGIN) * HEIGHT:.1f}",
                )
            )
    parts += [
        element(
            "circle",
            class_="f-new" if dot.point.genre == highlighted else "f-claim",
            cx=percent(dot.x),
            cy=f"{dot.y:.1f}",
            r=3,
        )
        for dot in dots
    ]
    parts += [
        element("g", *_words(dots, layout, highlighted), class_=layout.style)
        for layout in _LAYOUTS
    ]
    across, up = f"{_title(genres.x)} →", f"↑ {_title(genres.y)}"
    parts.append(element("text", across, class_="axis", x="0", y=HEIGHT - 4))
    parts.append(element("text", up, class_="axis", x="0", y=12))
    names = ", ".join(point.genre for point in genres.points[:20])
    label = f"Map of {len(genres.points)} genres; the table below has the same: {names}"
    return element("svg", *parts, role="img", aria_label=label, height=HEIGHT)


def _title(axis: MapAxis) -> str:
    return axis.name.replace("_", " ")


def _range(centers: Sequence[float], spreads: Sequence[float]) -> tuple[float, float]:
    """Return the lower end of what a chart shows along an axis, and its length."""
    low = min(center - spread for center, spread in zip(centers, spreads, strict=True))
    high = max(center + spread for center, spread in zip(centers, spreads, strict=True))
    return low, (high - low) or 1.0


def _ranges(points: Sequence[GenrePoint]) -> tuple[tuple[float, float], tuple[float, float]]:
    return (
        _range([point.x for point in points], [point.spread_x for point in points]),
        _range([point.y for point in points], [point.spread_y for point in points]),
    )


def _dots(points: Sequence[GenrePoint]) -> list[_Dot]:
    (low_x, span_x), (low_y, span_y) = _ranges(points)
    dots = []
    for point in points:
        x = _MARGIN + (1 - 2 * _MARGIN) * (point.x - low_x) / span_x
        y = HEIGHT * (1 - _MARGIN - (1 - 2 * _MARGIN) * (point.y - low_y) / span_y)
        dots.append(_Dot(point, x, y))
    return dots


def _words(dots: Sequence[_Dot], layout: _Layout, highlighted: str) -> list[Markup]:
    """Return the genres' names, each where it covers the fewest dots and other names.

    The genre that stands out is placed first, then the one with the most tracks.
    """
    sizes = _sizes(dots)
    order = sorted(range(len(dots)), key=lambda place: dots[place].point.genre != highlighted)
    covered = np.array(
        [
            (x - _RADIUS, x + _RADIUS, dot.y - _RADIUS, dot.y + _RADIUS)
            for dot in dots
            for x in (dot.x * layout.width,)
        ]
    )
    steps = max(1, min(_MAX_STEPS, _MAX_TRIES // len(dots)))
    words = []
    for place in order:
        dot, size = dots[place], sizes[place]
        is_on = dot.point.genre == highlighted
        font = layout.font_on if is_on else layout.fonts[size - 1]
        if not font:
            continue
        anchor, y, box = _best(dot, layout, font, covered, steps)
        covered = np.vstack((covered, box))
        words.append(
            element(
                "text",
                dot.point.genre,
                class_="word-on" if is_on else f"word w{size}",
                x=percent(dot.x),
                y=f"{y:.1f}",
                dx={"start": _GAP, "end": -_GAP}.get(anchor),
                text_anchor=anchor,
            )
        )
    return words


def _best(
    dot: _Dot, layout: _Layout, font: float, covered: NDArray[np.float64], steps: int
) -> tuple[str, float, _Box]:
    """Return the anchor, the baseline and the box of a word: the first that covers nothing."""
    best, smallest = None, np.inf
    for anchor, y, box in _places(dot, layout, font, steps):
        left, right, top, bottom = box
        if left < 0 or right > layout.width or top < _AXIS or bottom > HEIGHT - _AXIS:
            continue
        across = np.minimum(covered[:, 1], right) - np.maximum(covered[:, 0], left)
        up = np.minimum(covered[:, 3], bottom) - np.maximum(covered[:, 2], top)
        area = float((np.clip(across, 0, None) * np.clip(up, 0, None)).sum())
        if area < smallest:
            best, smallest = (anchor, y, box), area
        if not area:
            break
    return best or next(_places(dot, layout, font, steps))


def _places(
    dot: _Dot, layout: _Layout, font: float, steps: int
) -> Iterator[tuple[str, float, _Box]]:
    """Yield where a word may be, the best first: above, below and beside its dot; further off."""
    width = _CHARACTER * font * len(dot.point.genre)
    x = dot.x * layout.width
    lefts = {"middle": x - width / 2, "start": x + _GAP, "end": x - _GAP - width}
    above, below = dot.y - _GAP - _DESCENT * font, dot.y + _GAP + _ASCENT * font
    beside = dot.y + (_ASCENT - _DESCENT) / 2 * font
    line = font * (_ASCENT + _DESCENT)
    first = [("middle", above), ("start", beside), ("end", beside), ("middle", below)]
    lines = [y for step in range(steps) for y in (above - step * line, below + step * line)]
    further = [(anchor, y) for y in lines for anchor in lefts]
    for anchor, y in first + further:
        left = lefts[anchor]
        yield anchor, y, (left, left + width, y - _ASCENT * font, y + _DESCENT * font)


def _sizes(dots: Sequence[_Dot]) -> list[int]:
    """Return a size per genre, 4 to 1, by its rank: a narrow screen leaves out 2 and 1."""
    quarter = max(_ALWAYS_SHOWN // 2, -(-len(dots) // 4))
    return [max(1, 4 - place // quarter) for place in range(len(dots))]
