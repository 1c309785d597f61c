"""Data drift: recent tracks compared with earlier ones; counts of predictions and trainings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from classifier.data.dataset import Database
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction

RECENT: Final = timedelta(days=7)
"""The age of recent tracks since they were first seen."""


@dataclass(frozen=True, slots=True)
class TrackWindow:
    """Tracks of one age group."""

    tracks: int
    without_features: int
    predicted_genres: Mapping[str, int]
    """Predictions of the champion by genre, of rank 1."""
    total_confidence: float
    """The sum of their probabilities."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Recent tracks and all others."""

    recent: TrackWindow
    earlier: TrackWindow

    def genre_distance(self) -> float | None:
        """Return the total variation distance of the predicted genres' shares, 0 to 1.

        None if a window has no prediction.
        """
        recent, earlier = self.recent.predicted_genres, self.earlier.predicted_genres
        if not recent or not earlier:
            return None
        n, m = sum(recent.values()), sum(earlier.values())
        genres = recent.keys() | earlier.keys()
        return sum(abs(recent.get(g, 0) / n - earlier.get(g, 0) / m) for g in genres) / 2


def measure_drift(database: Database, now: datetime) -> Drift:
    """Compare the tracks of the last seven days with the others, in one read transaction."""
    with read_transaction(database) as connection:
        recent = tables.track.c.first_seen_at >= now - RECENT
        return Drift(_window(connection, recent), _window(connection, ~recent))


def prediction_count(database: Database) -> int:
    """Return the number of stored predictions of all models."""
    with read_transaction(database) as connection:
        return connection.scalar(select(func.count()).select_from(tables.prediction)) or 0


def training_outcomes(database: Database) -> dict[str, int]:
    """Return the number of trainings by outcome."""
    row = tables.job_run.c
    query = (
        select(row.outcome, func.count())
        .where((row.job == "train") | row.job.startswith("train "))
        .group_by(row.outcome)
    )
    with read_transaction(database) as connection:
        return {outcome: number for outcome, number in connection.execute(query).all()}  # noqa: C416 - rows are no pairs to mypy


def _window(connection: Connection, which: Any) -> TrackWindow:
    track, features, prediction = tables.track, tables.audio_features, views.predictions
    has_features = select(features.c.track_id).where(features.c.track_id == track.c.id).exists()
    by_genre = (
        select(
            prediction.c.genre,
            func.count().label("n"),
            func.sum(prediction.c.probability).label("sum"),
        )
        .join(track, track.c.id == prediction.c.track_id)
        .where(which)
        .group_by(prediction.c.genre)
    )
    rows = connection.execute(by_genre).all()
    tracks = select(func.count()).select_from(track).where(which)
    return TrackWindow(
        connection.scalar(tracks) or 0,
        connection.scalar(tracks.where(~has_features)) or 0,
        {row.genre: row.n for row in rows},
        float(sum(row.sum for row in rows)),
    )
