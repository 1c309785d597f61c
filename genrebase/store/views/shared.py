"""What several views say in the same words: labels, chosen features, the later of two moments."""

from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, ColumnElement, FromClause, Label, and_, case, func, select

from genrebase.store import tables
from genrebase.store.tables import (
    AUDIO_PROVIDER,
    FEATURES,
    INCOMPARABLE_FEATURES,
    OWN_SCALE_FEATURES,
)
from genrebase.store.views.definition import Providers

FEATURE_DESCRIPTIONS: Final = {
    "danceability": "How well it can be danced to, 0 to 1.",
    "energy": "Intensity, 0 to 1.",
    "key": "Pitch class, 0 (C) to 11 (B); NULL: not found.",
    "loudness": "Mean loudness in dB, mostly -60 to 0.",
    "mode": "1 is major, 0 is minor; NULL: not found.",
    "speechiness": "Share of spoken words, 0 to 1.",
    "acousticness": "Confidence that it is acoustic, 0 to 1.",
    "instrumentalness": "Confidence that nobody sings, 0 to 1.",
    "liveness": "Confidence that an audience is heard, 0 to 1.",
    "valence": "How cheerful it sounds, 0 to 1.",
    "tempo": "Beats per minute; NULL: not found.",
    "time_signature": "Beats in a bar; NULL: not found.",
}

FEATURE_NAME_DESCRIPTION: Final = (
    "One of the 12 features, as catalogues have them, or one of the four that files are measured "
    "by instead: " + ", ".join(OWN_SCALE_FEATURES) + "."
)
OWN_SCALE_NOTE: Final = (
    "What is computed from files as danceability, energy, loudness and acousticness is on scales "
    "of its own: it never counts for these, but for `own_energy` and so on."
)

TRACK_DESCRIPTIONS: Final = {
    "track_id": "The track's number.",
    "title": "The title, as first delivered.",
    "artists": "Credited artists in order, joined by '; '.",
    "album": "The album, NULL where unknown.",
    "release_year": "The year it came out, NULL where unknown.",
    "duration_ms": "Length in milliseconds, NULL where unknown.",
    "explicit": "Whether it is marked explicit, NULL where unknown.",
    "popularity": "0 to 100, as first delivered, NULL where unknown.",
}

SPLIT_DESCRIPTIONS: Final = {
    "track_fold": "The fold of the track's name, 0 to 9, for ever.",
    "side": "The side of every evaluation it stands on: train, validation_new, test_new, "
    "validation_seen, test_seen or none.",
}


class LabelledTracks(NamedTuple):
    """Tracks joined with their claim, verdict and features, and the columns that come of it."""

    source: FromClause
    claim: Label[Any]
    verdict: Label[Any]
    label: Label[Any]
    label_id: ColumnElement[Any]
    labelled_at: ColumnElement[Any]


def latest_verdict() -> tuple[FromClause, ColumnElement[bool]]:
    """Return the verdicts and the condition that one is its track's latest.

    Of two given at the same moment the one whose author's name sorts last counts.
    """
    verdict = tables.verdict.alias("verdict_given")
    other = tables.verdict.alias("verdict_other")
    latest = (
        select(other.c.labelled_by)
        .where(other.c.track_id == tables.track.c.id)
        .order_by(other.c.labelled_at.desc(), other.c.labelled_by.desc())
        .limit(1)
        .correlate(tables.track)
        .scalar_subquery()
    )
    return verdict, and_(verdict.c.track_id == tables.track.c.id, verdict.c.labelled_by == latest)


def label_id() -> ColumnElement[Any]:
    """Return the number of a track's label, as `labelled_tracks` has it, without a join.

    Few tracks have a verdict: whether one has is looked up before the latest is looked for.
    """
    track, verdict, any_verdict = (
        tables.track,
        tables.verdict.alias("verdict_latest"),
        tables.verdict.alias("verdict_any"),
    )
    latest = (
        select(verdict.c.genre_id)
        .where(verdict.c.track_id == track.c.id)
        .order_by(verdict.c.labelled_at.desc(), verdict.c.labelled_by.desc())
        .limit(1)
        .correlate(track)
        .scalar_subquery()
    )
    judged = select(any_verdict.c.track_id).where(any_verdict.c.track_id == track.c.id)
    return case((judged.correlate(track).exists(), latest), else_=track.c.genre_id)


def labelled_tracks() -> LabelledTracks:
    """Return tracks left-joined with the genres of their claim and of their latest verdict."""
    track = tables.track
    verdict, is_latest = latest_verdict()
    claim = tables.genre.alias("claim_genre")
    given = tables.genre.alias("verdict_genre")
    source = (
        track.outerjoin(verdict, is_latest)
        .outerjoin(claim, claim.c.id == track.c.genre_id)
        .outerjoin(given, given.c.id == verdict.c.genre_id)
    )
    return LabelledTracks(
        source=source,
        claim=claim.c.name.label("claim"),
        verdict=given.c.name.label("verdict"),
        label=func.coalesce(given.c.name, claim.c.name).label("label"),
        label_id=func.coalesce(verdict.c.genre_id, track.c.genre_id),
        labelled_at=verdict.c.labelled_at,
    )


def with_features(
    source: FromClause, providers: Providers, *, known_only: bool = False
) -> tuple[FromClause, FromClause]:
    """Return tracks joined with the features of the provider to trust most, and those features.

    Tracks without features stay, unless `known_only`.
    """
    features = tables.audio_features.alias("chosen_features")
    known = tables.audio_features.alias("known_features")
    place = case(
        {name: place for place, name in enumerate(providers)},
        value=known.c.provider,
        else_=len(providers),
    )
    chosen = (
        select(known.c.provider)
        .where(known.c.track_id == tables.track.c.id)
        .order_by(place, known.c.provider)
        .limit(1)
        .correlate(tables.track)
        .scalar_subquery()
    )
    is_chosen = and_(features.c.track_id == tables.track.c.id, features.c.provider == chosen)
    return source.join(features, is_chosen, isouter=not known_only), features


def feature_columns(features: FromClause) -> list[ColumnElement[Any]]:
    """Return the 12 features, in their order."""
    return [features.c[name] for name in FEATURES]


def all_features(features: FromClause) -> list[Label[Any]]:
    """Return the columns of `MEASURES`: of each scale the values that are on it, else NULL."""
    from_files = features.c.provider == AUDIO_PROVIDER
    shown = [
        features.c[name].label(name)
        if name not in INCOMPARABLE_FEATURES
        else case((~from_files, features.c[name])).label(name)
        for name in FEATURES
    ]
    own = [
        case((from_files, features.c[name])).label(mine)
        for mine, name in OWN_SCALE_FEATURES.items()
    ]
    return [*shown, *own]


def labelled_features(providers: Providers) -> CTE:
    """Return the label and the measures of every labelled track that has features."""
    verdict, is_latest = latest_verdict()
    source, features = with_features(
        tables.track.outerjoin(verdict, is_latest), providers, known_only=True
    )
    label = func.coalesce(verdict.c.genre_id, tables.track.c.genre_id)
    return (
        select(label.label("genre_id"), *all_features(features))
        .select_from(source)
        .where(label.is_not(None))
        .cte("labelled")
    )


def genres_sighted() -> Label[int]:
    """Return under how many genres a track was seen."""
    sighting = tables.sighting
    return (
        select(func.count())
        .select_from(sighting)
        .where(sighting.c.track_id == tables.track.c.id)
        .correlate(tables.track)
        .scalar_subquery()
        .label("genres_sighted")
    )


def champion_id() -> ColumnElement[Any]:
    """Return the number of the champion of the task main; NULL where there is none."""
    model = tables.model
    return (
        select(model.c.id)
        .where(model.c.task == "main", model.c.status == "champion")
        .scalar_subquery()
    )


def predictions_as(name: str) -> Any:
    """Return the answers of all models under a name of their own."""
    return tables.prediction.alias(name)


def same_track_and_model(
    other: FromClause, answer: FromClause, *more: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Return whether `other` is an answer of the same model about the same track as `answer`."""
    return and_(
        other.c.track_id == answer.c.track_id, other.c.model_id == answer.c.model_id, *more
    )


def also_seen(genre: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the track was seen under a genre."""
    sighting = tables.sighting
    return (
        select(sighting.c.track_id)
        .where(sighting.c.track_id == tables.track.c.id, sighting.c.genre_id == genre)
        .correlate_except(sighting)
        .exists()
    )


def later_of(first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the later of two moments, the first where the second is NULL."""
    return case((second > first, second), else_=first)
