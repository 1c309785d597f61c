"""The list of all genres, and the page of one genre."""

from web import svg
from web.pages import MAX_ROWS, NotFound, PageRequest
from web.pages.genre_table import bars, genre_table
from web.sections import Page, Section, by_name, query

_GENRE = """
SELECT genre, target, tracks, sightings, with_features, requests, open_shards, capped_shards,
       paused
FROM genre_progress WHERE genre = :genre
"""
_METRICS = """
SELECT regime, metric, value, low, high, n FROM model_metrics
WHERE task = 'main' AND status = 'champion' AND side = 'test' AND genre = :genre
  AND metric IN ('recall', 'precision', 'f1') AND regime IN ('new_artist', 'seen_artist')
ORDER BY metric, regime
"""
_CONFUSIONS = """
SELECT predicted, regime, tracks, share FROM genre_confusions
WHERE task = 'main' AND status = 'champion' AND genre = :genre
  AND regime IN ('new_artist', 'seen_artist')
ORDER BY tracks DESC, predicted, regime LIMIT 20
"""
_TRAITS = """
SELECT feature, delta, low, high, value, other_value, n FROM genre_traits
WHERE genre = :genre AND against IS NULL ORDER BY abs(delta) DESC, feature LIMIT 12
"""
_PROFILE = """
SELECT feature, n, mean, p05, p25, p50, p75, p95 FROM genre_profiles
WHERE genre = :genre ORDER BY feature
"""
_OVERLAPS = """
SELECT other_genre, tracks, share, other_share FROM genre_overlaps
WHERE genre = :genre ORDER BY tracks DESC, other_genre LIMIT 12
"""
_TRENDS = """
SELECT decade, sum(tracks) AS tracks FROM genre_trends WHERE genre = :genre
GROUP BY decade ORDER BY decade
"""
_TYPICAL = """
SELECT track_id, title, artists, distance, percentile, nearest_genre FROM track_matches
WHERE genre = :genre ORDER BY distance, track_id LIMIT 8
"""
_ODDEST = """
SELECT track_id, title, artists, distance, percentile, nearest_genre FROM track_matches
WHERE genre = :genre ORDER BY distance DESC, track_id LIMIT 8
"""
_CANDIDATES = """
SELECT place, track_id, title, artists, label, probability, also_seen, regime
FROM genre_candidates WHERE genre = :genre ORDER BY place LIMIT 10
"""
_SEPARABILITIES = """
SELECT other_genre, auc, n, other_n FROM genre_separabilities
WHERE task = 'main' AND status = 'champion' AND regime = 'all' AND genre = :genre
ORDER BY auc, other_genre LIMIT 10
"""
_SORTABLE = (
    "genre", "tracks", "missing", "elsewhere", "tracks_per_request", "recall_new", "recall_seen",
    "disputes",
)  # fmt: skip


def list_page(request: PageRequest) -> Page:
    """Return the page of all genres; `?q=` filters by name, `?sort=` sorts (`-` descending)."""
    table = genre_table(request)
    words = request.query.get("q", "").casefold()
    sort = request.query.get("sort", "")
    position = {name: number for number, name in enumerate(table.columns)}
    rows = [row for row in table.rows if words in str(row[0]).casefold()]
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name in _SORTABLE:
        column = position[name]
        rows = [
            *sorted(
                (row for row in rows if row[column] is not None),
                key=lambda row: row[column],
                reverse=descending,
            ),
            *(row for row in rows if row[column] is None),
        ]
    shown = Section(table.name, table.columns, tuple(rows), table.sql)
    return Page(
        "Genres",
        "genres.html",
        by_name(shown),
        {"words": request.query.get("q", ""), "sort": sort, "sortable": _SORTABLE,
         "bars": [bars(row) for row in shown.records], "all_genres": len(table.rows)},
    )  # fmt: skip


def genre_page(request: PageRequest) -> Page:
    """Return the page of one genre; raise `NotFound`."""
    name, connection = request.path["genre"], request.connection
    genre = query(connection, "genre", _GENRE, genre=name)
    if not genre.rows:
        raise NotFound(f"There is no genre {name!r}. The page Genres lists all of them.")
    sections = [genre]
    for section, sql in (
        ("metrics", _METRICS), ("confusions", _CONFUSIONS), ("traits", _TRAITS),
        ("profile", _PROFILE), ("overlaps", _OVERLAPS), ("decades", _TRENDS),
        ("typical", _TYPICAL), ("oddest", _ODDEST), ("candidates", _CANDIDATES),
        ("separabilities", _SEPARABILITIES),
    ):  # fmt: skip
        sections.append(query(connection, section, sql, genre=name))
    decades = next(one for one in sections if one.name == "decades").records
    total = sum(row["tracks"] for row in decades) or 1
    return Page(
        name,
        "genre.html",
        by_name(*sections),
        {
            "genre": genre.first(),
            "decades": svg.histogram([row["tracks"] / total for row in decades]),
            "max_rows": MAX_ROWS,
        },
    )
