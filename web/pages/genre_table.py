"""The table of genres: progress, overlap, recall, confusion and disputes of each."""

from typing import Any

from web import svg
from web.pages import PageRequest
from web.sections import Section, query

_PROGRESS = """
SELECT genre, target, tracks, sightings, with_features, requests, open_shards, paused
FROM genre_progress
ORDER BY CASE WHEN target > 0 THEN 1.0 * tracks / target ELSE 2 END, genre
"""
_RECALLS = """
SELECT genre, regime, value, low, high, n FROM model_metrics
WHERE task = 'main' AND status = 'champion' AND side = 'test' AND metric = 'recall'
  AND genre IS NOT NULL AND regime IN ('new_artist', 'seen_artist')
"""
_CONFUSIONS = """
SELECT genre, predicted, sum(tracks) AS tracks FROM genre_confusions
WHERE task = 'main' AND status = 'champion' AND genre <> predicted
GROUP BY genre, predicted ORDER BY genre, sum(tracks) DESC, predicted
"""
_TESTED = """
SELECT genre, sum(tracks) AS tracks FROM genre_confusions
WHERE task = 'main' AND status = 'champion' GROUP BY genre
"""
_DISPUTES = "SELECT claim, count(*) AS disputes FROM label_disputes GROUP BY claim"

COLUMNS = (
    "genre", "target", "tracks", "missing", "tracks_per_request", "elsewhere", "with_features",
    "recall_new", "recall_new_low", "recall_new_high", "recall_seen", "recall_seen_low",
    "recall_seen_high", "confused_with", "confused_share", "disputes", "paused", "open_shards",
)  # fmt: skip


def genre_table(request: PageRequest) -> Section:
    """Return one row per genre, the one that lacks most first."""
    connection = request.connection
    progress = query(connection, "genres", _PROGRESS)
    recalls = {
        (row["genre"], row["regime"]): row
        for row in query(connection, "recalls", _RECALLS).records
    }
    tested = {row["genre"]: row["tracks"] for row in query(connection, "t", _TESTED).records}
    confused: dict[str, dict[str, Any]] = {}
    for row in query(connection, "confusions", _CONFUSIONS).records:
        confused.setdefault(row["genre"], row)
    disputes = {row["claim"]: row["disputes"] for row in query(connection, "d", _DISPUTES).records}
    rows = []
    for one in progress.records:
        genre, tracks, sightings = one["genre"], one["tracks"], one["sightings"]
        target = one["target"]
        new = recalls.get((genre, "new_artist"), {})
        seen = recalls.get((genre, "seen_artist"), {})
        other = confused.get(genre)
        rows.append(
            (
                genre,
                target,
                tracks,
                max(target - tracks, 0) if target is not None else None,
                tracks / one["requests"] if one["requests"] else None,
                1 - min(tracks, sightings) / sightings if sightings else None,
                one["with_features"],
                new.get("value"),
                new.get("low"),
                new.get("high"),
                seen.get("value"),
                seen.get("low"),
                seen.get("high"),
                other["predicted"] if other else None,
                other["tracks"] / tested[genre] if other else None,
                disputes.get(genre, 0),
                one["paused"],
                one["open_shards"],
            )
        )
    return Section("genres", COLUMNS, tuple(rows), progress.sql)


def bars(row: dict[str, Any]) -> dict[str, Any]:
    """Return the pictures of a genre's row: its progress, and its recall in both regimes."""
    share = row["tracks"] / row["target"] if row["target"] else None
    new = row["recall_new"], row["recall_new_low"], row["recall_new_high"]
    seen = row["recall_seen"], row["recall_seen_low"], row["recall_seen_high"]
    style = "fill" if share is not None and share >= 1 else "fill-low"
    return {
        "bar": None if share is None else svg.bar(share, style=style),
        "marks": svg.marks(new, seen) if new[0] is not None or seen[0] is not None else None,
    }
