"""Distributions of features within genres."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.acousticbrainz import acousticbrainz_features
from genrebase.store.views.definition import Providers, view
from genrebase.store.views.exact_sums import exact_sum

PERCENTILES: Final = (5, 25, 50, 75, 95)
_STATISTICS: Final = {
    "n": "Tracks of the genre that have the feature; the others are left out.",
    "mean": "The arithmetic mean.",
    "standard_deviation": "The sample standard deviation (over n - 1), NULL for one track.",
    "min": "The minimum.",
    "p05": "The 5th percentile.",
    "p25": "The 25th percentile.",
    "p50": "The median.",
    "p75": "The 75th percentile.",
    "p95": "The 95th percentile.",
    "max": "The maximum.",
}
_PERCENTILE_NOTE: Final = (
    "Percentiles are by nearest rank: p05 is the smallest value v so that at least 5% of the "
    "tracks have a value of at most v. "
)


def _ranked(labelled: CTE, feature: str) -> Select[Any]:
    """Return one feature's values with their cumulative distribution within the genre."""
    genre_id, value = labelled.c.genre_id, labelled.c[feature]
    return select(
        genre_id,
        cast(literal(feature), Text).label("feature"),
        cast(value, Double).label("value"),
        func.cume_dist().over(partition_by=genre_id, order_by=value).label("share"),
    ).where(value.is_not(None))


@view(
    "One row per genre and feature: the distribution over its labelled tracks. "
    + _PERCENTILE_NOTE
    + shared.OWN_SCALE_NOTE,
    {
        **shared.GENRE_REFERENCE,
        "feature": shared.FEATURE_NAME_DESCRIPTION,
        **_STATISTICS,
    },
)
def genre_profiles(_providers: Providers) -> Select[Any]:
    return _profiles(shared.labelled_features(), tables.ALL_FEATURES)


@view(
    "One row per genre and feature of the view `acousticbrainz_features`: the distribution over "
    "its labelled tracks. " + _PERCENTILE_NOTE.strip(),
    {
        **shared.GENRE_REFERENCE,
        "feature": "One of the features of `acousticbrainz_features`, on its scale: "
        + ", ".join(tables.SUBMISSION_NUMBERS)
        + ".",
        **_STATISTICS,
    },
)
def acousticbrainz_profiles(providers: Providers) -> Select[Any]:
    numbers = acousticbrainz_features.build(providers).subquery("numbers")
    source, _verdict, label = shared.with_verdict(tables.track)
    labelled = (
        select(label.label("genre_id"), *(numbers.c[name] for name in tables.SUBMISSION_NUMBERS))
        .select_from(source.join(numbers, numbers.c.track_id == tables.track.c.id))
        .where(label.is_not(None))
        .cte("labelled")
    )
    return _profiles(labelled, tables.SUBMISSION_NUMBERS)


def _profiles(labelled: CTE, features: Sequence[str]) -> Select[Any]:
    """Return the distribution of each feature within each genre."""
    ranked = union_all(*(_ranked(labelled, feature) for feature in features)).subquery("ranked")
    value = ranked.c.value
    n, total = func.count(), exact_sum(value)
    spread = exact_sum(value * value) - total * total / n
    profile = (
        select(
            *shared.columns(ranked, "genre_id feature"),
            n.label("n"),
            (total / n).label("mean"),
            case((spread < 0, 0.0), else_=spread).label("spread"),
            func.min(value).label("min"),
            *(
                func.min(case((ranked.c.share >= percent / 100, value))).label(f"p{percent:02d}")
                for percent in PERCENTILES
            ),
            func.max(value).label("max"),
        )
        .group_by(ranked.c.genre_id, ranked.c.feature)
        .subquery("profile")
    )
    genre = tables.genre
    variance = profile.c.spread / func.nullif(profile.c.n - 1, 0)
    deviation: ColumnElement[float] = func.sqrt(variance, type_=Double())
    return select(
        *shared.columns(genre, "id:genre_id name:genre"),
        profile.c.feature,
        cast(profile.c.n, Integer).label("n"),
        profile.c.mean,
        deviation.label("standard_deviation"),
        profile.c.min,
        *(profile.c[f"p{percent:02d}"] for percent in PERCENTILES),
        profile.c.max,
    ).select_from(profile.join(genre, genre.c.id == profile.c.genre_id))
