"""Faults of paginated responses: a wrong total, a missing `next`, short pages. Pure.

No fault hides a row.
"""

from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox import Json
from sandbox.api.json_objects import MAX_RESULTS
from sandbox.middleware.faults import Fault

_WRONG_TOTALS: Final = (0, 1, 0.5, 1.5)
"""Factors of the right total; Spotify's came as 62, 18, 14 and 0 within minutes."""


def find_page(document: Any) -> Json | None:
    """Return the first page in a response: the response itself, or one of its fields."""
    if not isinstance(document, dict):
        return None
    return next((value for value in (document, *document.values()) if _is_page(value)), None)


def apply_fault(page: Json, fault: Fault, random: Random) -> None:
    """Change `page` as the fault requires."""
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
