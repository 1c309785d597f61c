"""A map of genres as SVG: each genre a word at its mean, with the spread of its tracks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from web.genre_map import GenreMap, GenrePoint
from web.svg import element, percent

HEIGHT: Final = 480
_WIDTH: Final = 860
"""Pixels for which words are placed; the chart's own width is that of its column."""
_MARGIN: Final = 0.05
"""Share of the chart on each side that stays empty."""
_LINE: Final = 17
"""Pixels between two words, one above the other."""
_CHARACTER: Final = 7.6
"""Pixels of a character, on average."""
_MAX_ELLIPSES: Final = 30
"""Genres up to which the spread of each of them is drawn."""
_ALWAYS_SHOWN: Final = 16
"""Genres whose names are on the map of a narrow screen, too."""
_ROUNDS: Final = 60
"""Rounds in which overlapping words push each other apart."""


@dataclass(slots=True)
class _Word:
    point: GenrePoint
    x: float
    """Share of the width."""
    y: float
    """Pixels from the top: of the mean."""
    text_y: float


def map_chart(genres: GenreMap, highlighted: str = "") -> Markup:
    """Return the chart; `highlighted` names a genre that stands out."""
    words = _words(genres.points)
    _push_apart(words)
    (_, span_x), (_, span_y) = _ranges(genres.points)
    parts = []
    for word in words:
        is_on = word.point.genre == highlighted
        if is_on or (not highlighted and len(words) <= _MAX_ELLIPSES):
            parts.append(
                element(
                    "ellipse",
                    class_="cloud-on" if is_on else "cloud",
                    cx=percent(word.x),
                    cy=f"{word.y:.1f}",
                    rx=percent(word.point.spread_x / span_x * (1 - 2 * _MARGIN)),
                    ry=f"{word.point.spread_y / span_y * (1 - 2 * _MARGIN) * HEIGHT:.1f}",
                )
            )
    parts += [
        element(
            "circle",
            class_="f-new" if word.point.genre == highlighted else "f-claim",
            cx=percent(word.x),
            cy=f"{word.y:.1f}",
            r=3,
        )
        for word in words
    ]
    sizes = _sizes(genres.points)
    for word, size in zip(words, sizes, strict=True):
        style = "word-on" if word.point.genre == highlighted else f"word w{size}"
        anchor = "start" if word.x < 0.1 else "end" if word.x > 0.9 else "middle"
        x, y = percent(word.x), f"{word.text_y:.1f}"
        text = element("text", word.point.genre, class_=style, x=x, y=y, text_anchor=anchor)
        parts.append(text)
    parts.append(element("text", f"{genres.x.name} →", class_="axis", x="0", y=HEIGHT - 4))
    parts.append(element("text", f"↑ {genres.y.name}", class_="axis", x="0", y=12))
    names = ", ".join(point.genre for point in genres.points[:20])
    label = f"Map of {len(genres.points)} genres; the table below has the same: {names}"
    return element("svg", *parts, role="img", aria_label=label, height=HEIGHT)


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


def _words(points: Sequence[GenrePoint]) -> list[_Word]:
    (low_x, span_x), (low_y, span_y) = _ranges(points)
    words = []
    for point in points:
        x = _MARGIN + (1 - 2 * _MARGIN) * (point.x - low_x) / span_x
        y = HEIGHT * (1 - _MARGIN - (1 - 2 * _MARGIN) * (point.y - low_y) / span_y)
        words.append(_Word(point, x, y, y - 7))
    return words


def _push_apart(words: list[_Word]) -> None:
    """Move words up and down until they overlap no more, or the rounds are over."""
    ordered = sorted(words, key=lambda word: (word.text_y, word.point.genre))
    for _round in range(_ROUNDS):
        has_moved = False
        for place, upper in enumerate(ordered):
            for lower in ordered[place + 1 :]:
                overlap = _LINE - abs(lower.text_y - upper.text_y)
                reach = _CHARACTER / 2 * (len(upper.point.genre) + len(lower.point.genre))
                if overlap <= 0 or abs(lower.x - upper.x) * _WIDTH >= reach:
                    continue
                upper.text_y = max(upper.text_y - overlap / 2, 26)
                lower.text_y = min(lower.text_y + overlap / 2, HEIGHT - 20)
                has_moved = True
        if not has_moved:
            return


def _sizes(points: Sequence[GenrePoint]) -> list[int]:
    """Return a size per genre, 4 to 1, by its rank: a narrow screen leaves out 2 and 1."""
    quarter = max(_ALWAYS_SHOWN // 2, -(-len(points) // 4))
    return [max(1, 4 - place // quarter) for place in range(len(points))]
