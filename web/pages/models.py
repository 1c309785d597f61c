"""The models: a list, and the page of one model."""

from typing import Any

from web import svg
from web.forms import id_number
from web.metric_names import METRIC_NAMES
from web.page_sections import Page, Section, by_name, query
from web.pages import PageRequest
from web.pages.model_comparison import comparable, stored_pairs
from web.pages.training_tracks import facts, training_tracks
from web.problems import NotFound

_MODELS = """
SELECT m.id AS model_id, m.task, m.estimator, m.status, m.trained_rows, m.created_at,
       n.n AS n_new, n.accuracy AS accuracy_new, n.accuracy_low AS low_new,
       n.accuracy_high AS high_new, s.n AS n_seen, s.accuracy AS accuracy_seen,
       s.accuracy_low AS low_seen, s.accuracy_high AS high_seen, n.log_loss, n.ece, m.reason,
       m.licence_class
FROM model m
LEFT JOIN model_leaderboard n ON n.model_id = m.id AND n.regime = 'new_artist'
LEFT JOIN model_leaderboard s ON s.model_id = m.id AND s.regime = 'seen_artist'
ORDER BY m.id DESC LIMIT 50
"""
_MODEL = """
SELECT id AS model_id, task, estimator, status, trained_rows, created_at, seconds, pinned, reason
FROM model WHERE id = :model_id
"""
_METRICS = """
SELECT side, regime, metric, value, low, high, n FROM model_metrics
WHERE model_id = :model_id AND genre IS NULL AND side IN ('test', 'random')
ORDER BY CASE side WHEN 'test' THEN 0 ELSE 1 END, regime, metric
"""
_CONFUSIONS = """
SELECT genre, predicted, sum(tracks) AS tracks FROM genre_confusions
WHERE model_id = :model_id AND regime IN ('new_artist', 'seen_artist')
GROUP BY genre, predicted ORDER BY genre, predicted
"""
_GENRES = """
SELECT genre, regime, value AS recall, low, high, n FROM model_metrics
WHERE model_id = :model_id AND side = 'test' AND metric = 'recall' AND genre IS NOT NULL
  AND regime IN ('new_artist', 'seen_artist') ORDER BY genre, regime
"""
_IMPORTANCES = """
SELECT kind, feature, importance, low, high, n FROM feature_importances
WHERE model_id = :model_id AND genre IS NULL AND regime = 'new_artist'
ORDER BY kind, importance DESC, feature LIMIT 30
"""

MAX_MATRIX_GENRES = 20
"""Genres up to which the page shows the confusion matrix: a page has at most 1,500 elements."""
_FIRST_CONDITIONS = (
    ("test", "new_artist"), ("test", "new_artist_with_siblings"), ("test", "seen_artist"),
    ("test", "other"), ("test", "all"), ("random", "all"),
)  # fmt: skip


def list_page(request: PageRequest) -> Page:
    """Return the 50 newest models."""
    models = query(request.connection, "models", _MODELS)
    pictures = [
        svg.marks(
            (row["accuracy_new"], row["low_new"], row["high_new"]),
            (row["accuracy_seen"], row["low_seen"], row["high_seen"]),
        )
        for row in models.records
    ]
    others = {other: model for model, other in stored_pairs(request.connection)}
    return Page("Models", "models.html", by_name(models), {"marks": pictures, "others": others})


def model_page(request: PageRequest) -> Page:
    """Return the page of one model; raise `NotFound`."""
    text = request.path["model"]
    number = id_number(text, default=-1)
    connection = request.connection
    model = query(connection, "model", _MODEL, model_id=number)
    if not model.rows:
        raise NotFound(f"There is no model {text!r}. The page Models lists all of them.")
    sections = [model]
    for name, sql in (
        ("metrics", _METRICS), ("genres", _GENRES), ("confusions", _CONFUSIONS),
        ("importances", _IMPORTANCES),
    ):  # fmt: skip
        sections.append(query(connection, name, sql, model_id=number))
    training = training_tracks(connection, number)
    by = by_name(*sections, training)
    cells = {(row["genre"], row["predicted"]): row["tracks"] for row in by["confusions"].records}
    names = sorted({name for pair in cells for name in pair})
    totals = {
        name: sum(tracks for (genre, _), tracks in cells.items() if genre == name)
        for name in names
    }
    matrix = [
        (
            name,
            [
                (cells.get((name, other), 0), _shade(cells.get((name, other), 0), totals[name]))
                for other in names
            ],
        )
        for name in names
    ]
    return Page(
        f"Model {number}",
        "model.html",
        by,
        {
            "model": model.first(),
            "matrix": matrix if len(names) <= MAX_MATRIX_GENRES else None,
            "names": names,
            "conditions": _conditions(by["metrics"]),
            "metric_rows": _metric_rows(by["metrics"]),
            "comparable": comparable(connection, number),
            **facts(training),
        },
    )


def _conditions(metrics: Section) -> list[tuple[str, str]]:
    """Return the sides and test conditions that a model has metrics of."""
    existing = {(row["side"], row["regime"]) for row in metrics.records}
    first = [one for one in _FIRST_CONDITIONS if one in existing]
    return first + sorted(existing.difference(first))


def _metric_rows(metrics: Section) -> list[tuple[str, list[dict[str, Any] | None]]]:
    """Return each metric with its rows of `_conditions`, None where it has none."""
    cells = {(row["metric"], row["side"], row["regime"]): row for row in metrics.records}
    names = dict.fromkeys((*METRIC_NAMES, *(row["metric"] for row in metrics.records)))
    rows = [(name, [cells.get((name, *one)) for one in _conditions(metrics)]) for name in names]
    return [(name, of_metric) for name, of_metric in rows if any(of_metric)]


def _shade(tracks: int, total: int) -> int:
    """Return one of ten shades for a share, 0 for none."""
    return 0 if not tracks or not total else min(9, 1 + int(9 * tracks / total))
