"""Small SVG charts as markup, without a script. Every text in them is escaped.

Widths are percentages of the chart, so that it fits its column; heights are pixels. Colours come
from the style sheet by class name.
"""

from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

_HISTOGRAM_HEIGHT: Final = 20.0
_DIAMOND: Final = "M0-5 5 0 0 5-5 0z"

Interval = tuple[float | None, float | None, float | None]
"""A share from 0 to 1, and the bounds of its confidence interval; None where there is none."""


def element(name: str, *children: Markup | str, **attributes: Any) -> Markup:
    """Return an SVG element; `_` in attribute names is `-`, and a trailing one is dropped.

    `name` and the attributes' names are ours; values and texts are escaped.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(children)
    return Markup("<{name}{written}>{inner}</{name}>").format(
        name=name, written=written, inner=inner
    )


def _rect(style: str, **place: Any) -> Markup:
    return element("rect", class_=style, **place)


def _across(style: str, start: str, end: str, y: float) -> Markup:
    """Return a horizontal line."""
    return element("line", class_=style, x1=start, x2=end, y1=y, y2=y)


def _up(style: str, x: str, top: float, bottom: float) -> Markup:
    """Return a vertical line."""
    return element("line", class_=style, x1=x, x2=x, y1=top, y2=bottom)


def _picture(*parts: Markup, **attributes: Any) -> Markup:
    """Return a chart beside a text that says the same."""
    return element("svg", *parts, **attributes, aria_hidden="true")


def percent(share: float) -> str:
    """Return a share of the width, 0 to 1, as an SVG length; values outside are clipped."""
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


def bar(share: float, *, style: str = "fill", width: int = 96) -> Markup:
    """Return a horizontal bar of a share, 0 to 1, on its track."""
    shape = {"height": 5, "y": 3.5, "rx": 2.5}
    parts = _rect("track", width="100%", **shape), _rect(style, width=percent(share), **shape)
    return _picture(*parts, class_="w-bar", width=width, height=12)


def histogram(shares: Sequence[float]) -> Markup:
    """Return a small histogram of shares, one bar each; the highest fills the height."""
    highest = max(shares, default=0.0) or 1.0
    step = 60 / max(len(shares), 1)
    bars = []
    for number, share in enumerate(shares):
        x, width = f"{number * step:.1f}", f"{step * 0.75:.1f}"
        y = f"{_HISTOGRAM_HEIGHT * (1 - share / highest):.1f}"
        height = f"{_HISTOGRAM_HEIGHT * share / highest:.1f}"
        bars.append(_rect("h", x=x, width=width, y=y, height=height))
    return _picture(*bars, class_="w-hist", width=60, height=_HISTOGRAM_HEIGHT)


def marks(unseen: Interval, seen: Interval) -> Markup:
    """Return the shares of both test conditions on one axis: a circle and a diamond."""
    parts = [
        _across("grid", "0", "100%", 10),
        *_mark(unseen, "new", 10),
        *_mark(seen, "known", 10),
    ]
    return _picture(*parts, class_="w-dots", width=146, height=20)


def difference(values: Interval, style: str) -> Markup:
    """Return a difference of shares on an axis from -0.2 to 0.2, 0 in its middle."""
    share, low, high = (None if one is None else 0.5 + one / 0.4 for one in values)
    parts = [_across("grid", "0", "100%", 10), _up("ax", "50%", 2, 18)]
    parts += _mark((share, low, high), style, 10)
    return _picture(*parts, class_="w-dots", width=146, height=20)


def _mark(values: Interval, style: str, y: float) -> list[Markup]:
    share, low, high = values
    if share is None:
        return []
    parts = []
    if low is not None and high is not None:
        parts.append(_across(f"s-{style}", percent(low), percent(high), y))
    parts.append(point(share, style, y))
    return parts


def point(share: float, style: str, y: float) -> Markup:
    """Return the mark of a test condition: a circle (`new`), a diamond (`known`)."""
    if style == "new":
        return element("circle", class_="f-new", cx=percent(share), cy=y, r=4.2)
    diamond = element("path", class_="f-known", d=_DIAMOND)
    return element("svg", diamond, x=percent(share), y=y, overflow="visible")


def ruler(
    unseen: Interval, seen: Interval, guess: float | None, random_split: float | None
) -> Markup:
    """Return one axis from 0 to 100% with the accuracies of both test conditions.

    A random guess and the accuracy that a random split would give are marked on it, too.
    """
    parts = [_across("ax", "0", "100%", 56)]
    for tick in range(0, 101, 20):
        anchor = {0: "start", 100: "end"}.get(tick, "middle")
        label = f"{tick} %" if tick in {0, 100} else str(tick)
        parts.append(_up("ax", f"{tick}%", 56, 61))
        parts.append(element("text", label, x=f"{tick}%", y=76, text_anchor=anchor))
    for share, label, y in (
        (guess, "random guess", 92),
        (random_split, "a random split would claim", 109),
    ):
        if share is None:
            continue
        at = percent(share)
        parts.append(_up("lead", at, 61, y - 11))
        text = f"{label} {100 * share:.1f}"
        parts.append(element("text", text, x=at, y=y, text_anchor=_anchor(share)))
    if random_split is not None:
        box = _rect("hollow", x=-4, y=-4, width=8, height=8)
        parts.append(element("svg", box, x=percent(random_split), y=56, overflow="visible"))
    rows = (unseen, "new", "unseen artists", 14), (seen, "known", "seen artists", 14)
    both = [values[0] for values, *_ in rows if values[0] is not None]
    close = len(both) > 1 and abs(both[0] - both[1]) < 0.2
    for values, style, name, y in rows:
        share = values[0]
        if share is None:
            continue
        parts += _mark(values, style, 56)
        if close:  # the two labels stand beside each other
            lower = share == min(both)
            anchor = "end" if lower else "start"
            at = percent(share + (0.01 if lower else -0.01))
        else:
            anchor, at = _anchor(share), percent(share)
        place = {"x": at, "text_anchor": anchor}
        parts.append(element("text", f"{100 * share:.1f}", class_=f"t-{style}", y=y, **place))
        parts.append(element("text", name, y=y + 16, **place))
    label = _ruler_text(unseen, seen, guess, random_split)
    return element("svg", *parts, role="img", aria_label=label)


def _anchor(share: float) -> str:
    if share < 0.12:
        return "start"
    return "end" if share > 0.88 else "middle"


def _ruler_text(
    unseen: Interval, seen: Interval, guess: float | None, random_split: float | None
) -> str:
    parts = []
    for name, (share, low, high) in (("unseen artists", unseen), ("seen artists", seen)):
        if share is not None:
            bounds = (
                "" if low is None else f", 95% interval {100 * low:.1f} to {100 * (high or 0):.1f}"
            )
            parts.append(f"{name} {100 * share:.1f} percent{bounds}")
    if guess is not None:
        parts.append(f"a random guess {100 * guess:.1f}")
    if random_split is not None:
        parts.append(f"a random split would claim {100 * random_split:.1f}")
    return "Accuracy on test tracks: " + "; ".join(parts) + "."


def strip(value: float, rows: Sequence[tuple[str, Sequence[float]]], label: str) -> Markup:
    """Return a value on the distributions of genres.

    Each row is a style (`claim` or `ans`) and its percentiles 5, 25, 50, 75 and 95.
    """
    numbers = [value, *(number for _style, distribution in rows for number in distribution)]
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1.0
    parts = []
    for number, (style, (p05, p25, p50, p75, p95)) in enumerate(rows):
        y = 5 + 11 * number
        for name, start, end in ((f"b-{style}", p05, p95), (f"b-{style}2", p25, p75)):
            x, width = percent((start - low) / span), percent((end - start) / span)
            parts.append(_rect(name, x=x, width=width, y=y, height=9, rx=2))
        parts.append(_up(f"m-{style}", percent((p50 - low) / span), y, y + 9))
    parts.append(_up("me", percent((value - low) / span), 1, 28))
    return element("svg", *parts, role="img", aria_label=label)


def probability(share: float, style: str) -> Markup:
    """Return a thin bar of a probability."""
    shape = {"height": 6, "y": 2, "rx": 3}
    return _picture(
        _rect("track", width="100%", **shape), _rect(style, width=percent(share), **shape)
    )


def lollipop(share: float, other: float | None) -> Markup:
    """Return a line from 0 to a share with a mark at its end, and another share as a dot."""
    end = percent(0.02 + 0.96 * share)
    parts = [_across("grid", "2%", "98%", 7), _across("s-new", "2%", end, 7)]
    if other is not None:
        at = percent(0.02 + 0.96 * other)
        parts.append(element("circle", class_="f-claim", cx=at, cy=7, r=3))
    return _picture(*parts, point(0.02 + 0.96 * share, "new", 7))


def fold_strip(fold: int, validation: Sequence[int], test: Sequence[int], label: str) -> Markup:
    """Return the ten folds of a name as boxes; the track's own is filled."""
    boxes = []
    for number in range(10):
        style = "fo-v" if number in validation else "fo-t" if number in test else "fo"
        box, text = ("fo-on", "t-on") if number == fold else (style, None)
        x = number * 24
        boxes.append(_rect(box, x=x, y=1, width=20, height=20, rx=3))
        boxes.append(
            element("text", str(number), class_=text, x=x + 10, y=15, text_anchor="middle")
        )
    return element("svg", *boxes, width=240, height=22, role="img", aria_label=label)
