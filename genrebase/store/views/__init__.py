"""The views: what everybody else reads. `views.tracks` and so on are tables to select from."""

from collections.abc import Mapping
from typing import Final

from genrebase.store.views import (
    answers,
    catalogue,
    experiments,
    genres,
    health,
    histograms,
    learning,
    mappings,
    trends,
)
from genrebase.store.views.definition import MARK, View, metadata

ALL: Final[Mapping[str, View]] = {
    view.name: view
    for view in (
        catalogue.tracks,
        catalogue.track_genres,
        catalogue.track_credits,
        learning.training_tracks,
        learning.scoring_tracks,
        genres.genre_progress,
        genres.genre_profiles,
        histograms.genre_histograms,
        genres.genre_overlaps,
        mappings.genre_mappings,
        trends.genre_trends,
        trends.genre_popularity,
        answers.predictions,
        answers.model_leaderboard,
        experiments.experiment_results,
        health.harvest_health,
    )
}
"""Every view, by its name."""

tracks = catalogue.tracks.table
track_genres = catalogue.track_genres.table
track_credits = catalogue.track_credits.table
training_tracks = learning.training_tracks.table
scoring_tracks = learning.scoring_tracks.table
genre_progress = genres.genre_progress.table
genre_profiles = genres.genre_profiles.table
genre_histograms = histograms.genre_histograms.table
genre_mappings = mappings.genre_mappings.table
genre_overlaps = genres.genre_overlaps.table
genre_trends = trends.genre_trends.table
genre_popularity = trends.genre_popularity.table
predictions = answers.predictions.table
model_leaderboard = answers.model_leaderboard.table
experiment_results = experiments.experiment_results.table
harvest_health = health.harvest_health.table

__all__ = [
    "ALL",
    "MARK",
    "View",
    "experiment_results",
    "genre_histograms",
    "genre_mappings",
    "genre_overlaps",
    "genre_popularity",
    "genre_profiles",
    "genre_progress",
    "genre_trends",
    "harvest_health",
    "metadata",
    "model_leaderboard",
    "predictions",
    "scoring_tracks",
    "track_credits",
    "track_genres",
    "tracks",
    "training_tracks",
]
