"""Labels that the champion disputes: its prediction is another genre than the claim."""

from web.pages import MAX_ROWS, PageRequest
from web.sections import Page, Section, by_name, query

_COLUMNS = (
    "SELECT track_id, title, artists, claim, genre, probability, margin, also_seen, regime,"
    " in_training FROM label_disputes"
)
_ORDERS = {
    "surest": "probability DESC, track_id",
    "also_seen": "also_seen DESC, probability DESC, track_id",
    "closest": "margin, track_id",
}


def page(request: PageRequest) -> Page:
    """Return up to 100 disputed labels; `?order=`, `?genre=`, `?regime=` choose."""
    order = request.query.get("order", "surest")
    order = order if order in _ORDERS else "surest"
    genre, regime = request.query.get("genre", ""), request.query.get("regime", "")
    conditions, values = [], {}
    if genre:
        conditions.append("claim = :genre")
        values["genre"] = genre
    if regime in {"new_artist", "seen_artist"}:
        conditions.append("regime = :regime")
        values["regime"] = regime
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"{_COLUMNS}{where}\nORDER BY {_ORDERS[order]}\nLIMIT {MAX_ROWS + 1}"
    found = query(request.connection, "disputes", sql, **values)
    shown = Section("disputes", found.columns, found.rows[:MAX_ROWS], found.sql)
    return Page(
        "Disputes",
        "disputes.html",
        by_name(shown),
        {"order": order, "orders": tuple(_ORDERS), "genre": genre, "regime": regime,
         "has_more": len(found.rows) > MAX_ROWS},
    )  # fmt: skip
