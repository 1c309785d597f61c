"""How many tracks a model was trained on, of how many there were, and why not on the others."""

from typing import Any, Final

from sqlalchemy import Connection

from web.page_sections import Section, as_document, query

_COUNTS = "SELECT track_counts, training_config FROM model WHERE id = :model_id"
_REASONS: Final = {
    "no_label": "without a label",
    "licence_or_level": "without a label under {labels}",
    "tracks_per_genre": "beyond the limit of tracks per genre",
    "unusable_label": "with a label that it does not use (several genres, no mapping)",
    "other_genre": "of genres that were left out",
    "few_tracks": "of genres with too few tracks",
    "test": "held out for the test",
    "validation": "held out for validation",
    "no_side": "by artists of several sides of the split",
    "per_genre": "not drawn for a smaller training",
}
_LABELS: Final = {
    "open": "an open licence",
    "noncommercial": "an open or non-commercial licence",
    "any": "the wanted level",
}


def training_tracks(connection: Connection, model_id: int) -> Section:
    """Return the tracks there were when a model was trained: one row each that is not used.

    The first row has the tracks it was trained on. No rows: they were not counted, as for a refit.
    """
    stored = query(connection, "training", _COUNTS, model_id=model_id)
    row = stored.first() or {}
    counts = as_document(row.get("track_counts"))
    columns = ("reason", "tracks", "share")
    if not counts:
        return Section("training", columns, (), stored.sql)
    labels = _LABELS[str(as_document(row.get("training_config")).get("licence", "any"))]
    total = max(counts["tracks"], 1)
    left_out = sorted(counts["left_out"].items(), key=lambda pair: -pair[1])
    rows = [("trained on", counts["trained"], counts["trained"] / total)] + [
        (_REASONS.get(name, name).format(labels=labels), count, count / total)
        for name, count in left_out
    ]
    return Section("training", columns, tuple(rows), stored.sql)


def facts(training: Section) -> dict[str, Any]:
    """Return the number of tracks there were, and the rows of those that were left out."""
    records = training.records
    return {
        "all_tracks": sum(row["tracks"] for row in records) if records else None,
        "left_out": records[1:],
    }
