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
        "Which genres does the model recognise best on the test tracks of unseen artists?",
        """\
SELECT genre, n AS tracks, value AS recall, low, high
FROM model_metrics
WHERE status = 'champion' AND task = 'main' AND side = 'test' AND regime = 'new_artist'
  AND metric = 'recall'
ORDER BY recall DESC, genre
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
