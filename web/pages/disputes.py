"""Labels that the champion disputes: its prediction is another genre than the claim."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from genrebase.store import tables
from web.pages import MAX_ROWS, PageRequest
from web.sections import Page, Section, by_name, query, stored

_STORED: Final = 500
_STORED_OF_CLAIM: Final = 100
"""Disputes that a digest has at most."""
_ALL = "SELECT * FROM label_disputes ORDER BY probability DESC, track_id LIMIT 500"
_OF_CLAIM = """
SELECT * FROM label_disputes WHERE claim = :key ORDER BY probability DESC, track_id LIMIT 100
"""
_MORE = """
SELECT * FROM label_disputes
WHERE (:genre = '' OR claim = :genre) AND (:regime = '' OR regime = :regime)
ORDER BY probability DESC, track_id LIMIT :limit
"""
_ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "surest": lambda row: (-row["probability"], row["track_id"]),
    "also_seen": lambda row: (not row["also_seen"], -row["probability"], row["track_id"]),
    "closest": lambda row: (row["margin"], row["track_id"]),
}


def page(request: PageRequest) -> Page:
    """Return up to 100 of the surest disputed labels; `?order=`, `?genre=`, `?regime=` choose."""
    order, genre, regime = _choice(request)
    disputes = disputes_without_verdict(
        request.connection, _sorted(_surest(request), order, regime), MAX_ROWS + 1
    )
    has_more = len(disputes.rows) > MAX_ROWS
    return Page(
        "Disputes",
        "disputes.html",
        by_name(replace(disputes, rows=disputes.rows[:MAX_ROWS])),
        {"order": order, "orders": tuple(_ORDERS), "genre": genre, "regime": regime,
         "has_more": has_more},
    )  # fmt: skip


def stored_candidates(request: PageRequest) -> tuple[list[int], bool]:
    """Return the tracks of the stored disputes to decide, and whether the view may have more."""
    order, genre, regime = _choice(request)
    surest = _surest(request)
    disputes = _sorted(surest, order, regime)
    unsettled = disputes_without_verdict(request.connection, disputes, len(disputes.rows))
    is_cut = len(surest.rows) >= (_STORED_OF_CLAIM if genre else _STORED)
    return [row["track_id"] for row in unsettled.records], is_cut or surest.is_pending


def more_candidates(request: PageRequest, limit: int) -> list[int]:
    """Return the tracks of the `limit` surest disputes, read from the view itself."""
    order, genre, regime = _choice(request)
    rows = query(request.connection, "disputes", _MORE, genre=genre, regime=regime, limit=limit)
    return [row["track_id"] for row in _sorted(rows, order, regime).records]


def disputes_without_verdict(connection: Connection, disputes: Section, limit: int) -> Section:
    """Return the first disputes that nobody has settled since they were stored."""
    place = disputes.columns.index("track_id")
    verdict = tables.verdict.c.track_id
    ids = [row[place] for row in disputes.rows]
    settled = set(connection.scalars(select(verdict).where(verdict.in_(ids)))) if ids else set()
    rows: list[tuple[Any, ...]] = [row for row in disputes.rows if row[place] not in settled]
    return replace(disputes, rows=tuple(rows[:limit]))


def _choice(request: PageRequest) -> tuple[str, str, str]:
    """Return the order, the claim and the regime that an address chooses; empty: all."""
    order, regime = request.query.get("order", ""), request.query.get("regime", "")
    return (
        order if order in _ORDERS else "surest",
        request.query.get("genre", ""),
        regime if regime in {"new_artist", "seen_artist"} else "",
    )


def _surest(request: PageRequest) -> Section:
    _order, genre, _regime = _choice(request)
    sql = _OF_CLAIM if genre else _ALL
    return stored(request.connection, "disputes", sql.strip(), "label_disputes", genre)


def _sorted(disputes: Section, order: str, regime: str) -> Section:
    chosen = [row for row in disputes.records if not regime or row["regime"] == regime]
    chosen.sort(key=_ORDERS[order])
    return replace(disputes, rows=tuple(tuple(row.values()) for row in chosen))
