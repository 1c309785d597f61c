"""The views: what everybody else reads. `views.tracks` and so on are tables to select from."""

from collections.abc import Mapping
from typing import Final

from genrebase.store.views import (
    candidates,
    catalogue,
    epochs,
    experiments,
    findings,
    genres,
    health,
    histograms,
    mappings,
    review,
    sounds,
    tasks,
    training,
    trends,
)
from genrebase.store.views import (
    predictions as answers,
)
from genrebase.store.views.definition import MARKER, View, metadata

ALL: Final[Mapping[str, View]] = {
    view.name: view
    for view in (
        catalogue.tracks,
        catalogue.track_genres,
        catalogue.track_credits,
        training.training_tracks,
        training.scoring_tracks,
        genres.genre_progress,
        genres.genre_profiles,
        histograms.genre_histograms,
        genres.genre_overlaps,
        mappings.genre_mappings,
        trends.genre_trends,
        trends.genre_popularity,
        sounds.sections,
        sounds.harmony,
        sounds.genre_progressions,
        sounds.timbres,
        sounds.sound_matrices,
        sounds.track_descriptors,
        sounds.descriptor_schemas,
        answers.predictions,
        answers.model_leaderboard,
        tasks.task_predictions,
        tasks.model_metrics,
        review.label_disputes,
        candidates.genre_candidates,
        review.prediction_changes,
        review.genre_confusions,
        experiments.experiment_results,
        epochs.training_epochs,
        findings.feature_importances,
        findings.genre_traits,
        findings.cluster_genres,
        findings.cluster_tracks,
        findings.genre_separabilities,
        findings.track_matches,
        health.harvest_health,
    )
}
"""Every view, by its name."""

tracks = catalogue.tracks.table
track_genres = catalogue.track_genres.table
track_credits = catalogue.track_credits.table
training_tracks = training.training_tracks.table
scoring_tracks = training.scoring_tracks.table
genre_progress = genres.genre_progress.table
genre_profiles = genres.genre_profiles.table
genre_histograms = histograms.genre_histograms.table
genre_mappings = mappings.genre_mappings.table
genre_overlaps = genres.genre_overlaps.table
genre_trends = trends.genre_trends.table
genre_popularity = trends.genre_popularity.table
sections = sounds.sections.table
harmony = sounds.harmony.table
genre_progressions = sounds.genre_progressions.table
timbres = sounds.timbres.table
sound_matrices = sounds.sound_matrices.table
track_descriptors = sounds.track_descriptors.table
descriptor_schemas = sounds.descriptor_schemas.table
predictions = answers.predictions.table
model_leaderboard = answers.model_leaderboard.table
task_predictions = tasks.task_predictions.table
model_metrics = tasks.model_metrics.table
label_disputes = review.label_disputes.table
genre_candidates = candidates.genre_candidates.table
prediction_changes = review.prediction_changes.table
genre_confusions = review.genre_confusions.table
experiment_results = experiments.experiment_results.table
training_epochs = epochs.training_epochs.table
feature_importances = findings.feature_importances.table
genre_traits = findings.genre_traits.table
cluster_genres = findings.cluster_genres.table
cluster_tracks = findings.cluster_tracks.table
genre_separabilities = findings.genre_separabilities.table
track_matches = findings.track_matches.table
harvest_health = health.harvest_health.table

__all__ = [
    "ALL",
    "MARKER",
    "View",
    "cluster_genres",
    "cluster_tracks",
    "descriptor_schemas",
    "experiment_results",
    "feature_importances",
    "genre_candidates",
    "genre_confusions",
    "genre_histograms",
    "genre_mappings",
    "genre_overlaps",
    "genre_popularity",
    "genre_profiles",
    "genre_progress",
    "genre_progressions",
    "genre_separabilities",
    "genre_traits",
    "genre_trends",
    "harmony",
    "harvest_health",
    "label_disputes",
    "metadata",
    "model_leaderboard",
    "model_metrics",
    "prediction_changes",
    "predictions",
    "scoring_tracks",
    "sections",
    "sound_matrices",
    "task_predictions",
    "timbres",
    "track_credits",
    "track_descriptors",
    "track_genres",
    "track_matches",
    "tracks",
    "training_epochs",
    "training_tracks",
]
