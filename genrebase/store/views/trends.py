"""How genres change over the years, and from the unknown to the popular."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    Select,
    Subquery,
    case,
    cast,
    func,
    select,
)

from genrebase.store import tables
from genrebase.store.tables import ALL_FEATURES, AUDIO_PROVIDER, FEATURES, OWN_SCALE_FEATURES
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

_DECADE: Final = 10
_BAND: Final = 10
"""Popularity in a band: 0 to 9, 10 to 19, and so on; the last has 100, too."""
_MOST: Final = 100


def _labelled(providers: Providers) -> Subquery:
    """Return every track with its label, year, popularity and features."""
    track = tables.track
    verdict, is_latest = shared.latest_verdict()
    source, features = shared.with_features(track.outerjoin(verdict, is_latest), providers)
    return (
        select(
            func.coalesce(verdict.c.genre_id, track.c.genre_id).label("genre_id"),
            track.c.release_year,
            track.c.popularity,
            features.c.provider,
            *shared.all_features(features),
        )
        .select_from(source)
        .subquery("labelled")
    )


def _mean(column: ColumnElement[Any]) -> ColumnElement[float]:
    return func.avg(cast(column, Double), type_=Double())


def _summed(labelled: Subquery, group: ColumnElement[Any], mean: ColumnElement[Any]) -> Subquery:
    """Return per genre and `group` how many tracks there are, and means of `mean` and features."""
    has_features = case((labelled.c.provider.is_not(None), 1), else_=0)
    is_from_file = case((labelled.c.provider == AUDIO_PROVIDER, 1), else_=0)
    means = (_mean(labelled.c[name]).label(name) for name in ALL_FEATURES)
    return (
        select(
            labelled.c.genre_id,
            group,
            cast(func.count(), Integer).label("tracks"),
            cast(func.sum(has_features), Integer).label("with_features"),
            _mean(mean).label(mean.key),
            *means,
            cast(func.sum(is_from_file), Integer).label("from_files"),
        )
        .where(labelled.c.genre_id.is_not(None), group.is_not(None))
        .group_by(labelled.c.genre_id, group)
        .subquery("summed")
    )


def _genre_trends(providers: Providers) -> Select[Any]:
    genre, labelled = tables.genre, _labelled(providers)
    summed = _summed(labelled, labelled.c.release_year, labelled.c.popularity)
    return select(
        genre.c.id.label("genre_id"),
        genre.c.name.label("genre"),
        summed.c.release_year,
        (summed.c.release_year - summed.c.release_year % _DECADE).label("decade"),
        summed.c.tracks,
        summed.c.with_features,
        summed.c.popularity,
        *(summed.c[name] for name in FEATURES),
        summed.c.from_files,
        *(summed.c[name] for name in OWN_SCALE_FEATURES),
    ).select_from(summed.join(genre, genre.c.id == summed.c.genre_id))


def _genre_popularity(providers: Providers) -> Select[Any]:
    genre, labelled = tables.genre, _labelled(providers)
    popularity = cast(labelled.c.popularity, Double)
    tens = func.floor(popularity / float(_BAND)) * float(_BAND)
    last = (popularity >= float(_MOST), float(_MOST - _BAND))
    band = cast(case(last, (popularity.is_not(None), tens)), Integer)  # floor(NULL) is an error
    summed = _summed(labelled, band.label("popularity"), labelled.c.release_year)
    return select(
        genre.c.id.label("genre_id"),
        genre.c.name.label("genre"),
        summed.c.popularity,
        summed.c.tracks,
        summed.c.with_features,
        summed.c.release_year,
        *(summed.c[name] for name in FEATURES),
        summed.c.from_files,
        *(summed.c[name] for name in OWN_SCALE_FEATURES),
    ).select_from(summed.join(genre, genre.c.id == summed.c.genre_id))


_MEANS: Final = {
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
    "from_files": "Of those with features, the tracks whose features are computed from files.",
    "own_danceability": "Their mean danceability, on a scale of its own, 0 to 1.",
    "own_energy": "Their mean energy, on a scale of its own, 0 to 1.",
    "own_loudness": "Their mean loudness in LUFS.",
    "own_acousticness": "Their mean acousticness, on a scale of its own, 0 to 1.",
}

genre_trends = view(
    "genre_trends",
    "One row per genre and release year, with its decade: how many labelled tracks came out, and "
    "how they sound. Tracks without a year are left out; a mean is over the tracks for which the "
    "value is known, NULL where there is none. " + shared.OWN_SCALE_NOTE,
    {
        "genre_id": "The genre's number.",
        "genre": "The label of the tracks counted.",
        "release_year": "The year they came out.",
        "decade": "The decade of that year, by its first year: 1990 for 1990 to 1999.",
        "tracks": "Tracks of the genre that came out in that year.",
        "with_features": "Of these, those with features from anybody.",
        "popularity": "Mean popularity, 0 to 100.",
        **_MEANS,
    },
    _genre_trends,
)

genre_popularity = view(
    "genre_popularity",
    "One row per genre and ten points of popularity: how many labelled tracks are so popular, and "
    "how they sound. Tracks of unknown popularity are left out; a mean is over the tracks for "
    "which the value is known, NULL where there is none. " + shared.OWN_SCALE_NOTE,
    {
        "genre_id": "The genre's number.",
        "genre": "The label of the tracks counted.",
        "popularity": "Where the ten points begin: 40 for 40 to 49; 90 holds 100, too.",
        "tracks": "Tracks of the genre that are so popular.",
        "with_features": "Of these, those with features from anybody.",
        "release_year": "The mean year they came out.",
        **_MEANS,
    },
    _genre_popularity,
)
