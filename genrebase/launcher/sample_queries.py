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
        "How well is each genre predicted on the test tracks of unseen artists?",
        """\
SELECT p.claim AS genre, count(*) AS tracks,
       avg(CASE WHEN p.correct THEN 1.0 ELSE 0.0 END) AS accuracy
FROM predictions p JOIN tracks t ON t.track_id = p.track_id
WHERE t.side = 'test_new' AND p.claim IS NOT NULL
GROUP BY p.claim
ORDER BY accuracy DESC, genre
LIMIT 5""",
    ),
    SampleQuery(
        "Which tracks look most like another genre than the one they count for?",
        """\
SELECT title, artists, claim, genre, probability
FROM predictions
WHERE genre <> claim AND claim IN (SELECT genre FROM predictions)
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
