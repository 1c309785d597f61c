"""The results of `explain`, `clusters`, `separability` and `match`, with names instead of ids."""

from typing import Any

from sqlalchemy import Double, Integer, Select, cast, func, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


@view(
    "One row per model, regime, genre and feature that `classifier explain` evaluated: how much "
    "the model's predictions depend on it.",
    {
        **shared.MODEL_REFERENCE,
        "side": "The tracks it was measured on: validation or test.",
        "regime": "seen_artist or new_artist; all for single genres.",
        "genre": "The genre of the tracks, NULL over all genres.",
        "kind": "feature: one column permuted; group: a feature group permuted; expert: "
        "one of the model's base models ablated; alone: only this group "
        "available.",
        "feature": "The column, feature group or expert. If kind is `alone`, also `everything`: "
        "all groups together.",
        "importance": "Decrease of the accuracy without it; if kind is `alone`, the accuracy "
        "with only this group.",
        **shared.INTERVAL,
        "loss": "Increase of the log loss without it; if kind is `alone`, the log loss "
        "with only this group.",
        "n": "Evaluated tracks.",
    },
)
def feature_importances(_providers: Providers) -> Select[Any]:
    importance, model, genre = tables.feature_importance, tables.model, tables.genre
    return select(
        *shared.columns(model, "task id:model_id status"),
        *shared.columns(importance, "side regime"),
        genre.c.name.label("genre"),
        *shared.columns(importance, "kind feature importance low high loss n"),
    ).select_from(importance.join(model).outerjoin(genre, genre.c.id == importance.c.genre_id))


@view(
    "One row per genre and feature that `classifier explain --genre` compared with another genre, "
    "or with all others.",
    {
        "genre": "The genre's name.",
        "against": "The genre it is compared with, NULL for all others together.",
        "feature": "A feature, or one value of key, mode or time signature.",
        "delta": "The effect size, Cliff's delta, -1 to 1: the probability that a track of the "
        "genre has the higher value, minus the probability that it has the lower.",
        **shared.INTERVAL,
        "value": "The genre's median, or its proportion for a boolean feature.",
        "other_value": "The same for the other genre, or for all others together.",
        "n": "Tracks of the genre that have the feature.",
        "other_n": "Tracks of the other genre, or of all others, that have the feature.",
        "computed_at": "When it was computed.",
    },
)
def genre_traits(_providers: Providers) -> Select[Any]:
    trait = tables.genre_trait
    genre, against = tables.genre, tables.genre.alias("against")
    source = trait.join(genre, genre.c.id == trait.c.genre_id)
    return select(
        genre.c.name.label("genre"),
        against.c.name.label("against"),
        *shared.columns(trait, "feature delta low high value other_value n other_n computed_at"),
    ).select_from(source.outerjoin(against, against.c.id == trait.c.against_id))


@view(
    "One row per clustering, cluster and genre with tracks in it: how clusters of audio features "
    "agree with the genres.",
    {
        "clustering": "The clustering's name, from `classifier clusters --name`.",
        "cluster": "The cluster's number: 0 is the largest, -1 is noise.",
        "genre": "The label of the tracks.",
        "tracks": "Tracks of the genre in the cluster.",
        "share": "Their share of the cluster, 0 to 1.",
        "genre_share": "Their share of the genre's clustered tracks, 0 to 1.",
    },
)
def cluster_genres(_providers: Providers) -> Select[Any]:
    member, clustering, genre = tables.cluster_member, tables.clustering, tables.genre
    group = shared.columns(member, "clustering_id cluster genre_id")
    counted = select(*group, func.count().label("tracks")).group_by(*group).subquery("counted")
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


@view(
    "One row per clustering and track.",
    {
        "clustering": "The clustering's name.",
        **shared.TRACK_REFERENCE,
        "cluster": "The cluster's number: 0 is the largest, -1 is noise.",
        "genre": "The track's label when this was computed.",
    },
)
def cluster_tracks(_providers: Providers) -> Select[Any]:
    member, clustering = tables.cluster_member, tables.clustering
    track, genre = tables.track, tables.genre
    return select(
        clustering.c.name.label("clustering"),
        *shared.track_reference(member),
        member.c.cluster,
        genre.c.name.label("genre"),
    ).select_from(
        member.join(clustering)
        .join(track, track.c.id == member.c.track_id)
        .join(genre, genre.c.id == member.c.genre_id)
    )


@view(
    "One row per model, regime and pair of genres that `classifier separability` evaluated; each "
    "pair occurs once.",
    {
        **shared.MODEL_REFERENCE,
        "regime": "seen_artist, new_artist, or all: all validation tracks together.",
        "genre": "One genre's name.",
        "other_genre": "The other genre's name.",
        "auc": "The pairwise AUC: the probability that the model ranks a random pair of tracks, "
        "one of each genre, correctly. 0.5 is chance, 1 perfect separation.",
        "n": "Validation tracks of `genre`.",
        "other_n": "Validation tracks of `other_genre`.",
    },
)
def genre_separabilities(_providers: Providers) -> Select[Any]:
    pair, model = tables.genre_separability, tables.model
    genre, other = tables.genre, tables.genre.alias("other")
    return select(
        *shared.columns(model, "task id:model_id status"),
        pair.c.regime,
        genre.c.name.label("genre"),
        other.c.name.label("other_genre"),
        *shared.columns(pair, "auc n other_n"),
    ).select_from(
        pair.join(model)
        .join(genre, genre.c.id == pair.c.genre_id)
        .join(other, other.c.id == pair.c.other_id)
    )


@view(
    "One row per labelled track with features: how typical it is of its genre, by `classifier "
    "match --all`.",
    {
        **shared.TRACK_REFERENCE,
        "genre": "The track's label when this was computed.",
        "distance": "The distance from its genre's profile; about 1 is ordinary.",
        "percentile": "The percentage of the genre's tracks that are nearer; 0 is most typical.",
        "nearest_genre": "Genre with the highest likelihood (normal distribution).",
        "nearest_distance": "The distance from that profile.",
        "method": "The distance: standardised or mahalanobis.",
        "computed_at": "When it was computed.",
    },
)
def track_matches(_providers: Providers) -> Select[Any]:
    match, track = tables.track_match, tables.track
    genre, nearest = tables.genre, tables.genre.alias("nearest")
    return select(
        *shared.track_reference(),
        genre.c.name.label("genre"),
        *shared.columns(match, "distance percentile"),
        nearest.c.name.label("nearest_genre"),
        *shared.columns(match, "nearest_distance method computed_at"),
    ).select_from(
        match.join(track)
        .join(genre, genre.c.id == match.c.genre_id)
        .join(nearest, nearest.c.id == match.c.nearest_id)
    )
