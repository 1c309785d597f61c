"""The views: what everybody else reads. `views.tracks` and so on are tables to select from."""

from collections.abc import Mapping
from typing import Final

from genrebase.store.views import catalogue, learning
from genrebase.store.views.definition import MARK, View, metadata

_FAMILIES: Final = (
    catalogue.tracks,
    catalogue.track_genres,
    catalogue.track_credits,
    learning.training_tracks,
    learning.scoring_tracks,
)

ALL: Final[Mapping[str, View]] = {view.name: view for view in _FAMILIES}
"""Every view, by its name."""

tracks = catalogue.tracks.table
track_genres = catalogue.track_genres.table
track_credits = catalogue.track_credits.table
training_tracks = learning.training_tracks.table
scoring_tracks = learning.scoring_tracks.table

__all__ = [
    "ALL",
    "MARK",
    "View",
    "metadata",
    "scoring_tracks",
    "track_credits",
    "track_genres",
    "tracks",
    "training_tracks",
]
