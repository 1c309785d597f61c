"""Faults of Spotify's pages: a wrong total, a missing `next`, short pages. Pure.

No fault hides a row.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox import Json
from sandbox.api.spotify_objects import MAX_RESULTS
from sandbox.middleware.faults import Fault

_WRONG_TOTALS: Final = (0, 1, 0.5, 1.5)
"""Factors of the right total; Spotify's came as 62, 18, 14 and 0 within minutes."""


class SpotifyPageFaults:
    """The faults of a response with a page in it."""

    def possible(self, document: Any) -> Sequence[Fault]:
        """Return the faults that the page in `document` can have without hiding a row."""
        page = find_page(document)
        if page is None:
            return ()
        of_page = {
            Fault.SHORT: len(page["items"]) > 1,
            Fault.TOTAL: True,
            Fault.NEXT: page["next"] is not None,
            Fault.REPEATED: bool(page["items"]),
        }
        return tuple(fault for fault, possible in of_page.items() if possible)

    def apply(self, document: Any, fault: Fault, random: Random) -> None:
        """Change the page in `document` as the fault requires."""
        page = find_page(document)
        assert page is not None  # noqa: S101 - only then is such a fault possible
        if fault is Fault.SHORT:
            _shorten(page, random.randrange(1, len(page["items"])))
        elif fault is Fault.TOTAL:
            wrong = round(random.choice(_WRONG_TOTALS) * page["total"])
            page["total"] = page["total"] + 7 if wrong == page["total"] else wrong
        elif fault is Fault.NEXT:
            page["next"] = None
        elif fault is Fault.REPEATED:
            at = random.randrange(len(page["items"]))
            page["items"].insert(random.randint(at, len(page["items"])), page["items"][at])


def find_page(document: Any) -> Json | None:
    """Return the first page in a response: the response itself, or one of its fields."""
    if not isinstance(document, dict):
        return None
    return next((value for value in (document, *document.values()) if _is_page(value)), None)


def _shorten(page: Json, n_items: int) -> None:
    """Keep the first items; `next` leads to the first one removed."""
    del page["items"][n_items:]
    offset = page["offset"] + n_items
    limit = page["limit"] if offset >= MAX_RESULTS else min(page["limit"], MAX_RESULTS - offset)
    parts = urlsplit(page["href"])
    query = {**dict(parse_qsl(parts.query)), "offset": str(offset), "limit": str(limit)}
    page["next"] = urlunsplit(parts._replace(query=urlencode(query)))


def _is_page(value: Any) -> bool:
    return isinstance(value, dict) and {"items", "next", "offset", "total"} <= value.keys()
