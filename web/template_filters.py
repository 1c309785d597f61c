"""Filters of the templates: how numbers, times and links are written on the pages."""

import re
import shlex
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from genrebase.store import source_ids
from web.documents import as_html
from web.metric_names import title_of_metric

_SECONDS_PER_MINUTE: Final = 60
_CODE: Final = re.compile(r"`([^`]+)`")
_OUR_COMMAND: Final = re.compile(r"(collector|classifier|genrebase) \S")
_SECONDS_PER_HOUR: Final = 3_600


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separators; a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share, 0 to 1, in percent; a dash for none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def points(difference: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign; a dash for none."""
    return "–" if difference is None else f"{100 * difference:+.1f}"


def reached(count: int, target: int) -> str:
    """Return a count in percent of a target, rounded down: 100 % only if it is reached."""
    return f"{100 * count // target} %"


def metric(value: float | None, digits: int = 3) -> str:
    """Return a metric; a dash for none."""
    return "–" if value is None else f"{value:.{digits}f}"


def time(value: datetime | None) -> str:
    """Return a time in UTC to the minute; a dash for none."""
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M}"


def day(value: datetime | None) -> str:
    """Return a date; a dash for none."""
    return "–" if value is None else f"{value:%Y-%m-%d}"


def seconds(value: float | None) -> str:
    """Return a duration in its two largest units; a dash for none."""
    if value is None:
        return "–"
    if value < _SECONDS_PER_MINUTE:
        return f"{value:.0f} s"
    if value < _SECONDS_PER_HOUR:
        return f"{value // 60:.0f} min {value % 60:.0f} s"
    return f"{value // 3600:.0f} h {value % 3600 // 60:.0f} min"


def took(started: datetime | None, finished: datetime | None) -> str:
    """Return the time between two moments."""
    return seconds((finished - started).total_seconds()) if started and finished else "–"


def duration(milliseconds: int | None) -> str:
    """Return a track's duration as minutes:seconds; a dash for none."""
    if milliseconds is None:
        return "–"
    total = round(milliseconds / 1000)
    return f"{total // 60}:{total % 60:02d}"


def path(text: str) -> str:
    """Return a text as a part of a path."""
    return quote(text, safe="")


def parameters(values: Mapping[str, Any]) -> str:
    """Return parameters of an address, without the empty ones."""
    return urlencode({name: value for name, value in values.items() if value not in {None, ""}})


def spotify_link(track_id: str) -> str:
    """Return the address of a track at Spotify; empty unless the id has Spotify's form."""
    parsed = source_ids.parse_track_id(track_id)
    return f"https://open.spotify.com/track/{parsed}" if parsed else ""


def sentences(command_prefix: str) -> Callable[[str], Markup]:
    """Return a filter that writes texts with commands in backticks as HTML.

    `command_prefix` is written before each command of ours, as in the blocks with commands: a
    shell runs it on the database that the pages show.
    """

    def as_code(match: re.Match[str]) -> str:
        before = escape(command_prefix) if _OUR_COMMAND.match(match[1]) else ""
        return f"<code>{before}{match[1]}</code>"

    def written(text: str) -> Markup:
        return Markup(_CODE.sub(as_code, str(escape(text))))  # noqa: S704 - escaped

    return written


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "number": number,
    "percent": percent,
    "points": points,
    "reached": reached,
    "metric": metric,
    "metric_title": title_of_metric,
    "time": time,
    "day": day,
    "seconds": seconds,
    "duration": duration,
    "path": path,
    "shell": shlex.quote,
    "parameters": parameters,
    "spotify_link": spotify_link,
    "markdown": as_html,
}
