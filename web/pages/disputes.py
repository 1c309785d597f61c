"""Labels that the champion disputes: its prediction is another genre than the claim."""

from collections import Counter
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from genrebase.store import tables
from web.blind_labels import wrong_label_rates
from web.dispute_orders import BY_ROW, LEARNS_MOST, ORDERS, learns_most, primary_artist
from web.labelling_sessions import HOLD_SECONDS
from web.page_sections import Page, Section, by_name, query, stored, stored_by_key
from web.pages import MAX_ROWS, PageRequest
from web.pages.genre_table import dispute_counts, settled_since

_STORED: Final = 500
_STORED_OF_CLAIM: Final = 100
"""Disputes that a digest has at most."""
_ALL = "SELECT * FROM label_disputes ORDER BY probability DESC, track_id LIMIT 500"
_OF_CLAIM = """
SELECT * FROM label_disputes WHERE claim = :key ORDER BY probability DESC, track_id LIMIT 100
"""
_VERDICTS = "SELECT count(*) FROM verdict"
_REGIMES: Final = ("new_artist", "seen_artist")
_MORE = """
SELECT * FROM label_disputes
WHERE (:genre = '' OR claim = :genre) AND (:regime = '' OR regime = :regime)
ORDER BY probability DESC, track_id LIMIT :limit
"""


def page(request: PageRequest) -> Page:
    """Return up to 100 of the surest disputed labels; `?order=`, `?genre=`, `?regime=` choose."""
    order, genre, regime = _choice(request)
    disputes = disputes_without_verdict(
        request.connection, _sorted(request, _surest(request)), MAX_ROWS + 1
    )
    settled = settled_since(request.connection, disputes.as_of)
    has_more = len(disputes.rows) > MAX_ROWS
    wrong = wrong_label_rates(request.connection)
    return Page(
        "Disputes",
        "disputes.html",
        by_name(replace(disputes, rows=disputes.rows[:MAX_ROWS]), wrong),
        {"order": order, "orders": ORDERS, "genre": genre, "regime": regime,
         "has_more": has_more, "total": None if regime else _total(request, genre),
         "settled": settled.get(genre, 0) if genre else sum(settled.values()),
         "verdicts": query(request.connection, "verdicts", _VERDICTS).rows[0][0],
         "hold_minutes": round(HOLD_SECONDS / 60), "hide": "1" if request.flag("hide") else ""},
    )  # fmt: skip


def _total(request: PageRequest, genre: str) -> int:
    """Return the number of disputes of a claim (empty: of all)."""
    counts = dispute_counts(request.connection)
    return counts.get(genre, 0) if genre else sum(counts.values())


def stored_candidates(request: PageRequest) -> tuple[list[int], bool]:
    """Return the tracks of the stored disputes to decide, and whether the view may have more."""
    _order, genre, _regime = _choice(request)
    surest = _surest(request)
    disputes = _sorted(request, surest)
    unsettled = disputes_without_verdict(request.connection, disputes, len(disputes.rows))
    is_cut = len(surest.rows) >= (_STORED_OF_CLAIM if genre else _STORED)
    return [row["track_id"] for row in unsettled.records], is_cut or surest.is_pending


def more_candidates(request: PageRequest, limit: int) -> list[int]:
    """Return the tracks of the `limit` surest disputes, read from the view itself."""
    _order, genre, regime = _choice(request)
    rows = query(request.connection, "disputes", _MORE, genre=genre, regime=regime, limit=limit)
    return [row["track_id"] for row in _sorted(request, rows).records]


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
    return (
        request.choice("order", ORDERS) or "surest",
        request.query.get("genre", ""),
        request.choice("regime", _REGIMES),
    )


def _surest(request: PageRequest) -> Section:
    _order, genre, _regime = _choice(request)
    sql = _OF_CLAIM if genre else _ALL
    return stored(request.connection, "disputes", sql.strip(), "label_disputes", genre)


def _sorted(request: PageRequest, disputes: Section) -> Section:
    """Return the disputes of the chosen regime in the chosen order."""
    order, _genre, regime = _choice(request)
    rows = [row for row in disputes.records if not regime or row["regime"] == regime]
    chosen: list[Any] = sorted(rows, key=BY_ROW[order]) if order in BY_ROW else []
    if order == LEARNS_MOST:
        pairs, judged = _pair_tracks(request.connection, rows), _judged(request.connection, rows)
        chosen = learns_most(rows, pairs, judged)
    return replace(disputes, rows=tuple(tuple(row.values()) for row in chosen))


def _pair_tracks(connection: Connection, rows: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """Return the number of disputes per claim and prediction: stored, or else of these rows."""
    keyed = stored_by_key(connection, "dispute_counts")
    if keyed is None:
        return dict(Counter((row["claim"], row["genre"]) for row in rows))
    return {
        (row["claim"], row["genre"]): row["tracks"] for pairs in keyed.values() for row in pairs
    }


def _judged(connection: Connection, rows: list[dict[str, Any]]) -> set[str]:
    """Return the primary artists of these disputes of whom a track has a label by a person."""
    own, other = tables.track_artist.alias("own"), tables.track_artist.alias("other")
    labelled = (
        select(tables.verdict.c.track_id)
        .join(other, other.c.track_id == tables.verdict.c.track_id)
        .where(other.c.artist_id == own.c.artist_id, other.c.position == 0)
    )
    by_track = {row["track_id"]: row for row in rows}
    query_of_tracks = select(own.c.track_id).where(
        own.c.track_id.in_(by_track), own.c.position == 0, labelled.exists()
    )
    tracks = connection.scalars(query_of_tracks) if by_track else ()
    return {primary_artist(by_track[track]) for track in tracks}
