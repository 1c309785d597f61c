"""The table of genres: progress, overlap, recall, confusion and disputes of each."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from genrebase.digests import store as digests
from genrebase.store import tables
from genrebase.store.views.review import MIN_DISPUTE_PROBABILITY, InChampionClasses
from genrebase.store.views.shared import champion_id
from web import svg
from web.page_sections import Section, query, stored, stored_by_key
from web.pages import PageRequest

_PROGRESS = "SELECT * FROM genre_progress ORDER BY genre"
_RECALLS = """
SELECT genre, regime, value, low, high, n FROM model_metrics
WHERE task = 'main' AND status = 'champion' AND side = 'test' AND metric = 'recall'
  AND genre IS NOT NULL AND regime IN ('new_artist', 'seen_artist')
"""
_CONFUSIONS = """
SELECT genre, predicted, sum(tracks) AS tracks FROM genre_confusions
WHERE task = 'main' AND status = 'champion'
GROUP BY genre, predicted ORDER BY genre, sum(tracks) DESC, predicted
"""
_DISPUTES = "SELECT claim, count(*) AS disputes FROM label_disputes GROUP BY claim"

COLUMNS = (
    "genre", "target", "tracks", "missing", "tracks_per_request", "elsewhere", "with_features",
    "recall_new", "recall_new_low", "recall_new_high", "recall_seen", "recall_seen_low",
    "recall_seen_high", "confused_with", "confused_share", "disputes", "paused", "open_shards",
    "requests",
)  # fmt: skip


def genre_table(request: PageRequest) -> Section:
    """Return one row per genre, the one that lacks most first."""
    connection = request.connection
    progress = stored(connection, "genres", _PROGRESS, "genre_progress")
    recalls = {
        (row["genre"], row["regime"]): row
        for row in query(connection, "recalls", _RECALLS).records
    }
    tested: dict[str, int] = {}
    confused: dict[str, dict[str, Any]] = {}
    for row in query(connection, "confusions", _CONFUSIONS).records:
        tested[row["genre"]] = tested.get(row["genre"], 0) + int(row["tracks"])
        if row["genre"] != row["predicted"]:
            confused.setdefault(row["genre"], row)
    disputes = dispute_counts(connection)
    rows = []
    for one in sorted(progress.records, key=_most_missing):
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
                *(of.get(name) for of in (new, seen) for name in ("value", "low", "high")),
                other["predicted"] if other else None,
                other["tracks"] / tested[genre] if other else None,
                disputes.get(genre, 0),
                one["paused"],
                one["open_shards"],
                one["requests"],
            )
        )
    return Section("genres", COLUMNS, tuple(rows), progress.sql, progress.as_of)


def dispute_counts(connection: Connection) -> dict[str, int]:
    """Return the number of disputes per claim, without those settled since they were stored."""
    keyed = stored_by_key(connection, "dispute_counts")
    if keyed is None:
        counts = query(connection, "disputes", _DISPUTES).records
        return {row["claim"]: int(row["disputes"]) for row in counts}
    settled = settled_since(connection, digests.as_of(connection))
    return {
        claim: max(sum(row["tracks"] for row in rows) - settled.get(claim, 0), 0)
        for claim, rows in keyed.items()
    }


def settled_since(connection: Connection, moment: datetime | None) -> dict[str, int]:
    """Return the number of disputes per claim whose first label by a person came after `moment`.

    None: no rows were stored, so none are out of date.
    """
    if moment is None:
        return {}
    track, first, claim = tables.track.c, tables.prediction.c, tables.genre.c
    verdict, earlier = tables.verdict.c, tables.verdict.alias("earlier").c
    was_labelled = select(earlier.track_id).where(
        earlier.track_id == track.id, earlier.labelled_at <= moment
    )
    query_of_claims = (
        select(claim.name, func.count().label("disputes"))
        .join(tables.track, track.genre_id == claim.id)
        .join(tables.prediction, and_(first.track_id == track.id, first.rank == 1))
        .where(
            track.id.in_(select(verdict.track_id).where(verdict.labelled_at > moment)),
            ~was_labelled.correlate(tables.track).exists(),
            first.model_id == champion_id(),
            first.genre_id != track.genre_id,
            first.probability >= MIN_DISPUTE_PROBABILITY,
            InChampionClasses(claim.name),
        )
        .group_by(claim.name)
    )
    return {row.name: row.disputes for row in connection.execute(query_of_claims)}


def _most_missing(row: dict[str, Any]) -> tuple[float, str]:
    target = row["target"]
    return (row["tracks"] / target if target else 2.0, row["genre"])


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
