"""The classifier's input: labelled tracks to train on, and all tracks to predict."""

from typing import Any

from sqlalchemy import Select, select

from genrebase.store import tables
from genrebase.store.views import licence_columns, shared
from genrebase.store.views.definition import Providers, view


@view(
    "One row per labelled track: the classifier's training data.",
    {
        **shared.TRACK_DESCRIPTIONS,
        **shared.FEATURE_DESCRIPTIONS,
        **shared.LABEL_DESCRIPTIONS,
        "genres_sighted": "The number of genres with a sighting of it.",
        "split": "Its subset in a dataset's published split, NULL without one.",
        **shared.SPLIT_DESCRIPTIONS,
        "changed_at": "When its metadata, features or verdict last changed.",
        **licence_columns.FEATURES_LICENCE,
        **licence_columns.LABEL_SOURCE,
    },
)
def training_tracks(_providers: Providers) -> Select[Any]:
    track = tables.track
    labelled = shared.labelled_tracks()
    source, features = shared.with_features(labelled.source)
    changed_at = shared.later_of(
        shared.later_of(track.c.updated_at, features.c.fetched_at), labelled.labelled_at
    )
    return (
        select(
            track.c.id.label("track_id"),
            *(track.c[name] for name in shared.TRACK_DESCRIPTIONS if name != "track_id"),
            *shared.feature_columns(features),
            labelled.claim,
            labelled.verdict,
            labelled.label,
            shared.genres_sighted(),
            *shared.columns(track, "split track_fold side"),
            changed_at.label("changed_at"),
            licence_columns.of_features(features),
            *licence_columns.of_label(labelled),
        )
        .select_from(source)
        .where(labelled.label_id.is_not(None))
    )


@view(
    "One row per track, labelled or not: the tracks that the classifier can predict.",
    {
        **shared.TRACK_DESCRIPTIONS,
        **shared.FEATURE_DESCRIPTIONS,
        "label": shared.LABEL_DESCRIPTIONS["label"],
        "genres_sighted": "The number of genres with a sighting of it.",
        **shared.SPLIT_DESCRIPTIONS,
        "changed_at": "When its metadata or features last changed.",
        **licence_columns.FEATURES_LICENCE,
    },
)
def scoring_tracks(_providers: Providers) -> Select[Any]:
    track = tables.track
    labelled = shared.labelled_tracks()
    source, features = shared.with_features(labelled.source)
    changed_at = shared.later_of(track.c.updated_at, features.c.fetched_at)
    return select(
        track.c.id.label("track_id"),
        *(track.c[name] for name in shared.TRACK_DESCRIPTIONS if name != "track_id"),
        *shared.feature_columns(features),
        labelled.label,
        shared.genres_sighted(),
        *shared.columns(track, "track_fold side"),
        changed_at.label("changed_at"),
        licence_columns.of_features(features),
    ).select_from(source)
