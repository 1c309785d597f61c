"""The list of digests: of which views rows are stored, under which keys, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

WHOLE: Final = ""
"""The key of a digest that is not of one genre."""

_DISPUTE_ORDER: Final = "probability DESC, track_id"
_PAIR_ORDER: Final = "tracks DESC, genre, other_genre"
_CLAIM_ORDER: Final = "tracks DESC, claim, genre"
_CONFUSION_ORDER: Final = "tracks DESC, task, regime, genre, predicted"


@dataclass(frozen=True, slots=True)
class Digest:
    """Rows of a view that are stored, for each genre or for the whole view."""

    view: str
    order: str
    """SQL of the rows' order; no two rows are equal in all of its columns."""
    keys: Sequence[str] = ()
    """The columns with a genre under whose name a row is stored; none: one digest of all rows."""
    limit: int | None = None
    """The maximum number of rows under one key: the first ones."""
    condition: str | None = None
    """SQL for the rows that are stored; None: all."""
    names_tracks: bool = False
    """Whether its rows name single tracks."""


def _by_genre(view: str, *order: str, **options: Any) -> Digest:
    return Digest(view, ", ".join(("genre", *order)), keys=("genre",), **options)


DIGESTS: Final = (
    Digest("catalogue_counts", "tracks"),
    Digest("data_sources", "name"),
    Digest("genre_progress", "genre"),
    Digest("genre_mappings", "mapping, fine"),
    _by_genre("genre_profiles", "feature"),
    _by_genre("acousticbrainz_profiles", "feature"),
    _by_genre("genre_histograms", "feature", "bin"),
    _by_genre("genre_trends", "release_year"),
    _by_genre("genre_popularity", "popularity"),
    Digest("genre_sharing", "genre"),
    Digest("genre_overlaps", _PAIR_ORDER, limit=100),
    Digest("genre_overlaps", _PAIR_ORDER, keys=("genre", "other_genre")),
    _by_genre("genre_progressions", "rank", "length", limit=100),
    _by_genre("genre_candidates", "place", names_tracks=True),
    Digest("label_disputes", _DISPUTE_ORDER, limit=500, names_tracks=True),
    Digest("label_disputes", _DISPUTE_ORDER, keys=("claim",), limit=100, names_tracks=True),
    Digest("dispute_counts", _CLAIM_ORDER, limit=100),
    Digest("dispute_counts", _CLAIM_ORDER, keys=("claim",)),
    Digest(
        "genre_confusions",
        _CONFUSION_ORDER,
        limit=100,
        condition="status = 'champion' AND genre <> predicted",
    ),
    Digest(
        "genre_confusions",
        _CONFUSION_ORDER,
        keys=("genre",),
        condition="status = 'champion'",
    ),
    Digest("cluster_genres", "clustering, cluster, genre"),
)
"""All digests. Under one view and key there is at most one."""

OF_PREDICTIONS: Final = ("genre_candidates", "label_disputes", "dispute_counts")
"""Views whose digests need all predictions. They are stored together."""

PREDICTION_JOBS: Final = ("train", "predict", "promote", "forget", "import", "undo-import")
"""The first words of the jobs after which these digests are computed again: they change the
predictions, or the labels of many tracks that have some."""

JOBS: Final = (
    "harvest",
    "import",
    "import-audio",
    "add",
    "enrich",
    "analyse",
    "listen",
    "forget",
    "undo-import",
    "train",
    "predict",
    "promote",
)
"""The first words of the jobs that change what digests show."""
