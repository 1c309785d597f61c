"""The views: the public interface for reading. `select(views.tracks)` selects from one.

`ALL` has every view with its description and columns, by its name. Every module of this package is
imported, so that a definition registers its view; the names below are those that code selects
from.
"""

from importlib import import_module
from pkgutil import iter_modules

from genrebase.store.views.acousticbrainz import acousticbrainz_features
from genrebase.store.views.audio_analysis import (
    descriptor_schemas,
    genre_progressions,
    harmony,
    sections,
    sound_matrices,
    timbres,
    track_descriptors,
)
from genrebase.store.views.candidates import genre_candidates
from genrebase.store.views.catalogue import (
    data_sources,
    track_credits,
    track_features,
    track_genre_sources,
    track_genres,
    tracks,
)
from genrebase.store.views.definition import ALL, MARKER, View
from genrebase.store.views.digests import digests
from genrebase.store.views.downloads import audio_downloads, audio_items
from genrebase.store.views.experiments import experiment_results
from genrebase.store.views.findings import (
    cluster_genres,
    cluster_tracks,
    feature_importances,
    genre_separabilities,
    genre_traits,
    track_matches,
)
from genrebase.store.views.genres import genre_overlaps, genre_progress, genre_sharing
from genrebase.store.views.health import harvest_health
from genrebase.store.views.histograms import genre_histograms
from genrebase.store.views.mappings import genre_mappings
from genrebase.store.views.models import (
    model_leaderboard,
    model_metrics,
    predictions,
    task_predictions,
    training_epochs,
)
from genrebase.store.views.profiles import acousticbrainz_profiles, genre_profiles
from genrebase.store.views.review import genre_confusions, label_disputes, prediction_changes
from genrebase.store.views.totals import catalogue_counts, dispute_counts
from genrebase.store.views.training import scoring_tracks, training_tracks
from genrebase.store.views.trends import genre_popularity, genre_trends

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
