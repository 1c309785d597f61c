"""How what comes in differs from what was there before, and how it stands, by SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from classifier.data.dataset import Database
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction

RECENT: Final = timedelta(days=7)
"""Tracks first seen since then are the recent ones."""


@dataclass(frozen=True, slots=True)
class TrackWindow:
    """Tracks of one age."""

    tracks: int
    without_features: int
    predicted_genres: Mapping[str, int]
    """First answers of the champion, by genre."""
    total_confidence: float
    """Sum of their probabilities."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Recent tracks beside all others."""

    recent: TrackWindow
    earlier: TrackWindow

    def genre_distance(self) -> float | None:
        """Return the part of recent answers that are of other genres than before, 0 to 1.

        The total variation distance of the shares of genres; None where a side has no answer.
        """
        recent, before = self.recent.predicted_genres, self.earlier.predicted_genres
        if not recent or not before:
            return None
        n, m = sum(recent.values()), sum(before.values())
        genres = recent.keys() | before.keys()
        return sum(abs(recent.get(g, 0) / n - before.get(g, 0) / m) for g in genres) / 2


def measure_drift(database: Database, now: datetime) -> Drift:
    """Compare the tracks of the last seven days with the others, of one snapshot."""
    with read_transaction(database) as connection:
        recent = tables.track.c.first_seen_at >= now - RECENT
        return Drift(_side(connection, recent), _side(connection, ~recent))


def prediction_count(database: Database) -> int:
    """Return how many rows of answers are stored, of all models."""
    with read_transaction(database) as connection:
        return connection.scalar(select(func.count()).select_from(tables.prediction)) or 0


def training_outcomes(database: Database) -> dict[str, int]:
    """Return how often trainings ended in each way."""
    row = tables.job_run.c
    query = (
        select(row.outcome, func.count())
        .where((row.job == "train") | row.job.startswith("train "))
        .group_by(row.outcome)
    )
    with read_transaction(database) as connection:
        return {outcome: number for outcome, number in connection.execute(query).all()}  # noqa: C416 - rows are no pairs to mypy


def _side(connection: Connection, which: Any) -> TrackWindow:
    track, heard, shown = tables.track, tables.audio_features, views.predictions
    known = select(heard.c.track_id).where(heard.c.track_id == track.c.id).exists()
    answered = (
        select(shown.c.genre, func.count().label("n"), func.sum(shown.c.probability).label("sum"))
        .join(track, track.c.id == shown.c.track_id)
        .where(which)
        .group_by(shown.c.genre)
    )
    rows = connection.execute(answered).all()
    tracks = select(func.count()).select_from(track).where(which)
    return TrackWindow(
        connection.scalar(tracks) or 0,
        connection.scalar(tracks.where(~known)) or 0,
        {row.genre: row.n for row in rows},
        float(sum(row.sum for row in rows)),
    )
