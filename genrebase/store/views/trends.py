"""How genres change over the years."""

from typing import Any

from sqlalchemy import Double, Integer, Select, case, cast, func, select

from genrebase.store import tables
from genrebase.store.tables import FEATURES
from genrebase.store.views import parts
from genrebase.store.views.definition import Providers, view

_DECADE = 10


def _genre_trends(providers: Providers) -> Select[Any]:
    track, genre = tables.track, tables.genre
    verdict, is_latest = parts.latest_verdict()
    source, features = parts.with_features(track.outerjoin(verdict, is_latest), providers)
    labelled = (
        select(
            func.coalesce(verdict.c.genre_id, track.c.genre_id).label("genre_id"),
            track.c.release_year,
            track.c.popularity,
            features.c.provider,
            *parts.feature_columns(features),
        )
        .select_from(source)
        .where(track.c.release_year.is_not(None))
        .subquery("labelled")
    )
    year = labelled.c.release_year
    has_features = case((labelled.c.provider.is_not(None), 1), else_=0)
    means = (func.avg(cast(labelled.c[name], Double)).label(name) for name in FEATURES)
    summed = (
        select(
            labelled.c.genre_id,
            year,
            func.count().label("tracks"),
            func.sum(has_features).label("with_features"),
            func.avg(cast(labelled.c.popularity, Double)).label("popularity"),
            *means,
        )
        .where(labelled.c.genre_id.is_not(None))
        .group_by(labelled.c.genre_id, year)
        .subquery("summed")
    )
    return select(
        genre.c.id.label("genre_id"),
        genre.c.name.label("genre"),
        summed.c.release_year,
        (summed.c.release_year - summed.c.release_year % _DECADE).label("decade"),
        cast(summed.c.tracks, Integer).label("tracks"),
        cast(summed.c.with_features, Integer).label("with_features"),
        summed.c.popularity,
        *(summed.c[name] for name in FEATURES),
    ).select_from(summed.join(genre, genre.c.id == summed.c.genre_id))


genre_trends = view(
    "genre_trends",
    "One row per genre and release year, with its decade: how many labelled tracks came out, and "
    "how they sound. Tracks without a year are left out; a mean is over the tracks for which the "
    "value is known, NULL where there is none.",
    {
        "genre_id": "The genre's number.",
        "genre": "The label of the tracks counted.",
        "release_year": "The year they came out.",
        "decade": "The decade of that year, by its first year: 1990 for 1990 to 1999.",
        "tracks": "Tracks of the genre that came out in that year.",
        "with_features": "Of these, those with features from anybody.",
        "popularity": "Mean popularity, 0 to 100.",
        "danceability": "Mean danceability, 0 to 1.",
        "energy": "Mean energy, 0 to 1.",
        "key": "Mean pitch class: a number on a circle, so it says little.",
        "loudness": "Mean loudness in dB.",
        "mode": "Share of tracks in major, 0 to 1.",
        "speechiness": "Mean speechiness, 0 to 1.",
        "acousticness": "Mean acousticness, 0 to 1.",
        "instrumentalness": "Mean instrumentalness, 0 to 1.",
        "liveness": "Mean liveness, 0 to 1.",
        "valence": "Mean valence, 0 to 1.",
        "tempo": "Mean tempo in beats per minute.",
        "time_signature": "Mean beats in a bar.",
    },
    _genre_trends,
)
