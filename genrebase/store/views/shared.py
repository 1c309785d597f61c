"""Parts that several views share: labels, preferred features, predictions, column descriptions."""

from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, ColumnElement, FromClause, Label, and_, case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from genrebase.store import tables
from genrebase.store.tables import (
    AUDIO_PROVIDER,
    FEATURES,
    INCOMPARABLE_FEATURES,
    OWN_SCALE_FEATURES,
)

TRACK_REFERENCE: Final = {
    "track_id": "The track's ID.",
    "title": "The title, as first delivered.",
    "artists": "Credited artists in order, joined by '; '.",
}
TRACK_DESCRIPTIONS: Final = {
    **TRACK_REFERENCE,
    "album": "The album, NULL where unknown.",
    "release_year": "The year of release, NULL where unknown.",
    "duration_ms": "Length in milliseconds, NULL where unknown.",
    "explicit": "Whether it is marked explicit, NULL where unknown.",
    "popularity": "0 to 100, NULL where unknown. Later harvests do not change it.",
}
FEATURE_DESCRIPTIONS: Final = {
    "provider": "The provider of the features, NULL where there are none.",
    "danceability": "How suitable it is for dancing, 0 to 1.",
    "energy": "Intensity, 0 to 1.",
    "key": "Pitch class, 0 (C) to 11 (B); NULL: not detected.",
    "loudness": "Mean loudness in dB, mostly -60 to 0.",
    "mode": "1 is major, 0 is minor; NULL: not detected.",
    "speechiness": "Share of spoken words, 0 to 1.",
    "acousticness": "Confidence that it is acoustic, 0 to 1.",
    "instrumentalness": "Confidence that it has no vocals, 0 to 1.",
    "liveness": "Confidence that it was recorded live, 0 to 1.",
    "valence": "How positive it sounds, 0 to 1.",
    "tempo": "Beats per minute; NULL: not detected.",
    "time_signature": "Beats per bar; NULL: not detected.",
}
LABEL_DESCRIPTIONS: Final = {
    "claim": "The primary genre of the track (claim); NULL if it has none.",
    "verdict": "The genre in its latest manual annotation, NULL without one.",
    "label": "The verdict, or else the claim; NULL where there is neither.",
}
SPLIT_DESCRIPTIONS: Final = {
    "track_fold": "The fold of the track's name, 0 to 9; it never changes.",
    "side": "Its side of the train/validation/test split: train, validation_new, test_new, "
    "validation_seen, test_seen or none.",
}
GENRE_REFERENCE: Final = {
    "genre_id": "The genre's ID.",
    "genre": "The genre: the label of the tracks that the row counts.",
}
FEATURE_NAME_DESCRIPTION: Final = (
    "One of the 12 features on the catalogues' scales, or one of the four on the scales of audio "
    "files: " + ", ".join(OWN_SCALE_FEATURES) + "."
)
OWN_SCALE_NOTE: Final = (
    "Danceability, energy, loudness and acousticness from audio files have another scale "
    "and are separate features (`own_energy` and so on)."
)
MODEL_REFERENCE: Final = {
    "task": "The task that the model was trained for.",
    "model_id": "The model's ID.",
    "status": "champion, retired (a former champion), rejected or refit.",
}
INTERVAL: Final = {
    "low": "Lower bound of the 95% confidence interval, by bootstrap over artists; may be NULL.",
    "high": "Upper bound of the 95% confidence interval.",
}
REGIME: Final = {
    "regime": "The test condition: seen_artist if training had a track of a credited "
    "artist, else new_artist.",
}
PREDICTION_DESCRIPTIONS: Final = {
    **REGIME,
    "in_training": "Whether it was a training track; if so, its prediction is out of fold, by "
    "models not trained on it.",
    "model_id": "The champion's ID.",
    "predicted_at": "The time of the prediction.",
}


def compile_as(function: type[FunctionElement[Any]], **sql: str) -> None:
    """Compile a function of one argument, `{}`, to this SQL of each dialect."""
    for dialect, template in sql.items():
        compiles(function, dialect)(partial(_compiled, template))


def _compiled(template: str, element: Any, compiler: Any, **options: Any) -> str:
    return template.format(compiler.process(element.clauses, **options))


class LabelledTracks(NamedTuple):
    """Tracks joined with the genres of claim and verdict, and the columns that result."""

    source: FromClause
    claim: Label[Any]
    verdict: Label[Any]
    label: Label[Any]
    label_id: ColumnElement[Any]
    labelled_at: ColumnElement[Any]


def _latest_verdict(column: str) -> ColumnElement[Any]:
    """Return a column of a track's latest verdict.

    Of two verdicts of the same time the one whose author's name sorts last counts.
    """
    verdict = tables.verdict.alias("verdict_latest")
    return (
        select(verdict.c[column])
        .where(verdict.c.track_id == tables.track.c.id)
        .order_by(verdict.c.labelled_at.desc(), verdict.c.labelled_by.desc())
        .limit(1)
        .correlate(tables.track)
        .scalar_subquery()
    )


def label_id() -> ColumnElement[Any]:
    """Return the genre id of a track's label without a join.

    Few tracks have a verdict, so its existence is checked before the latest one is looked up.
    """
    track, any_verdict = tables.track, tables.verdict.alias("verdict_any")
    exists = select(any_verdict.c.track_id).where(any_verdict.c.track_id == track.c.id)
    has_verdict = exists.correlate(track).exists()
    return case((has_verdict, _latest_verdict("genre_id")), else_=track.c.genre_id)


def with_verdict(source: FromClause) -> tuple[FromClause, FromClause, ColumnElement[Any]]:
    """Return `source` (tracks) left-joined with the latest verdicts, these, and the label's ID."""
    track, verdict = tables.track, tables.verdict.alias("verdict_given")
    is_latest = and_(
        verdict.c.track_id == track.c.id, verdict.c.labelled_by == _latest_verdict("labelled_by")
    )
    label = func.coalesce(verdict.c.genre_id, track.c.genre_id)
    return source.outerjoin(verdict, is_latest), verdict, label


def labelled_tracks() -> LabelledTracks:
    """Return tracks left-joined with the genres of their claim and of their latest verdict."""
    source, verdict, label = with_verdict(tables.track)
    claim, annotated = tables.genre.alias("claim_genre"), tables.genre.alias("verdict_genre")
    return LabelledTracks(
        source=source.outerjoin(claim, claim.c.id == tables.track.c.genre_id).outerjoin(
            annotated, annotated.c.id == verdict.c.genre_id
        ),
        claim=claim.c.name.label("claim"),
        verdict=annotated.c.name.label("verdict"),
        label=func.coalesce(annotated.c.name, claim.c.name).label("label"),
        label_id=label,
        labelled_at=verdict.c.labelled_at,
    )


def with_features(source: FromClause, *, required: bool = False) -> tuple[FromClause, FromClause]:
    """Return tracks joined with the features of the preferred provider, and those features.

    Tracks without features stay, unless features are `required`.
    """
    track, features = tables.track, tables.audio_features.alias("chosen_features")
    is_chosen = and_(
        features.c.track_id == track.c.id, features.c.provider == track.c.features_provider
    )
    return source.join(features, is_chosen, isouter=not required), features


def track_reference(rows: FromClause | None = None) -> list[ColumnElement[Any]]:
    """Return the columns of `TRACK_REFERENCE`; the id is that of `rows`, joined with the track.

    SQLite reads rows in the order of their tracks by an index only if the column is theirs.
    """
    track = tables.track
    track_id = track.c.id if rows is None else rows.c.track_id
    return [track_id.label("track_id"), track.c.title, track.c.artists]


def columns(rows: FromClause, names: str) -> list[ColumnElement[Any]]:
    """Return the columns of these names, separated by spaces; `id:model_id` renames a column."""
    named = (name.partition(":") for name in names.split())
    return [rows.c[name].label(other) if other else rows.c[name] for name, _, other in named]


def feature_columns(features: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns of `FEATURE_DESCRIPTIONS`: the provider and the 12 features."""
    return columns(features, " ".join(FEATURE_DESCRIPTIONS))


def all_features(features: FromClause) -> list[Label[Any]]:
    """Return the columns of `ALL_FEATURES`: values on another scale than the column's are NULL."""
    from_file = features.c.provider == AUDIO_PROVIDER
    columns = [
        features.c[name].label(name)
        if name not in INCOMPARABLE_FEATURES
        else case((~from_file, features.c[name])).label(name)
        for name in FEATURES
    ]
    columns += [
        case((from_file, features.c[name])).label(own) for own, name in OWN_SCALE_FEATURES.items()
    ]
    return columns


def labelled_features(*columns: ColumnElement[Any], required: bool = True) -> CTE:
    """Return genre id, `columns`, provider and all features of every labelled track.

    Tracks without features are left out where features are `required`.
    """
    source, _verdict, label = with_verdict(tables.track)
    source, features = with_features(source, required=required)
    return (
        select(label.label("genre_id"), *columns, features.c.provider, *all_features(features))
        .select_from(source)
        .where(label.is_not(None))
        .cte("labelled")
    )


def genres_sighted() -> Label[int]:
    """Return the number of genres a track was seen under."""
    sighting = tables.sighting
    return (
        select(func.count(sighting.c.genre_id.distinct()))
        .select_from(sighting)
        .where(sighting.c.track_id == tables.track.c.id)
        .correlate(tables.track)
        .scalar_subquery()
        .label("genres_sighted")
    )


def champion_id(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return the id of the champion of the task main; NULL without one that meets `conditions`."""
    model = tables.model
    return (
        select(model.c.id)
        .where(model.c.task == "main", model.c.status == "champion", *conditions)
        .scalar_subquery()
    )


def same_track_and_model(
    other: FromClause, prediction: FromClause, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Return whether `other` is a prediction of the same model for the same track."""
    return and_(
        other.c.track_id == prediction.c.track_id,
        other.c.model_id == prediction.c.model_id,
        *conditions,
    )


def prediction_details(prediction: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns of `PREDICTION_DESCRIPTIONS`."""
    return columns(prediction, "regime in_training model_id predicted_at")


def margin(first: FromClause, second: FromClause) -> Label[Any]:
    """Return by how much the first prediction's probability exceeds the second's."""
    return (first.c.probability - func.coalesce(second.c.probability, 0.0)).label("margin")


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
    """Return the later of two times, the first where the second is NULL."""
    return case((second > first, second), else_=first)
