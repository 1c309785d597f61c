"""DuckDB's SQL of the labels that the champion disputes: how many, and which are the first.

They read the tables `prediction`, which has the champion's first predictions of at least
`MIN_DISPUTE_PROBABILITY`, and `champion_class`.
"""

from typing import Final

DISPUTES: Final = """
    CREATE TABLE dispute AS
    SELECT first.track_id, claim.name AS claim, predicted.name AS genre, first.probability
    FROM prediction AS first JOIN track ON track.id = first.track_id
    JOIN genre AS claim ON claim.id = track.genre_id
    JOIN genre AS predicted ON predicted.id = first.genre_id
    WHERE first.genre_id <> track.genre_id
        AND first.track_id NOT IN (SELECT track_id FROM verdict)
        AND claim.name IN (SELECT name FROM champion_class)
"""
"""The rows of `label_disputes`, with few columns."""

DISPUTE_COUNTS: Final = "SELECT claim, genre, count(*) AS tracks FROM dispute GROUP BY ALL"


def first_disputes(limit: int, keys: tuple[str, ...]) -> str:
    """Return the query of the ids of the first disputed tracks, of all or of each claim."""
    group = f"PARTITION BY {keys[0]} " if keys else ""
    return f"""
        SELECT track_id FROM dispute QUALIFY row_number() OVER (
            {group}ORDER BY probability DESC, track_id
        ) <= {limit}
    """
