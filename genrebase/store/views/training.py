"""What the classifier stands on: what it may learn from, and what it may answer for."""

from typing import Any

from sqlalchemy import Select, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


def _training_tracks(providers: Providers) -> Select[Any]:
    track = tables.track
    labelled = shared.labelled_tracks()
    source, features = shared.with_features(labelled.source, providers)
    changed_at = shared.later_of(
        shared.later_of(track.c.updated_at, features.c.fetched_at), labelled.labelled_at
    )
    return (
        select(
            track.c.id.label("track_id"),
            *(track.c[name] for name in shared.TRACK_DESCRIPTIONS if name != "track_id"),
            features.c.provider,
            *shared.feature_columns(features),
            labelled.claim,
            labelled.verdict,
            labelled.label,
            shared.genres_sighted(),
            track.c.split,
            track.c.track_fold,
            track.c.side,
            changed_at.label("changed_at"),
        )
        .select_from(source)
        .where(labelled.label_id.is_not(None))
    )


def _scoring_tracks(providers: Providers) -> Select[Any]:
    track = tables.track
    labelled = shared.labelled_tracks()
    source, features = shared.with_features(labelled.source, providers)
    changed_at = shared.later_of(track.c.updated_at, features.c.fetched_at)
    return select(
        track.c.id.label("track_id"),
        *(track.c[name] for name in shared.TRACK_DESCRIPTIONS if name != "track_id"),
        features.c.provider,
        *shared.feature_columns(features),
        labelled.label,
        shared.genres_sighted(),
        track.c.track_fold,
        track.c.side,
        changed_at.label("changed_at"),
    ).select_from(source)


training_tracks = view(
    "training_tracks",
    "One row per labelled track: what the classifier may learn from.",
    {
        **shared.TRACK_DESCRIPTIONS,
        "provider": "Whose features these are, NULL where nobody has any.",
        **shared.FEATURE_DESCRIPTIONS,
        "claim": "The one genre it counts for, NULL where only a person named one.",
        "verdict": "The genre a person gave it last, NULL where nobody did.",
        "label": "The verdict, else the claim.",
        "genres_sighted": "Under how many genres it was seen.",
        "split": "The side a published dataset put it on, NULL where none did.",
        **shared.SPLIT_DESCRIPTIONS,
        "changed_at": "When its description, features or verdict last changed.",
    },
    _training_tracks,
)

scoring_tracks = view(
    "scoring_tracks",
    "One row per track, labelled or not: what the classifier may answer for.",
    {
        **shared.TRACK_DESCRIPTIONS,
        "provider": "Whose features these are, NULL where nobody has any.",
        **shared.FEATURE_DESCRIPTIONS,
        "label": "The verdict, else the claim, NULL where there is neither.",
        "genres_sighted": "Under how many genres it was seen.",
        **shared.SPLIT_DESCRIPTIONS,
        "changed_at": "When its description or features last changed.",
    },
    _scoring_tracks,
)
