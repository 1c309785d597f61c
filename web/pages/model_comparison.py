"""Two models on the test tracks that both predicted; stored after a training or promotion."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup
from sqlalchemy import Connection

from web import svg
from web.forms import id_number
from web.page_sections import Page, Section, as_document, by_name, query
from web.pages import PageRequest
from web.problems import NotFound

SHOWN_GENRES: Final = 15
_MODELS = """
SELECT id AS model_id, estimator, status, trained_rows, licence_class, created_at
FROM model WHERE id IN (:first, :second) ORDER BY id
"""
_COMPARISON = """
SELECT model_id, other_id, compared_at, document FROM model_comparison
WHERE (model_id = :first AND other_id = :second) OR (model_id = :second AND other_id = :first)
"""
_STORED = "SELECT model_id, other_id FROM model_comparison ORDER BY model_id, other_id"
_CONDITION_COLUMNS: Final = (
    "condition", "n", "accuracy", "other_accuracy", "difference", "low", "high", "only_this",
    "only_other",
)  # fmt: skip
_GENRE_COLUMNS: Final = ("genre", "n", "recall", "other_recall", "hits_gained")
_TRACK_COLUMNS: Final = ("track_id", "label", "genre", "other_genre", "condition")


def page(request: PageRequest) -> Page:
    """Return the comparison of the models `?a=` and `?b=`; raise `NotFound` for another model."""
    first, second = request.number("a", -1), request.number("b", -1)
    models = query(request.connection, "models", _MODELS, first=first, second=second)
    if len(models.rows) < 2:
        texts = " and ".join(repr(request.query.get(name, "")) for name in ("a", "b"))
        raise NotFound(f"Two models are compared, by their numbers; there are no two {texts}.")
    stored = query(request.connection, "comparison", _COMPARISON, first=first, second=second)
    found = stored.first()
    document = {} if found is None else as_document(found["document"])
    if found is not None and found["model_id"] != first:
        document = _turned(document)
    as_of = None if found is None else found["compared_at"]
    sections = [
        _section(name, columns, document.get(name, ()), stored.sql, as_of)
        for name, columns in (
            ("conditions", _CONDITION_COLUMNS),
            ("genres", _GENRE_COLUMNS),
            ("tracks", _TRACK_COLUMNS),
        )
    ]
    tracks = sections[-1]
    return Page(
        f"Models {first} and {second}",
        "model_comparison.html",
        by_name(*sections, models),
        {
            "a": first,
            "b": second,
            "is_stored": found is not None,
            "not_counted": document.get("not_counted", 0),
            "names": _names(request.connection, [row["track_id"] for row in tracks.records]),
            "differences": [_picture(row) for row in sections[0].records],
            "stored": stored_pairs(request.connection),
            "shown_genres": SHOWN_GENRES,
        },
    )


def _picture(row: Mapping[str, Any]) -> Markup:
    style = "new" if row["condition"] == "new_artist" else "known"
    return svg.difference((row["difference"], row["low"], row["high"]), style)


def stored_pairs(connection: Connection) -> list[tuple[int, int]]:
    """Return the models of each stored comparison."""
    return [(int(model), int(other)) for model, other in query(connection, "pairs", _STORED).rows]


def comparable(connection: Connection, model: int) -> list[int]:
    """Return the models with which a model has a stored comparison."""
    return [a if b == model else b for a, b in stored_pairs(connection) if model in {a, b}]


def _section(
    name: str,
    columns: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    sql: str,
    as_of: datetime | None,
) -> Section:
    cells = tuple(tuple(row[column] for column in columns) for row in rows)
    return Section(name, columns, cells, sql, as_of)


def _turned(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a comparison as seen from the other model."""
    swapped = {
        "accuracy": "other_accuracy",
        "recall": "other_recall",
        "only_this": "only_other",
        "genre": "other_genre",
    }
    both_ways = {**swapped, **{new: old for old, new in swapped.items()}}
    negative = {"difference", "hits_gained"}

    def turned(row: Mapping[str, Any], *, of_genre: bool) -> dict[str, Any]:
        result = {
            name if of_genre and name == "genre" else both_ways.get(name, name): (
                -value if name in negative and value is not None else value
            )
            for name, value in row.items()
        }
        if row.get("low") is not None:
            result |= {"low": -row["high"], "high": -row["low"]}
        return result

    lists = ("conditions", "genres", "tracks")
    return {
        **document,
        **{
            name: [turned(row, of_genre=name == "genres") for row in document[name]]
            for name in lists
        },
    }


def _names(connection: Connection, tracks: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return title and artists of the tracks that are still in the database."""
    if not tracks:
        return {}
    ids = ", ".join(str(id_number(str(track))) for track in tracks)
    sql = f"SELECT id AS track_id, title, artists FROM track WHERE id IN ({ids})"
    return {row["track_id"]: row for row in query(connection, "names", sql).records}
