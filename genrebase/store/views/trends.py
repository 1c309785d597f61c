"""Mean features per genre, by release year and by popularity."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Double, Integer, Select, case, cast, func, select

from genrebase.store import tables
from genrebase.store.tables import ALL_FEATURES, AUDIO_PROVIDER, FEATURES, OWN_SCALE_FEATURES
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view
from genrebase.store.views.exact_sums import exact_mean

_DECADE: Final = 10
_BAND: Final = 10
"""Width of the bands of popularity: 0 to 9, 10 to 19 and so on; the last includes 100."""
_MAX_POPULARITY: Final = 100

_DESCRIPTIONS: Final = {
    "danceability": "Mean danceability, 0 to 1.",
    "energy": "Mean energy, 0 to 1.",
    "key": "Mean pitch class; of little meaning, because pitch classes form a circle.",
    "loudness": "Mean loudness in dB.",
    "mode": "Share of tracks in major, 0 to 1.",
    "speechiness": "Mean speechiness, 0 to 1.",
    "acousticness": "Mean acousticness, 0 to 1.",
    "instrumentalness": "Mean instrumentalness, 0 to 1.",
    "liveness": "Mean liveness, 0 to 1.",
    "valence": "Mean valence, 0 to 1.",
    "tempo": "Mean tempo in beats per minute.",
    "time_signature": "Mean beats per bar.",
    "from_files": "Tracks with features from audio files.",
    "own_danceability": "Mean danceability from audio files (own scale), 0 to 1.",
    "own_energy": "Mean energy from audio files (own scale), 0 to 1.",
    "own_loudness": "Mean loudness from audio files, in LUFS.",
    "own_acousticness": "Mean acousticness from audio files (own scale), 0 to 1.",
}
_NULLS: Final = (
    "A mean is over the tracks that have the value, NULL where none has. " + shared.OWN_SCALE_NOTE
)


def _mean(column: ColumnElement[Any]) -> ColumnElement[float]:
    return exact_mean(cast(column, Double))


def _means(
    group: ColumnElement[Any],
    other: ColumnElement[Any],
    *,
    decade: bool = False,
) -> Select[Any]:
    """Return per genre and `group` the number of tracks and the means of `other` and features."""
    labelled = shared.labelled_features(group, other, required=False)
    group, other = labelled.c[str(group.key)], labelled.c[str(other.key)]
    has_features = case((labelled.c.provider.is_not(None), 1), else_=0)
    is_from_file = case((labelled.c.provider == AUDIO_PROVIDER, 1), else_=0)
    means = (
        select(
            labelled.c.genre_id,
            group,
            cast(func.count(), Integer).label("tracks"),
            cast(func.sum(has_features), Integer).label("with_features"),
            _mean(other).label(other.key),
            *(_mean(labelled.c[name]).label(name) for name in ALL_FEATURES),
            cast(func.sum(is_from_file), Integer).label("from_files"),
        )
        .where(group.is_not(None))
        .group_by(labelled.c.genre_id, group)
        .subquery("means")
    )
    genre, group = tables.genre, means.c[group.key]
    return select(
        *shared.columns(genre, "id:genre_id name:genre"),
        group,
        *([(group - group % _DECADE).label("decade")] if decade else []),
        *shared.columns(means, "tracks with_features"),
        means.c[other.key],
        *(means.c[name] for name in FEATURES),
        means.c.from_files,
        *(means.c[name] for name in OWN_SCALE_FEATURES),
    ).select_from(means.join(genre, genre.c.id == means.c.genre_id))


@view(
    "One row per genre and release year: the number of labelled tracks and their mean features. "
    "Tracks without a year are left out. " + _NULLS,
    {
        **shared.GENRE_REFERENCE,
        "release_year": "The year of release.",
        "decade": "The decade, by its first year: 1990 for 1990 to 1999.",
        "tracks": "Tracks of the genre released in that year.",
        "with_features": "Tracks with features from any provider.",
        "popularity": "Mean popularity, 0 to 100.",
        **_DESCRIPTIONS,
    },
)
def genre_trends(_providers: Providers) -> Select[Any]:
    return _means(tables.track.c.release_year, tables.track.c.popularity, decade=True)


@view(
    "One row per genre and band of popularity, ten points wide: the number of labelled tracks and "
    "their mean features. Tracks of unknown popularity are left out. " + _NULLS,
    {
        **shared.GENRE_REFERENCE,
        "popularity": "The lower end of the band: 40 for 40 to 49; 90 includes 100.",
        "tracks": "Tracks of the genre in the band.",
        "with_features": "Tracks with features from any provider.",
        "release_year": "The mean year of release.",
        **_DESCRIPTIONS,
    },
)
def genre_popularity(_providers: Providers) -> Select[Any]:
    popularity = cast(tables.track.c.popularity, Double)
    band = func.floor(popularity / float(_BAND)) * float(_BAND)
    last = (popularity >= float(_MAX_POPULARITY), float(_MAX_POPULARITY - _BAND))
    lower = cast(case(last, (popularity.is_not(None), band)), Integer)  # floor(NULL) is an error
    return _means(lower.label("popularity"), tables.track.c.release_year)
