"""Labels that the champion disputes: its prediction is another genre than the claim."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from genrebase.store import tables
from web.pages import MAX_ROWS, PageRequest
from web.sections import Page, Section, by_name, stored

_ALL = "SELECT * FROM label_disputes ORDER BY probability DESC, track_id LIMIT 500"
_OF_CLAIM = """
SELECT * FROM label_disputes WHERE claim = :key ORDER BY probability DESC, track_id LIMIT 100
"""
_ORDERS = {
    "surest": lambda row: (-row["probability"], row["track_id"]),
    "also_seen": lambda row: (not row["also_seen"], -row["probability"], row["track_id"]),
    "closest": lambda row: (row["margin"], row["track_id"]),
}


def page(request: PageRequest) -> Page:
    """Return up to 100 of the surest disputed labels; `?order=`, `?genre=`, `?regime=` choose."""
    order = request.query.get("order", "surest")
    order = order if order in _ORDERS else "surest"
    genre, regime = request.query.get("genre", ""), request.query.get("regime", "")
    connection = request.connection
    sql = _OF_CLAIM if genre else _ALL
    surest = stored(connection, "disputes", sql.strip(), "label_disputes", genre)
    chosen = [
        row
        for row in surest.records
        if regime not in {"new_artist", "seen_artist"} or row["regime"] == regime
    ]
    chosen.sort(key=_ORDERS[order])
    rows = tuple(tuple(row.values()) for row in chosen)
    sorted_disputes = Section(surest.name, surest.columns, rows, surest.sql, surest.as_of)
    open_disputes = disputes_without_verdict(connection, sorted_disputes, MAX_ROWS + 1)
    has_more = len(open_disputes.rows) > MAX_ROWS
    disputes = replace(open_disputes, rows=open_disputes.rows[:MAX_ROWS])
    return Page(
        "Disputes",
        "disputes.html",
        by_name(disputes),
        {"order": order, "orders": tuple(_ORDERS), "genre": genre, "regime": regime,
         "has_more": has_more},
    )  # fmt: skip


def disputes_without_verdict(connection: Connection, disputes: Section, limit: int) -> Section:
    """Return the first disputes that nobody has settled since they were stored."""
    place = disputes.columns.index("track_id")
    verdict = tables.verdict.c.track_id
    ids = [row[place] for row in disputes.rows]
    settled = set(connection.scalars(select(verdict).where(verdict.in_(ids)))) if ids else set()
    rows: list[tuple[Any, ...]] = [row for row in disputes.rows if row[place] not in settled]
    return Section(
        disputes.name, disputes.columns, tuple(rows[:limit]), disputes.sql, disputes.as_of
    )
