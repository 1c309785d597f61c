"""The overview: how far is the harvest, can the model be believed, and what is to do."""

from typing import Any

from web import svg, template_filters
from web.newest_tracks import any_without_request, labelled_since
from web.next_steps import MAX_ELSEWHERE, Facts, next_steps
from web.page_sections import Page, Section, by_name, query, stored
from web.pages import PageRequest
from web.pages.disputes import disputes_without_verdict
from web.pages.genre_table import bars, genre_table
from web.pages.source_budgets import all_sources
from web.pages.training_tracks import facts as training_facts
from web.pages.training_tracks import training_tracks

_CHAMPION = """
SELECT regime, model_id, estimator, trained_rows, n, accuracy, accuracy_low, accuracy_high,
       created_at, origin
FROM model_leaderboard WHERE task = 'main' AND status = 'champion' ORDER BY regime
"""
_OTHER_ACCURACIES = """
SELECT side, regime, value, n FROM model_metrics
WHERE task = 'main' AND status = 'champion' AND metric = 'accuracy' AND genre IS NULL
  AND side = 'random'
"""
_CLASSES = """
SELECT count(DISTINCT genre) AS classes FROM model_metrics
WHERE task = 'main' AND status = 'champion' AND genre IS NOT NULL
"""
_DISPUTES = """
SELECT * FROM label_disputes ORDER BY probability DESC, track_id LIMIT 500
"""
_JOBS = """
SELECT name AS job, outcome, started_at, finished_at, error FROM harvest_health
WHERE kind = 'job' ORDER BY started_at DESC
"""
_VERDICTS = "SELECT count(*) AS verdicts FROM verdict"
_CURVES = "SELECT count(*) AS curves FROM experiment WHERE kind = 'learning_curve'"

SHOWN_DISPUTES = 10


def page(request: PageRequest) -> Page:
    """Return the overview."""
    connection = request.connection
    champion = query(connection, "champion", _CHAMPION)
    genres = genre_table(request)
    totals = _totals(genres)
    disputes = disputes_without_verdict(
        connection, stored(connection, "disputes", _DISPUTES, "label_disputes"), SHOWN_DISPUTES
    )
    jobs = query(connection, "jobs", _JOBS)
    sources = all_sources(connection, only_requested=True)
    random_split = query(connection, "random_split", _OTHER_ACCURACIES)
    classes = query(connection, "classes", _CLASSES)
    regimes = {row["regime"]: row for row in champion.records}
    intervals = {name: _interval(regimes.get(name)) for name in ("new_artist", "seen_artist")}
    number_of_classes = (classes.first() or {}).get("classes") or 0
    guess = 1 / number_of_classes if number_of_classes else None
    leaking = random_split.first() or {}
    claimed = leaking.get("value")
    facts = _facts(request, totals, genres, champion, jobs, sources)
    training = training_tracks(connection, (champion.first() or {}).get("model_id") or -1)
    return Page(
        "Overview",
        "overview.html",
        by_name(
            totals, champion, genres, disputes, jobs, sources, random_split, classes, training
        ),
        {
            "ruler": svg.ruler(intervals["new_artist"], intervals["seen_artist"], guess, claimed)
            if regimes
            else None,
            "regimes": regimes,
            "leaking": leaking,
            **training_facts(training),
            "next_steps": next_steps(facts),
            "genre_bars": [bars(row) for row in genres.records],
        },
    )


def _totals(genres: Section) -> Section:
    """Return one row with the sums over all genres."""
    rows = genres.records
    summed = ("target", "tracks", "with_features", "requests", "disputes")
    towards_targets = sum(min(row["tracks"], row["target"] or 0) for row in rows)
    sums = (len(rows), *(sum(row[name] or 0 for row in rows) for name in summed), towards_targets)
    columns = ("genres", *summed, "towards_targets")
    return Section("totals", columns, (sums,), "", genres.as_of)


def _interval(row: dict[str, Any] | None) -> svg.Interval:
    if row is None:
        return None, None, None
    return row["accuracy"], row["accuracy_low"], row["accuracy_high"]


def _facts(
    request: PageRequest,
    totals: Section,
    genres: Section,
    champion: Section,
    jobs: Section,
    sources: Section,
) -> Facts:
    connection = request.connection
    failed = next((row for row in jobs.records if row["outcome"] == "failed"), {})
    blocked = next((row for row in sources.records if _is_blocked(request, row)), {})
    rows = genres.records
    exhausted = [
        row for row in rows if row["missing"] and not row["open_shards"] and not row["paused"]
    ]
    first, model = totals.first() or {}, champion.first()
    newer = 0
    if model is not None:
        newer = labelled_since(connection, model["created_at"])
    return Facts(
        failed_job=failed.get("job"),
        error=failed.get("error"),
        blocked_source=blocked.get("source"),
        blocked_until=f"{template_filters.time(blocked.get('blocked_until'))} UTC",
        blocked_reason=blocked.get("blocked_reason"),
        wrong_queries=sorted(
            (
                (row["genre"], row["elsewhere"])
                for row in rows
                if row["elsewhere"] is not None and row["elsewhere"] > MAX_ELSEWHERE
            ),
            key=lambda pair: -pair[1],
        ),
        disputes=sum(row["disputes"] for row in rows),
        verdicts=(query(connection, "verdicts", _VERDICTS).first() or {}).get("verdicts", 0),
        tracks=first.get("tracks", 0),
        without_features=_without_features(request, first),
        champion=model["model_id"] if model else None,
        growth=newer / max(first.get("tracks", 0) - newer, 1),
        has_learning_curve=bool((query(connection, "c", _CURVES).first() or {}).get("curves")),
        missing=sum(row["missing"] for row in exhausted),
        exhausted=[(row["genre"], row["tracks"]) for row in exhausted],
    )


def _without_features(request: PageRequest, totals: dict[str, Any]) -> int:
    """Return the number of tracks without features; 0 if all of them were requested already."""
    missing = totals.get("tracks", 0) - totals.get("with_features", 0)
    if missing and any_without_request(request.connection):
        return int(missing)
    return 0


def _is_blocked(request: PageRequest, row: dict[str, Any]) -> bool:
    until = row["blocked_until"]
    return until is not None and until > request.now
