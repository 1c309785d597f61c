"""Three sample SQL queries for both engines, each with its question."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """A question and its SQL query."""

    question: str
    sql: str


SAMPLE_QUERIES: Final = (
    SampleQuery(
        "How well is each genre predicted for unseen artists?",
        """\
SELECT claim AS genre, count(*) AS tracks, avg(CASE WHEN correct THEN 1.0 ELSE 0.0 END) AS accuracy
FROM predictions
WHERE regime = 'new_artist' AND claim IS NOT NULL
GROUP BY claim
ORDER BY accuracy DESC, genre
LIMIT 5""",
    ),
    SampleQuery(
        "Which tracks look most like another genre than the one they count for?",
        """\
SELECT title, artists, claim, genre, probability
FROM predictions
WHERE claim IS NOT NULL AND genre <> claim
ORDER BY probability DESC, track_id
LIMIT 5""",
    ),
    SampleQuery(
        "Which genres share the most tracks?",
        """\
SELECT genre, other_genre, tracks
FROM genre_overlaps
ORDER BY tracks DESC, genre, other_genre
LIMIT 5""",
    ),
)
