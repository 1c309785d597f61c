"""What `explain`, `clusters`, `separability` and `match` found, with names instead of numbers."""

from typing import Any

from sqlalchemy import Double, Integer, Select, cast, func, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


def _feature_importances(_providers: Providers) -> Select[Any]:
    found, model, genre = tables.feature_importance, tables.model, tables.genre
    return select(
        model.c.task,
        model.c.id.label("model_id"),
        model.c.status,
        found.c.side,
        found.c.regime,
        genre.c.name.label("genre"),
        found.c.kind,
        found.c.feature,
        found.c.importance,
        found.c.low,
        found.c.high,
        found.c.loss,
        found.c.n,
    ).select_from(found.join(model).outerjoin(genre, genre.c.id == found.c.genre_id))


def _genre_traits(_providers: Providers) -> Select[Any]:
    found = tables.genre_trait
    genre, against = tables.genre, tables.genre.alias("against")
    source = found.join(genre, genre.c.id == found.c.genre_id)
    return select(
        genre.c.name.label("genre"),
        against.c.name.label("against"),
        found.c.feature,
        found.c.delta,
        found.c.low,
        found.c.high,
        found.c.value,
        found.c.other_value,
        found.c.n,
        found.c.other_n,
        found.c.computed_at,
    ).select_from(source.outerjoin(against, against.c.id == found.c.against_id))


def _cluster_genres(_providers: Providers) -> Select[Any]:
    member, clustering, genre = tables.cluster_member, tables.clustering, tables.genre
    counted = (
        select(
            member.c.clustering_id,
            member.c.cluster,
            member.c.genre_id,
            func.count().label("tracks"),
        )
        .group_by(member.c.clustering_id, member.c.cluster, member.c.genre_id)
        .subquery("counted")
    )
    tracks = cast(counted.c.tracks, Double)
    clustering_id = counted.c.clustering_id
    in_cluster = func.sum(counted.c.tracks).over(partition_by=(clustering_id, counted.c.cluster))
    in_genre = func.sum(counted.c.tracks).over(partition_by=(clustering_id, counted.c.genre_id))
    return select(
        clustering.c.name.label("clustering"),
        counted.c.cluster,
        genre.c.name.label("genre"),
        cast(counted.c.tracks, Integer).label("tracks"),
        (tracks / cast(in_cluster, Double)).label("share"),
        (tracks / cast(in_genre, Double)).label("genre_share"),
    ).select_from(
        counted.join(clustering, clustering.c.id == clustering_id).join(
            genre, genre.c.id == counted.c.genre_id
        )
    )


def _cluster_tracks(_providers: Providers) -> Select[Any]:
    member, clustering = tables.cluster_member, tables.clustering
    track, genre = tables.track, tables.genre
    return select(
        clustering.c.name.label("clustering"),
        track.c.id.label("track_id"),
        track.c.title,
        track.c.artists,
        member.c.cluster,
        genre.c.name.label("genre"),
    ).select_from(
        member.join(clustering)
        .join(track, track.c.id == member.c.track_id)
        .join(genre, genre.c.id == member.c.genre_id)
    )


def _genre_separabilities(_providers: Providers) -> Select[Any]:
    found, model = tables.genre_separability, tables.model
    genre, other = tables.genre, tables.genre.alias("other")
    return select(
        model.c.task,
        model.c.id.label("model_id"),
        model.c.status,
        found.c.regime,
        genre.c.name.label("genre"),
        other.c.name.label("other_genre"),
        found.c.auc,
        found.c.n,
        found.c.other_n,
    ).select_from(
        found.join(model)
        .join(genre, genre.c.id == found.c.genre_id)
        .join(other, other.c.id == found.c.other_id)
    )


def _track_matches(_providers: Providers) -> Select[Any]:
    found, track = tables.track_match, tables.track
    genre, nearest = tables.genre, tables.genre.alias("nearest")
    return select(
        track.c.id.label("track_id"),
        track.c.title,
        track.c.artists,
        genre.c.name.label("genre"),
        found.c.distance,
        found.c.percentile,
        nearest.c.name.label("nearest_genre"),
        found.c.nearest_distance,
        found.c.method,
        found.c.computed_at,
    ).select_from(
        found.join(track)
        .join(genre, genre.c.id == found.c.genre_id)
        .join(nearest, nearest.c.id == found.c.nearest_id)
    )


feature_importances = view(
    "feature_importances",
    "One row per model, regime, genre and feature that `classifier explain` looked at: what the "
    "model's answers hang on.",
    {
        "task": "The question the model answers.",
        "model_id": "The model's number.",
        "status": "candidate, champion, retired, rejected or refit.",
        "side": "On which tracks it was measured: validation or test.",
        "regime": "seen_artist or new_artist; all for single genres.",
        "genre": "Of the tracks of this genre, NULL over all genres.",
        "kind": "feature: one column permuted; group: all of its group together; expert: one of "
        "the model's experts silenced; alone: nothing but this group was known.",
        "feature": "The column, the group of columns or the expert; everything: nothing hidden.",
        "importance": "Accuracy lost; where the kind is alone, the accuracy left.",
        "low": "Lower 95% bound, resampling artists, NULL for single genres.",
        "high": "Upper 95% bound.",
        "loss": "By how much the log-loss grows; where the kind is alone, the log-loss.",
        "n": "Tracks it was measured on.",
    },
    _feature_importances,
)

genre_traits = view(
    "genre_traits",
    "One row per genre and trait that `classifier explain --genre` compared: what sets it apart "
    "from another genre, or from all others.",
    {
        "genre": "The genre's name.",
        "against": "The genre it is compared with, NULL for all others together.",
        "feature": "The trait: a feature, or one value of key, mode or time signature.",
        "delta": "Cliff's delta, -1 to 1: the chance that a track of the genre lies higher, less "
        "the chance that it lies lower.",
        "low": "Lower 95% bound of the delta, resampling artists.",
        "high": "Upper 95% bound of the delta.",
        "value": "The genre's median; its share where the trait is either so or not.",
        "other_value": "The same of the other side.",
        "n": "Tracks of the genre for which it is known.",
        "other_n": "Tracks of the other side for which it is known.",
        "computed_at": "When this was found.",
    },
    _genre_traits,
)

cluster_genres = view(
    "cluster_genres",
    "One row per clustering, cluster and genre with tracks in it: how clusters made of the sound "
    "alone lie to the genres.",
    {
        "clustering": "The clustering's name, as `classifier clusters --name` has it.",
        "cluster": "The cluster's number: 0 is the greatest, -1 holds tracks that are in none.",
        "genre": "The label that the tracks had.",
        "tracks": "Tracks of the genre in the cluster.",
        "share": "Their share of the cluster, 0 to 1.",
        "genre_share": "Their share of the genre's tracks that were clustered, 0 to 1.",
    },
    _cluster_genres,
)

cluster_tracks = view(
    "cluster_tracks",
    "One row per clustering and track.",
    {
        "clustering": "The clustering's name.",
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "cluster": "The cluster's number: 0 is the greatest, -1: in none.",
        "genre": "The label that it had.",
    },
    _cluster_tracks,
)

genre_separabilities = view(
    "genre_separabilities",
    "One row per model, regime and pair of genres that `classifier separability` looked at; each "
    "pair is there once.",
    {
        "task": "The question the model answers.",
        "model_id": "The model's number.",
        "status": "candidate, champion, retired, rejected or refit.",
        "regime": "seen_artist, new_artist, or all held-out tracks together.",
        "genre": "One genre's name.",
        "other_genre": "The other genre's name.",
        "auc": "The chance that of a track of each the model ranks the right one higher: 0.5 "
        "cannot be told apart, 1 always.",
        "n": "Validation tracks of `genre`.",
        "other_n": "Validation tracks of `other_genre`.",
    },
    _genre_separabilities,
)

track_matches = view(
    "track_matches",
    "One row per labelled track with features, as `classifier match --all` found it: how typical "
    "it is of its genre.",
    {
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "genre": "The label that it had.",
        "distance": "How far it is from the profile of its genre: about 1 is ordinary.",
        "percentile": "Per cent of the genre's tracks that are nearer: 0 is the most typical.",
        "nearest_genre": "The genre whose profile fits it best, by a normal distribution.",
        "nearest_distance": "How far it is from that profile.",
        "method": "standardised or mahalanobis: which distance.",
        "computed_at": "When this was found.",
    },
    _track_matches,
)
