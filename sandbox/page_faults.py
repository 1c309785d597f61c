"""Pages in answers, and how a fault changes them: no row is ever hidden. Pure."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox.faults import Fault
from sandbox.json_objects import MAX_RESULTS, Json

_TOTALS: Final = (0, 1, 0.5, 1.5)
"""What a wrong total is of the right one; it came as 62, 18, 14 and 0 within minutes."""


def find_page(document: Any) -> Json | None:
    """Return the first page in an answer: the answer itself, or one of its fields."""
    if not isinstance(document, dict):
        return None
    return next((one for one in (document, *document.values()) if _is_page(one)), None)


def apply_fault(page: Json, fault: Fault, draw: Random) -> None:
    """Change `page` as the fault says."""
    if fault is Fault.SHORT:
        _shorten(page, draw.randrange(1, len(page["items"])))
    elif fault is Fault.TOTAL:
        wrong = round(draw.choice(_TOTALS) * page["total"])
        page["total"] = page["total"] + 7 if wrong == page["total"] else wrong
    elif fault is Fault.NEXT:
        page["next"] = None
    elif fault is Fault.REPEATED:
        at = draw.randrange(len(page["items"]))
        page["items"].insert(draw.randint(at, len(page["items"])), page["items"][at])


def _shorten(page: Json, left: int) -> None:
    """Leave the first items; `next` leads to the first that is left out."""
    del page["items"][left:]
    offset = page["offset"] + left
    limit = page["limit"] if offset >= MAX_RESULTS else min(page["limit"], MAX_RESULTS - offset)
    page["next"] = _at(page["href"], {"offset": str(offset), "limit": str(limit)})


def _at(address: str, changed: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **changed}
    return urlunsplit(parts._replace(query=urlencode(query)))


def _is_page(found: Any) -> bool:
    return isinstance(found, dict) and {"items", "next", "offset", "total"} <= found.keys()
