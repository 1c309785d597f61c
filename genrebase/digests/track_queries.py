"""DuckDB's SQL of the digests that name tracks: first which tracks, then their rows.

The tables `named` and `answer` have the titles and all predictions of these tracks only.
"""

from typing import Final

from genrebase.store.views.candidates import CANDIDATES_PER_GENRE
from genrebase.store.views.review import MIN_DISPUTE_PROBABILITY

DISPUTES: Final = f"""
    CREATE TABLE dispute AS
    SELECT first.track_id, claim.name AS claim, predicted.name AS genre, first.probability
    FROM prediction AS first JOIN track ON track.id = first.track_id
    JOIN genre AS claim ON claim.id = track.genre_id
    JOIN genre AS predicted ON predicted.id = first.genre_id
    WHERE first.rank = 1 AND first.probability >= {MIN_DISPUTE_PROBABILITY}
        AND first.genre_id <> track.genre_id
        AND first.track_id NOT IN (SELECT track_id FROM verdict)
        AND claim.name IN (SELECT name FROM champion_class)
"""
"""The rows of `label_disputes`, with few columns."""

DISPUTE_COUNTS: Final = "SELECT claim, genre, count(*) AS tracks FROM dispute GROUP BY ALL"

DISPUTE_ROWS: Final = """
    SELECT dispute.track_id, named.title, named.artists, dispute.claim, dispute.genre,
        dispute.probability, dispute.probability - coalesce(second.probability, 0.0) AS margin,
        claimed.probability AS claim_probability, seen.track_id IS NOT NULL AS also_seen,
        first.regime, first.in_training, first.model_id, first.predicted_at
    FROM dispute JOIN named ON named.id = dispute.track_id
    JOIN track ON track.id = dispute.track_id
    JOIN answer AS first ON first.track_id = dispute.track_id AND first.rank = 1
    LEFT JOIN answer AS second ON second.track_id = dispute.track_id AND second.rank = 2
    LEFT JOIN answer AS claimed
        ON claimed.track_id = dispute.track_id AND claimed.genre_id = track.genre_id
    LEFT JOIN (SELECT DISTINCT track_id, genre_id FROM sighting SEMI JOIN named ON id = track_id)
        AS seen ON seen.track_id = dispute.track_id AND seen.genre_id = first.genre_id
"""
"""The rows of `label_disputes` of the tracks in `named`."""

CANDIDATES: Final = f"""
    CREATE TABLE candidate AS
    WITH eligible AS (
        SELECT prediction.*, label_id
        FROM prediction JOIN labelled_track ON labelled_track.id = prediction.track_id
        WHERE coalesce(label_id, 0) <> prediction.genre_id
    ),
    last AS (
        SELECT genre_id, list_min(max(probability, {CANDIDATES_PER_GENRE})) AS probability
        FROM eligible GROUP BY genre_id
    )
    SELECT eligible.*, row_number() OVER (
        PARTITION BY eligible.genre_id ORDER BY eligible.probability DESC, track_id
    ) AS place
    FROM eligible JOIN last USING (genre_id)
    WHERE eligible.probability >= last.probability
    QUALIFY place <= {CANDIDATES_PER_GENRE}
"""
"""The rows of `genre_candidates`, without the tracks' titles."""

CANDIDATE_ROWS: Final = """
    SELECT genre.name AS genre, candidate.place, candidate.track_id, named.title, named.artists,
        label.name AS label, candidate.probability, candidate.rank,
        seen.track_id IS NOT NULL AS also_seen, answer.regime, answer.model_id
    FROM candidate JOIN genre ON genre.id = candidate.genre_id
    JOIN named ON named.id = candidate.track_id
    JOIN answer
        ON answer.track_id = candidate.track_id AND answer.genre_id = candidate.genre_id
    LEFT JOIN genre AS label ON label.id = candidate.label_id
    LEFT JOIN (SELECT DISTINCT track_id, genre_id FROM sighting SEMI JOIN named ON id = track_id)
        AS seen ON seen.track_id = candidate.track_id AND seen.genre_id = candidate.genre_id
"""


def first_disputes(limit: int, keys: tuple[str, ...]) -> str:
    """Return the query of the ids of the first disputed tracks, of all or of each claim."""
    group = f"PARTITION BY {keys[0]} " if keys else ""
    return f"""
        SELECT track_id FROM dispute QUALIFY row_number() OVER (
            {group}ORDER BY probability DESC, track_id
        ) <= {limit}
    """
