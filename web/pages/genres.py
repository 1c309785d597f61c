"""The list of all genres, and the page of one genre."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from genrebase.digests import store as digests
from web import svg
from web.forms import choice
from web.page_sections import Page, Section, by_name, query, stored, with_values
from web.pages import MAX_ROWS, PageRequest
from web.pages.genre_table import bars, genre_table
from web.problems import NotFound

_EXISTS = "SELECT id FROM genre WHERE name = :genre"
_PROGRESS_COLUMNS = (
    "genre", "target", "tracks", "sightings", "with_features", "requests", "open_shards",
    "capped_shards", "paused",
)  # fmt: skip
_GENRE = f"""
SELECT {", ".join(_PROGRESS_COLUMNS)}
FROM genre_progress WHERE genre = :genre
"""
_METRICS = """
SELECT regime, metric, value, low, high, n FROM model_metrics
WHERE task = 'main' AND status = 'champion' AND side = 'test' AND genre = :genre
  AND metric IN ('recall', 'precision', 'f1') AND regime IN ('new_artist', 'seen_artist')
ORDER BY metric, regime
"""
_CONFUSIONS = """
WITH confusions AS (
  SELECT predicted, regime, tracks, share FROM genre_confusions
  WHERE task = 'main' AND status = 'champion' AND genre = :genre
    AND regime IN ('new_artist', 'seen_artist')
), largest AS (
  SELECT predicted, sum(tracks) AS total FROM confusions
  GROUP BY predicted ORDER BY total DESC, predicted LIMIT 12
)
SELECT predicted, regime, tracks, share FROM confusions JOIN largest USING (predicted)
ORDER BY total DESC, predicted, regime
"""
_TRAITS = """
SELECT feature, delta, low, high, value, other_value, n FROM genre_traits
WHERE genre = :genre AND against IS NULL ORDER BY abs(delta) DESC, feature LIMIT 12
"""
_PROFILE = "SELECT * FROM genre_profiles WHERE genre = :key ORDER BY genre, feature"
_NUMBERS = "SELECT * FROM acousticbrainz_profiles WHERE genre = :key ORDER BY genre, feature"
_OVERLAPS = """
SELECT * FROM genre_overlaps WHERE :key IN (genre, other_genre)
ORDER BY tracks DESC, genre, other_genre
"""
_TRENDS = "SELECT * FROM genre_trends WHERE genre = :key ORDER BY genre, release_year"
_TYPICAL = """
SELECT track_id, title, artists, distance, percentile, nearest_genre FROM track_matches
WHERE genre = :genre ORDER BY distance, track_id LIMIT 8
"""
_ODDEST = """
SELECT track_id, title, artists, distance, percentile, nearest_genre FROM track_matches
WHERE genre = :genre ORDER BY distance DESC, track_id LIMIT 8
"""
_CANDIDATES = "SELECT * FROM genre_candidates WHERE genre = :key ORDER BY genre, place"
_SEPARABILITIES = """
SELECT other_genre, auc, n, other_n FROM genre_separabilities
WHERE task = 'main' AND status = 'champion' AND regime = 'all' AND genre = :genre
ORDER BY auc, other_genre LIMIT 10
"""
_SORTABLE = (
    "genre", "tracks", "missing", "elsewhere", "tracks_per_request", "recall_new", "recall_seen",
    "disputes",
)  # fmt: skip


_SHOWN_OVERLAPS = 12
_SHOWN_CANDIDATES = 10


def list_page(request: PageRequest) -> Page:
    """Return the page of all genres; `?q=` filters by name, `?sort=` sorts (`-` descending)."""
    table = genre_table(request)
    words = request.query.get("q", "").casefold()
    sort = request.query.get("sort", "")
    choice({"sort": sort.removeprefix("-")}, "sort", _SORTABLE)
    rows = [row for row in table.rows if words in str(row[0]).casefold()]
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name in _SORTABLE:
        column = table.columns.index(name)
        known = [row for row in rows if row[column] is not None]
        unknown = [row for row in rows if row[column] is None]
        rows = [*sorted(known, key=lambda row: row[column], reverse=descending), *unknown]
    section = replace(table, rows=tuple(rows))
    return Page(
        "Genres",
        "genres.html",
        by_name(section),
        {"words": request.query.get("q", ""), "sort": sort, "sortable": _SORTABLE,
         "bars": [bars(row) for row in section.records], "all_genres": len(table.rows)},
    )  # fmt: skip


def genre_page(request: PageRequest) -> Page:
    """Return the page of one genre; raise `NotFound`."""
    name, connection = request.path["genre"], request.connection
    genre = _progress_of(connection, name)
    sections = [genre]
    for section, sql in (
        ("metrics", _METRICS), ("confusions", _CONFUSIONS), ("traits", _TRAITS),
        ("typical", _TYPICAL), ("oddest", _ODDEST), ("separabilities", _SEPARABILITIES),
    ):  # fmt: skip
        sections.append(query(connection, section, sql, genre=name))
    for section, view, sql in (
        ("profile", "genre_profiles", _PROFILE),
        ("numbers", "acousticbrainz_profiles", _NUMBERS),
        ("overlaps", "genre_overlaps", _OVERLAPS),
        ("decades", "genre_trends", _TRENDS),
        ("candidates", "genre_candidates", _CANDIDATES),
    ):
        sections.append(stored(connection, section, sql.strip(), view, name))
    by = by_name(*sections)
    candidates = by["candidates"]
    by |= {
        "overlaps": _overlaps_of(by["overlaps"], name),
        "decades": _per_decade(by["decades"]),
        "candidates": replace(candidates, rows=candidates.rows[:_SHOWN_CANDIDATES]),
    }
    decades = by["decades"].records
    total = sum(row["tracks"] for row in decades) or 1
    return Page(
        name,
        "genre.html",
        by,
        {
            "genre": genre.first(),
            "metrics_of": _by_regime(by["metrics"], "metric"),
            "predictions_of": _by_regime(by["confusions"], "predicted"),
            "decades": svg.histogram([row["tracks"] / total for row in decades]),
            "max_rows": MAX_ROWS,
        },
    )


def _by_regime(section: Section, key: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a section under their key and their regime, in the section's order."""
    rows: dict[str, dict[str, Any]] = {}
    for row in section.records:
        rows.setdefault(row[key], {})[row["regime"]] = row
    return rows


def _progress_of(connection: Connection, genre: str) -> Section:
    """Return the row of a genre, stored if there are digests; raise `NotFound`."""
    if not query(connection, "genre", _EXISTS, genre=genre).rows:
        raise NotFound(f"There is no genre {genre!r}. The page Genres lists all of them.")
    digest = digests.read(connection, "genre_progress", "")
    place = digest.columns.index("genre") if digest else 0
    row = next((row for row in digest.rows if row[place] == genre), None) if digest else None
    if digest is None or row is None:  # a new genre has no digest yet
        return query(connection, "genre", _GENRE, genre=genre)
    cells = tuple(row[digest.columns.index(name)] for name in _PROGRESS_COLUMNS)
    sql = with_values(_GENRE, {"genre": genre})
    return Section("genre", _PROGRESS_COLUMNS, (cells,), sql, digest.as_of)


def _with_rows(section: Section, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Section:
    return replace(section, columns=columns, rows=tuple(rows))


def _overlaps_of(section: Section, genre: str) -> Section:
    """Return the other genre, the shared tracks, and their shares of this genre and the other."""
    rows = []
    for row in section.records[:_SHOWN_OVERLAPS]:
        is_first = row["genre"] == genre
        other = row["other_genre"] if is_first else row["genre"]
        shares = row["share"], row["other_share"]
        rows.append((other, row["tracks"], *(shares if is_first else reversed(shares))))
    return _with_rows(section, ("other_genre", "tracks", "share", "other_share"), rows)


def _per_decade(section: Section) -> Section:
    tracks: dict[int, int] = {}
    for row in section.records:
        tracks[row["decade"]] = tracks.get(row["decade"], 0) + row["tracks"]
    return _with_rows(section, ("decade", "tracks"), sorted(tracks.items()))
